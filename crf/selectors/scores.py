"""The scores of a subject over the visits: what the patient rated, and what instruments make of the answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from crf.answers import SubjectAnswers
from crf.models import FormData, StudyEvent
from crf.selectors.loading import secrets_for, sees_arm
from crf.selectors.matrix import visit_label
from pallsoft.charts import Point, Sparkline, sparkline
from sites.permissions import AnyUser
from trials.definition import FormDef, ItemDef, StudyEventDef
from trials.expressions import score_in
from trials.instruments import Instrument, instrument_named

NRS: Point = (0, 10)
PERCENT: Point = (0, 100)
GRADE: Point = (0, 3)
SHOWN = 3  # decimals at most, our choice [D]: more is stored and exported
WORSE = frozenset({"symptom", "grade"})  # kinds of scales on which a high score is bad (trials/instruments/methods.py)


@dataclass(frozen=True)
class Score:
    """One row. `values`: canonical text by column, "" without one, to be shown with so many `decimals`.

    `line`: None for fewer than two values.
    """

    label: str
    form: str
    high_is_good: bool
    decimals: int
    values: list[str]
    line: Sparkline | None


@dataclass(frozen=True)
class Scores:
    """`columns`: (visit, day, where known), the earliest first."""

    columns: list[tuple[str, date | None]]
    rows: list[Score]


def scores_of(answers: SubjectAnswers, user: AnyUser) -> Scores:
    """Each score that has a value, in the order of the definition; none tells the arm to who may not see it."""
    answered = {oid for row in answers.forms for oid in row.data}
    shown = [(form, item) for form, item in _scored(answers, user) if item.oid in answered]
    oids = {item.oid for _form, item in shown}
    rows = {(row.event.key, row.form_oid): row for row in answers.forms if oids & row.data.keys()}
    events = sorted({row.event.key: row.event for row in rows.values()}.values(), key=lambda one: _order(answers, one))
    columns = [_Column(one, answers.study.event(one.event_oid)) for one in events]
    scored = [
        _score(form, item, [(one, rows.get((one.event.key, form.oid))) for one in columns]) for form, item in shown
    ]
    return Scores([(one.label, one.event.happened_on) for one in columns], scored)


@dataclass(frozen=True)
class _Column:
    event: StudyEvent
    definition: StudyEventDef

    @property
    def label(self) -> str:
        return visit_label(self.event, self.definition)

    def asks(self, form: FormDef) -> bool:
        return any(ref.form == form.oid for ref in self.definition.forms)


def _scored(answers: SubjectAnswers, user: AnyUser) -> Iterator[tuple[FormDef, ItemDef]]:
    secret, sees = secrets_for(user, answers.subject), sees_arm(user, answers.subject)
    for form in answers.study.forms:
        if form.kind == "patient" and not form.repeating and form.oid not in secret.forms:
            for item in form.items:
                if (item.kind == "nrs" or _scale_of(item)) and (sees or not item.reveals_arm):
                    yield form, item


def _score(form: FormDef, item: ItemDef, cells: list[tuple[_Column, FormData | None]]) -> Score:
    """A visit that does not ask for the form is passed over by the line; one that asked in vain breaks it."""
    values = [row.data.get(item.oid, "") if row else "" for _column, row in cells]
    points = [
        (column.event.happened_on, float(value) if value else None)
        for (column, _row), value in zip(cells, values, strict=True)
        if column.event.happened_on and column.asks(form)
    ]
    domain, high_is_good = _meaning(item)
    line = sparkline(points, domain) if sum(value is not None for _day, value in points) > 1 else None
    decimals = min(item.decimals or 0, SHOWN)
    return Score(str(item.label), str(form.title), high_is_good, decimals, values, line)


def _meaning(item: ItemDef) -> tuple[Point, bool]:
    """The range of a score, and whether high is good."""
    scale = _scale_of(item)
    if scale is None:
        return NRS, False
    instrument = instrument_named(scale[0])
    kind = instrument.scale(scale[1]).kind
    domain = {"index": _index(instrument), "grade": GRADE}.get(kind, PERCENT)
    return domain, kind not in WORSE


def _scale_of(item: ItemDef) -> tuple[str, str] | None:
    return score_in(item.derived) if item.derived else None


def _index(instrument: Instrument) -> Point:
    """From the worst level of every item to full health."""
    return 1 + float(sum(min(levels) for levels in instrument.weights.values())), 1


def _order(answers: SubjectAnswers, event: StudyEvent) -> tuple[date, int, int]:
    order = [one.oid for one in answers.study.events].index(event.event_oid)
    return event.happened_on or event.target_on or date.max, order, event.ordinal
