"""A subject's course of days, from the consent to today or death: visits with their windows, and what happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.day_zero import clock_of
from crf.entry.document import Answer, Document
from crf.models import FormData
from crf.schedule import VisitState
from crf.selectors.loading import sees_arm
from crf.selectors.matrix import Matrix, Visit
from crf.selectors.secrets import betrays_arm
from crf.selectors.words import answer_words
from pallsoft import timeline as drawing
from sites.days import last_day
from sites.permissions import AnyUser
from trials.definition import StudyDef, TimelineLane
from trials.values import PartialDate, span

BEFORE, AFTER = timedelta(days=2), timedelta(days=10)  # room around the first and the last day


@dataclass(frozen=True)
class Entry:
    """One line of the table. `day`: from day 0; `until`: the last day, where it lasts or is not known exactly."""

    on: date
    until: date | None
    day: int | None
    what: str
    note: str = ""


@dataclass(frozen=True)
class Timeline:
    drawing: drawing.Drawing
    entries: list[Entry]


def timeline_of(answers: SubjectAnswers, matrix: Matrix, user: AnyUser) -> Timeline | None:
    """Nothing of it tells the arm to who may not see it. None while there is nothing to draw."""
    marks, lanes = list(_milestones(answers)), list(_lanes(answers, user))
    if not marks:
        return None
    today, death = answers.today_at_site, answers.participation.last_possible_day
    until = min(today, death) if death else today
    dated = [visit for visit in matrix.columns if _days_of(visit)]
    end = max([until, *(_days_of(visit)[-1] for visit in dated if _is_whole(visit, until))])
    shown = [visit for visit in dated if _days_of(visit)[0] <= end]
    start = min([mark.day for mark in marks] + [_days_of(visit)[0] for visit in shown])
    drawn = drawing.timeline(
        start=start - BEFORE,
        end=end + AFTER,
        today=today,
        lived_until=until,
        marks=marks,
        windows=[_window(visit) for visit in shown],
        lanes=lanes,
    )
    entries = [*_entries(answers, marks, lanes), *_visits(answers, dated)]
    return Timeline(drawn, sorted(entries, key=lambda entry: (entry.on, entry.what)))


def _is_whole(visit: Visit, until: date) -> bool:
    """Of what comes again and again for years, only what has begun is drawn to its end."""
    return visit.definition.kind != "repeating" or _days_of(visit)[0] <= until


def _milestones(answers: SubjectAnswers) -> Iterator[drawing.Mark]:
    for ref, label in (("subject.consent_on", _("Consent")), ("fact.randomized_on", _("Randomised"))):
        day = answers.known(ref)
        if day:
            yield drawing.Mark(day, label)
    if answers.anchor:
        yield drawing.Mark(answers.anchor.day, _("Day 0"))
    death = answers.participation.death
    if death and death.day:
        yield drawing.Mark(last_day(death.day), _("Dead"))


def _lanes(answers: SubjectAnswers, user: AnyUser) -> Iterator[drawing.Lane]:
    with_arm = sees_arm(user, answers.subject)
    for lane in answers.study.timeline:
        if with_arm or not _betrays_arm(answers.study, lane):
            yield drawing.Lane(str(lane.label), sorted(_marks(answers, lane), key=lambda mark: mark.day))


def _betrays_arm(study: StudyDef, lane: TimelineLane) -> bool:
    return betrays_arm(study, study.form(lane.form)) or any(study.item(oid).reveals_arm for oid in lane.items)


def _marks(answers: SubjectAnswers, lane: TimelineLane) -> Iterator[drawing.Mark]:
    for form in answers.forms:
        if form.form_oid != lane.form:
            continue
        began = _days(answers, answers.value_in(form, lane.date))
        if began is None:
            continue
        ended = _days(answers, answers.value_in(form, lane.until)) if lane.until else None
        first, last = began[0], max(began[1], ended[1] if ended else began[1])
        yield drawing.Mark(first, _name(answers, lane, form), last if last > first else None)


def _name(answers: SubjectAnswers, lane: TimelineLane, form: FormData) -> str:
    answer = Document(form.data, form.marks).answer(lane.says) if lane.says else Answer()
    if not (lane.says and answer.value):
        return ""
    return answer_words(answers.study, answers.study.item(lane.says), answer, answers.zone)


def _days(answers: SubjectAnswers, value: object) -> tuple[date, date] | None:
    """The first and the last day that a stored value can mean; None without one."""
    if isinstance(value, datetime):
        value = value.astimezone(answers.zone).date()
    return span(value) if isinstance(value, date | PartialDate) else None


def _days_of(visit: Visit) -> list[date]:
    """The first and the last day on which the visit is drawn; empty for one without any day."""
    return sorted(day for day in (*(_window_of(visit) or ()), visit.event.happened_on) if day)


def _window_of(visit: Visit) -> tuple[date, date] | None:
    """By day 0 as it is now; of a visit that is not planned, none."""
    of = visit.plan or visit.event
    return (of.window_from, of.window_to) if of.window_from and of.window_to else None


def _window(visit: Visit) -> drawing.Window:
    happened, window = visit.event.happened_on, _window_of(visit)
    first, last = window or (_days_of(visit)[0], _days_of(visit)[-1])
    target = (visit.plan or visit.event).target_on if window else None
    return drawing.Window(visit.label, first, last, visit.state, target, happened)


def _entries(answers: SubjectAnswers, marks: list[drawing.Mark], lanes: list[drawing.Lane]) -> Iterator[Entry]:
    for mark in marks:
        yield Entry(mark.day, None, _day(answers, mark.day), mark.label)
    for lane in lanes:
        for mark in lane.marks:
            yield Entry(mark.day, mark.until, _day(answers, mark.day), lane.label, mark.label)


def _visits(answers: SubjectAnswers, dated: list[Visit]) -> Iterator[Entry]:
    for visit in dated:
        happened, days = visit.event.happened_on, _days_of(visit)
        first, last = (happened, None) if happened else (days[0], days[-1])
        yield Entry(first, last, _day(answers, first), visit.label, _how(visit))


def _day(answers: SubjectAnswers, on: date) -> int | None:
    clock = clock_of(answers)
    return (on - clock.day).days if clock else None


def _how(visit: Visit) -> str:
    if visit.state is VisitState.NOT_DONE:
        return _("Not done: %(reason)s") % {"reason": visit.why_not_done}
    if visit.state is VisitState.DONE:
        told = {"early": _("before the window"), "late": _("after the window")}
        return ", ".join([_("Done"), *([told[visit.timing]] if visit.timing in told else [])])
    return {VisitState.OVERDUE: _("Overdue"), VisitState.DUE: _("Due now")}.get(visit.state, _("Planned"))
