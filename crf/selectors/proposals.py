"""The forms that a rule of the study proposes, on what stands in the visit by now."""

from collections.abc import Iterator

from crf.answers import SubjectAnswers
from crf.models import StudyEvent
from crf.selectors.loading import proposal_betrays_arm, sees_arm
from pallsoft.accounts.models import User
from sites.models import Site
from trials.definition import FormDef, StudyDef
from trials.evaluate import settled
from trials.scope import compiled
from trials.subject_rules import is_shown


def proposed_at(site: Site, study: StudyDef, form: FormDef, user: User) -> Iterator[StudyEvent]:
    """The visits of a site where `form` is proposed, as far as the person may know of it."""
    secret = proposal_betrays_arm(study, form)
    visits = StudyEvent.objects.filter(
        subject__site=site, event_oid__in=[event.oid for event in study.events_with(form.oid)], not_done_reason=""
    )
    entered = visits.filter(forms__removed_in=None, forms__isnull=False).distinct()
    for event in entered.select_related("subject__study", "subject__site"):
        if (not secret or sees_arm(user, event.subject)) and _is_proposed(event, study, form):
            yield event


def _is_proposed(event: StudyEvent, study: StudyDef, form: FormDef) -> bool:
    answers = SubjectAnswers(event.subject, study)
    outside = answers.at(event)
    (ref,) = (ref for ref in study.event(event.event_oid).forms if ref.form == form.oid)
    if answers.participation.state or not is_shown(study, ref, outside) or form.propose is None:
        return False
    row = next((row for row in answers.forms if row.event.key == event.key and row.form_oid == form.oid), None)
    data, missing = (row.data, row.missing_codes) if row else ({}, {})
    context = settled(study, form.oid, data, missing, outside)
    return compiled(study, form.propose.when, form.oid).evaluate(context) is True
