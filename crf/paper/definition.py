"""Papers of the definition alone: the blank CRF, the annotated CRF and the schedule of visits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trials.definition import (
    MISSING_CODES,
    CodeList,
    EditCheck,
    FormDef,
    ItemDef,
    ItemGroupDef,
    StudyDef,
    StudyEventDef,
)

LINE_LENGTH = 80  # letters that one writes by hand on a line
MOST_LINES = 8
DIGITS = 3  # boxes for a whole number without limits


@dataclass(frozen=True)
class Question:
    """An item as it is printed. `control`: how it is answered by hand; `boxes`: cells to write in, "." between."""

    item: ItemDef
    control: str
    codes: CodeList | None
    missing: list[tuple[str, str]]
    lines: range
    boxes: str

    @property
    def conditional(self) -> bool:
        return bool(self.item.relevant)


@dataclass(frozen=True)
class Group:
    definition: ItemGroupDef
    questions: list[Question]


@dataclass(frozen=True)
class FormPaper:
    """A form with the visits that ask for it."""

    definition: FormDef
    groups: list[Group]
    visits: list[str]
    checks: list[EditCheck]


def form_papers(study: StudyDef, *, computed: bool) -> list[FormPaper]:
    """Every form, in the order in which the visits ask for them. `computed`: with what nobody fills in."""
    in_order = dict.fromkeys(ref.form for event in study.events for ref in event.forms)
    forms = [study.form(oid) for oid in [*in_order, *(form.oid for form in study.forms if form.oid not in in_order)]]
    return [
        FormPaper(
            form,
            list(_groups(study, form, computed)),
            [str(event.label) for event in study.events_with(form.oid)],
            list(form.checks),
        )
        for form in forms
    ]


def _groups(study: StudyDef, form: FormDef, computed: bool) -> Iterator[Group]:
    for group in form.groups:
        questions = [_question(study, item) for item in group.items if computed or not item.derived]
        if questions:
            yield Group(group, questions)


def _question(study: StudyDef, item: ItemDef) -> Question:
    lines = min(-(-(item.length or 0) // LINE_LENGTH), MOST_LINES)
    missing = [(code, str(MISSING_CODES[code])) for code in item.missing]
    return Question(item, _control(item), study.codes_of(item), missing, range(max(lines, 1)), _boxes(item))


def _control(item: ItemDef) -> str:
    if item.derived:
        return "computed"
    if item.kind in {"code", "yesno"}:
        return "choices"
    return item.kind if item.kind in {"text", "nrs"} else "boxes"


def _boxes(item: ItemDef) -> str:
    """ "dd.mm.yyyy" and the like; "_" for a digit."""
    if item.kind in {"date", "partial_date"}:
        return "__.__.____"
    if item.kind == "time":
        return "__:__"
    if item.kind == "datetime":
        return "__.__.____ __:__"
    whole = len(str(int(item.max))) if item.max is not None else DIGITS
    return "_" * whole + ("," + "_" * item.decimals if item.decimals else "")


@dataclass(frozen=True)
class Period:
    """One of the four columns of SPIRIT's figure, and how many visits lie in it."""

    name: str
    events: int


@dataclass(frozen=True)
class ScheduleRow:
    """One form across the visits: per visit "required", "optional", or "" where it is not asked."""

    title: str
    cells: list[str]


PERIODS = {
    "screening": gettext_lazy("Enrolment"),
    "randomization": gettext_lazy("Allocation"),
    "log": gettext_lazy("At any time"),
}


def schedule_rows(study: StudyDef) -> list[ScheduleRow]:
    """The table of SPIRIT 2025 item 18: forms down, visits across."""
    in_order = dict.fromkeys(ref.form for event in study.events for ref in event.forms)
    return [ScheduleRow(str(study.form(oid).title), [_cell(event, oid) for event in study.events]) for oid in in_order]


def _cell(event: StudyEventDef, form_oid: str) -> str:
    refs = {ref.form: ref for ref in event.forms}
    if form_oid not in refs:
        return ""
    return "required" if refs[form_oid].required and not refs[form_oid].relevant else "optional"


def periods(study: StudyDef) -> list[Period]:
    """Neighbouring visits of one period as one column."""
    found: list[Period] = []
    for event in study.events:
        name = str(PERIODS.get(event.kind) or _("After allocation"))
        if found and found[-1].name == name:
            found[-1] = Period(name, found[-1].events + 1)
        else:
            found.append(Period(name, 1))
    return found


def schedule_of(study: StudyDef) -> dict[str, Any]:
    """What the template of the schedule shows, in the parts of SPIRIT: enrolment, interventions, assessments."""
    form = study.eligibility.form
    rows = schedule_rows(study)
    eligibility = str(study.form(form).title)
    return {
        "periods": periods(study),
        "events": study.events,
        "eligibility": next(row for row in rows if row.title == eligibility),
        "consent": _marked(study, "screening"),
        "allocation": _marked(study, "randomization"),
        "arms": [(arm, _marked(study, "treatment")) for arm in study.arms],
        "assessments": [row for row in rows if row.title != eligibility],
    }


def _marked(study: StudyDef, kind: str) -> list[str]:
    """Where something of that kind happens; "optional" where a rule decides."""
    marks = {event.oid: "optional" if event.relevant else "required" for event in study.events if event.kind == kind}
    return [marks.get(event.oid, "") for event in study.events]
