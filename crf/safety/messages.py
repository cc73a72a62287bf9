"""The mail to the sponsor's safety contacts: that a serious event was entered, and nothing about health."""

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from crf.models import FormData
from crf.safety.clock import is_serious
from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message
from pallsoft.outbox.registry import Mail
from pallsoft.outbox.services import owe
from sites.permissions import roles_held
from trials.definition import SafetyPlan, StudyDef, definition_of

SERIOUS = "crf.serious_event"


def follow_safety(row: FormData, study: StudyDef) -> None:
    """Part of a save: owe the mail when the form says for the first time that the event is serious.

    `event_id` carries the form, so that each contact is told of each event once, however often it is saved.
    """
    plan = study.safety
    if plan is None or not is_serious(row, plan):
        return
    for person in _contacts(row, plan):
        owe(
            kind=SERIOUS,
            recipient_id=person.pk,
            study_id=row.study_id,
            subject_id=row.subject_id,
            event_id=row.pk,
        )


def is_owed(message: Message) -> bool:
    """As long as the event stands as serious, to who still is a contact."""
    row = _row(message)
    plan = definition_of(row.definition_version).safety
    if plan is None or not is_serious(row, plan):
        return False
    return message.recipient_id in {person.pk for person in _contacts(row, plan)}


def render(message: Message) -> Mail:
    """Subject number, site, the limit and a link; what happened stands in the system only."""
    row = _row(message)
    person = User.objects.get(pk=message.recipient_id)
    plan = definition_of(row.definition_version).safety
    assert plan is not None  # asked just before, by is_owed
    place = [row.study.oid, row.subject.number, row.event.event_oid, row.event.ordinal, row.form_oid, row.repeat_key]
    with translation.override(person.language):
        told = {
            "study": row.study.oid,
            "subject": row.subject.number,
            "site": str(row.subject.site),
            "hours": plan.hours,
            "url": settings.BASE_URL + reverse("form", args=place),
        }
        return Mail(
            to=person.email,
            subject=_("%(study)s: a serious event was entered for %(subject)s") % told,
            body=_(
                "%(subject)s at %(site)s: an event was entered as serious. It is to be reported within %(hours)s hours "
                "of the site becoming aware.\n\nOpen: %(url)s\n"
            )
            % told,
        )


def _row(message: Message) -> FormData:
    related = ("study", "subject__site", "event", "definition_version")
    assert message.event_id  # every message of this kind has a form
    return FormData.objects.select_related(*related).get(pk=message.event_id)


def _contacts(row: FormData, plan: SafetyPlan) -> list[User]:
    """Who holds one of the roles today, at the site or for all sites."""
    site = row.subject.site_id
    here = Q(assignments__site=site) | Q(assignments__site=None)
    found = User.objects.filter(here, assignments__study=row.study_id, assignments__role__in=plan.to).distinct()
    return [person for person in found if _is_contact(person, row, plan)]


def _is_contact(person: User, row: FormData, plan: SafetyPlan) -> bool:
    return any(
        held.study.pk == row.study_id and held.site in (None, row.subject.site_id) and held.role in plan.to
        for held in roles_held(person)
    )
