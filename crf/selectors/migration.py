"""What taking a form to the version that its site uses now would do to it. Only looks: nothing is written."""

from dataclasses import dataclass

from crf.answers import SubjectAnswers
from crf.entry.document import Document, Rules, Settled
from crf.selectors.loading import secrets_for
from crf.selectors.place import Place
from crf.selectors.words import answer_words
from sites.permissions import AnyUser
from sites.selectors import version_at
from trials.definition import ItemDef, StudyDef, definition_of
from trials.models import StudyVersion


@dataclass(frozen=True)
class Line:
    """A question, and its answer before and after, in words."""

    label: str
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class Move:
    """`asked`: asked anew and not answered; `aside`: answers that do not count any more, and are kept; `retired`:
    answers to what is asked no more; `computed`: what comes out otherwise; `queried`: what checks would ask.

    Nothing of it tells the arm to who may not see it.
    """

    version: int
    asked: list[Line]
    aside: list[Line]
    retired: list[Line]
    computed: list[Line]
    queried: list[Line]


def newer_version(place: Place) -> StudyVersion | None:
    """The one that the site uses now, when the form was begun under another."""
    if place.row is None:
        return None
    version = version_at(place.subject.site)
    return None if version.pk == place.row.definition_version_id else version


def move_of(place: Place, version: StudyVersion, user: AnyUser) -> Move:
    new = definition_of(version)
    form = new.form(place.form.oid)
    answers = SubjectAnswers(place.subject, new, forms=place.answers.forms)
    observed_at = place.row.observed_at if place.row else None
    before = place.rules.settle(place.current, {}, {})
    after = Rules(new, form, answers.at(place.event, observed_at)).settle(place.current, {}, {})
    secret = secrets_for(user, place.subject)
    items = [item for item in form.items if item.oid not in secret.items]
    compare = _Comparison(place, new, before, after)
    known = {fired.oid for fired in before.fired} | secret.checks
    messages = {check.oid: str(check.message) for check in form.checks}
    return Move(
        version=version.number,
        asked=[compare.line(item) for item in items if compare.is_asked_anew(item)],
        aside=[compare.line(item) for item in items if compare.is_set_aside(item)],
        retired=[compare.line(item) for item in items if item.retired and place.current.answer(item.oid)],
        computed=[compare.line(item) for item in items if item.derived and compare.differs(item)],
        queried=[Line(messages[fired.oid]) for fired in after.fired if fired.oid not in known],
    )


@dataclass(frozen=True)
class _Comparison:
    place: Place
    study: StudyDef
    before: Settled
    after: Settled

    def is_asked_anew(self, item: ItemDef) -> bool:
        asked = item.oid in self.after.outcome.items and item.oid not in self.before.outcome.items
        return asked and not item.derived and not self.after.document.answer(item.oid)

    def is_set_aside(self, item: ItemDef) -> bool:
        return not item.derived and bool(self.place.current.answer(item.oid).value) and self.differs(item)

    def differs(self, item: ItemDef) -> bool:
        return self.place.current.answer(item.oid) != self.after.document.answer(item.oid)

    def line(self, item: ItemDef) -> Line:
        return Line(str(item.label), self._words(item, self.place.current), self._words(item, self.after.document))

    def _words(self, item: ItemDef, document: Document) -> str:
        return answer_words(self.study, item, document.answer(item.oid), self.place.zone)
