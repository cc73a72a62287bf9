"""What a form page sends: typed texts and reasons why something is missing (names: templates/crf/_item.html)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from crf.entry.document import Answer, Document
from crf.entry.parse import canonical, shown
from crf.entry.refusal import Refused
from trials.definition import FormDef, ItemDef, StudyDef

CHOSEN = {"nrs", "yesno", "code"}
Kind = TypeVar("Kind")
MISSING = "missing:"  # radio groups carry the reason in the same field, so that choosing one clears the other


@dataclass(frozen=True)
class Typed:
    """One item as it was sent."""

    text: str = ""
    missing: str = ""


@dataclass
class Posted:
    """`typed`: as sent, to be shown again whatever happens. `answers`: what could be read; `errors`: what could not."""

    typed: dict[str, Typed] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        return {oid: answer.value for oid, answer in self.answers.items()}

    @property
    def missing(self) -> dict[str, str]:
        return {oid: answer.missing for oid, answer in self.answers.items() if answer.missing}

    @property
    def entered(self) -> dict[str, str]:
        return {oid: answer.entered for oid, answer in self.answers.items() if answer.entered}

    def without(self, oids: set[str]) -> "Posted":
        """As if these items had not been sent: what is stored of them stays."""
        return Posted(_without(oids, self.typed), _without(oids, self.answers), _without(oids, self.errors))


def read_posted(study: StudyDef, form: FormDef, post: Mapping[str, str], stored: Document, zone: ZoneInfo) -> Posted:
    """Read the items that were sent; one that was not sent is left as it is stored.

    A field that still shows what is stored is not read anew: nothing changes by being looked at.
    """
    posted = Posted()
    for item in form.items:
        if item.derived or not (item.oid in post or f"{item.oid}-missing" in post):
            continue
        typed = posted.typed[item.oid] = _typed(post, item)
        try:
            posted.answers[item.oid] = _answer(study, item, typed, stored.given(item.oid), zone)
        except Refused as refusal:
            posted.errors[item.oid] = [refusal.sentence]
    return posted


def _without(oids: set[str], part: dict[str, Kind]) -> dict[str, Kind]:
    return {oid: one for oid, one in part.items() if oid not in oids}


def _typed(post: Mapping[str, str], item: ItemDef) -> Typed:
    raw = post.get(item.oid, "")
    if item.kind in CHOSEN and raw.startswith(MISSING):
        return Typed("", raw.removeprefix(MISSING))
    # A browser sends each end of line as CR LF (HTML, "constructing the entry list"); typed was one.
    return Typed(raw.replace("\r\n", "\n"), post.get(f"{item.oid}-missing", ""))


def _answer(study: StudyDef, item: ItemDef, typed: Typed, stored: Answer, zone: ZoneInfo) -> Answer:
    if typed.missing:
        if typed.text.strip():
            raise Refused(_("Give the value or the reason why it is missing, not both."))
        if typed.missing not in item.missing:
            raise Refused(_("Choose one of the reasons on the list."))
        return Answer(missing=typed.missing)
    if stored.value and typed.text == shown(item, stored.value, zone=zone):
        return stored
    listed = study.codes_of(item)
    value = canonical(item, typed.text, codes=listed.codes if listed else (), zone=zone)
    return Answer(value, entered=typed.text.strip() if value and item.kind != "text" else "")
