"""What a nurse pastes into the hospital record about a visit: no subject number, nothing of the answers, no arm."""

from datetime import date

from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.schedule import VisitState
from crf.selectors.matrix import Visit, visit_label
from pallsoft.templatetags.ui import nb_date


def record_text(visit: Visit, answers: SubjectAnswers) -> str:
    """One or two sentences of a visit that took place or will not; "" of one to come."""
    told = {"visit": visit.label, "study": answers.subject.study.oid, "day": nb_date(visit.event.happened_on)}
    if visit.state is VisitState.DONE and visit.event.happened_on:
        happened = _("%(visit)s of the research study %(study)s took place on %(day)s.") % told
        return f"{happened} {_next_words(answers, visit.event.happened_on)}".strip()
    if visit.state is VisitState.NOT_DONE:
        told["why"] = visit.why_not_done
        return _("%(visit)s of the research study %(study)s was not done: %(why)s.") % told
    return ""


def _next_words(answers: SubjectAnswers, day: date) -> str:
    """The first visit after `day` that nobody has done or closed."""
    later = [(event.window_from, event) for event in answers.events if event.window_from and event.window_from > day]
    waiting = [event for _from, event in sorted(later, key=lambda one: one[0]) if not event.is_settled]
    if not waiting:
        return ""
    event = waiting[0]
    label = visit_label(event, answers.study.event(event.event_oid))
    told = {"visit": label, "from": nb_date(event.window_from), "to": nb_date(event.window_to)}
    return _("Next: %(visit)s, from %(from)s to %(to)s.") % told
