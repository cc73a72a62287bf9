"""The forms that a rule of the study proposes, on what stands in the visit by now."""

from collections.abc import Iterator

from crf.answers import SubjectAnswers
from crf.models import StudyEvent
from crf.selectors.loading import sees_arm
from crf.selectors.many import answers_of
from crf.selectors.secrets import proposal_betrays_arm
from pallsoft.accounts.models import User
from sites.models import Site
from sites.participation import participations
from trials.definition import FormDef, StudyDef
from trials.evaluate import settled
from trials.scope import compiled
from trials.subject_rules import is_shown


def proposed_at(site: Site, study: StudyDef, form: FormDef, user: User) -> Iterator[StudyEvent]:
    """The visits of a site where `form` is proposed, as far as the person may know of it."""
    visits = StudyEvent.objects.filter(
        subject__site=site, event_oid__in=[event.oid for event in study.events_with(form.oid)], not_done_reason=""
    )
    if form.propose and not form.propose.at_once:
        visits = visits.filter(forms__removed_in=None, forms__isnull=False).distinct()
    found = list(visits.select_related("subject__study", "subject__site"))
    subjects, secret = {event.subject_id: event.subject for event in found}, proposal_betrays_arm(study, form)
    taking_part, answers = participations(subjects.keys()), answers_of(subjects, study)
    for event in found:
        may_know = not secret or sees_arm(user, event.subject)
        left = taking_part[event.subject_id].state
        if may_know and not left and _is_proposed(event, answers[event.subject_id], form):
            yield event


def _is_proposed(event: StudyEvent, answers: SubjectAnswers, form: FormDef) -> bool:
    study, outside = answers.study, answers.at(event)
    (ref,) = (ref for ref in study.event(event.event_oid).forms if ref.form == form.oid)
    if form.propose is None or not is_shown(study, ref, outside):
        return False
    row = next((row for row in answers.forms if row.event.key == event.key and row.form_oid == form.oid), None)
    data, missing = (row.data, row.missing_codes) if row else ({}, {})
    context = settled(study, form.oid, data, missing, outside)
    return compiled(study, form.propose.when, form.oid).evaluate(context) is True
