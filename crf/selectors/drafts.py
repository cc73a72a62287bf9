"""A person's own draft of a form, read as if it had just been typed."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crf.entry.drafted import MISSING, OBSERVED, REASON, WHY
from crf.entry.fields import typed_of
from crf.entry.posted import CHOSEN, Posted, Typed, read_posted
from crf.entry.posted import MISSING as MISSING_CHOSEN
from crf.models import Draft
from crf.selectors.place import NEW, Place
from pallsoft.accounts.models import User
from trials.definition import MISSING_CODES, ItemDef


@dataclass(frozen=True)
class Kept:
    """What was typed and not saved. `posted`: the items that differ from what is stored; `at`: when it was typed last.

    `opened`: the newest text it holds, as `entry.drafted.Page` wants it; `reasons`, `why`: explanations already typed.
    """

    tab: str
    opened: int
    at: datetime
    base_version: int
    posted: Posted
    observed_at: str = ""
    reason: str = ""
    why: dict[str, str] = field(default_factory=dict)


def kept_draft(place: Place, user: User) -> Kept | None:
    """The draft of this person at this place; of a repeat that has no number yet, the newest."""
    if not place.answers.around.drafts:
        return None
    drafts = Draft.objects.filter(
        user=user,
        subject_id=place.subject.pk,
        event_oid=place.event.event_oid,
        ordinal=place.event.ordinal,
        form_oid=place.form.oid,
    )
    if place.repeat_key == NEW:
        drafts = drafts.filter(repeat_key__startswith=f"{NEW}-")
    else:
        drafts = drafts.filter(repeat_key=place.repeat_key)
    draft = drafts.order_by("-updated_at").first()
    return _read(place, draft) if draft else None


def texts_of(place: Place, kept: Kept) -> list[dict[str, Any]]:
    """[{label, text}] to be read and copied where the form takes no answers any more (PC023)."""
    return [
        {"label": place.study.item(oid).label, "text": _words(place, place.study.item(oid), typed)}
        for oid, typed in kept.posted.typed.items()
    ]


def _words(place: Place, item: ItemDef, typed: Typed) -> str:
    """As typed; a choice by its label."""
    listed = place.study.codes_of(item)
    labels = {one.code: one.label for one in listed.items} if listed else {}
    missing = MISSING_CODES.get(typed.missing, "")
    return str(missing or labels.get(typed.text, typed.text))


def _read(place: Place, draft: Draft) -> Kept | None:
    texts = {name: one["text"] for name, one in draft.raw.items()}
    posted = _differing(place, texts)
    other = {name: text for name, text in texts.items() if name in (OBSERVED, REASON) or name.startswith(WHY)}
    if not posted.typed and not other.get(OBSERVED):
        return None
    newest = max((one["at"] for one in draft.raw.values()), default=0)
    return Kept(
        tab=draft.repeat_key.removeprefix(f"{NEW}-") if place.repeat_key == NEW else "",
        opened=max(one["kept"] for one in draft.raw.values()),
        at=datetime.fromtimestamp(newest / 1000, UTC),
        base_version=draft.base_version,
        posted=posted,
        observed_at=other.get(OBSERVED, ""),
        reason=other.get(REASON, ""),
        why={name.removeprefix(WHY): text for name, text in other.items() if name.startswith(WHY)},
    )


def _differing(place: Place, texts: dict[str, str]) -> Posted:
    """The draft's items as a page would send them: a field that was not touched says what is stored."""
    post: dict[str, str] = {}
    for item in place.form.items:
        names = (item.oid, f"{item.oid}{MISSING}")
        if item.derived or not any(name in texts for name in names):
            continue
        stored = typed_of(item, place.current.given(item.oid), place.zone)
        now = {item.oid: stored.text, names[1]: stored.missing}
        if item.kind in CHOSEN and names[1] not in texts:  # radio buttons: the reason is one of the answers
            chosen = f"{MISSING_CHOSEN}{stored.missing}" if stored.missing else ""
            now = {item.oid: stored.text or chosen, names[1]: ""}
        after = now | {name: texts[name] for name in names if name in texts}
        if after != now:
            post |= after
    return read_posted(place.study, place.form, post, place.current, place.zone)
