"""The mails to the sponsor's safety contacts: what was entered, reported or removed, and nothing about health."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from crf.models import FormData, SafetyReport
from crf.recipients import holders
from crf.safety.clock import is_serious
from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.registry import Mail
from pallsoft.outbox.services import owe
from trials.definition import SafetyPlan, StudyDef, definition_of

SERIOUS = "crf.serious_event"
REPORTED = "crf.serious_event_reported"
REMOVED = "crf.serious_event_removed"

Words = Callable[[], str]  # asked when the language of who reads is known


def follow_safety(row: FormData, study: StudyDef) -> None:
    """Part of a save: owe the mail when the form says for the first time that the event is serious.

    `event_id` carries the form, so that each contact is told of each event once, however often it is saved.
    """
    if study.safety and is_serious(row, study.safety):
        _tell(SERIOUS, row, study.safety)


def tell_reported(report: SafetyReport, study: StudyDef) -> None:
    """Part of a report: owe the mail; `ordinal` tells which report it is, counted from 1."""
    assert study.safety  # only serious events are reported
    _tell(REPORTED, report.form_data, study.safety, ordinal=report.number + 1)


def tell_removed(row: FormData, study: StudyDef) -> None:
    """Part of a removal: whoever was told of the event, or will have been, is told that it is none."""
    plan = study.safety
    if (
        plan
        and row.form_oid == plan.form
        and Message.objects.filter(kind__in=[SERIOUS, REPORTED], event_id=row.pk).exists()
    ):
        _tell(REMOVED, row, plan)


def _tell(kind: str, row: FormData, plan: SafetyPlan, ordinal: int = 1) -> None:
    for person in holders(plan.to, row):
        owe(
            kind=kind,
            recipient_id=person.pk,
            study_id=row.study_id,
            subject_id=row.subject_id,
            event_id=row.pk,
            ordinal=ordinal,
        )


def is_owed(message: Message) -> bool:
    """As long as the event stands as serious, to who still is a contact."""
    row, plan = _about(message)
    return is_serious(row, plan) and _is_to(message, row, plan)


def report_is_owed(message: Message) -> bool:
    """A report is told, also when the event turned out not to be serious; not when the form was removed."""
    row, plan = _about(message)
    return row.removed_in is None and _is_to(message, row, plan)


def removal_is_owed(message: Message) -> bool:
    """To who was told of the event: not when all that was to be told of it was dropped in time."""
    row, plan = _about(message)
    told = Message.objects.filter(kind__in=[SERIOUS, REPORTED], event_id=row.pk, recipient_id=message.recipient_id)
    return told.exclude(state=State.DROPPED).exists() and _is_to(message, row, plan)


def render(message: Message) -> Mail:
    """Subject number, site, the limit and a link; what happened stands in the system only."""
    return _mail(
        message,
        "form",
        lambda: _("%(study)s: a serious event was entered for %(subject)s"),
        lambda: _(
            "%(subject)s at %(site)s: an event was entered as serious. It is to be reported within %(hours)s hours "
            "of the site becoming aware.\n\nOpen: %(url)s\n"
        ),
    )


def render_report(message: Message) -> Mail:
    return _mail(
        message,
        "event-reports",
        lambda: _("%(study)s: report %(number)s of a serious event of %(subject)s"),
        lambda: _(
            "%(subject)s at %(site)s: the site has sent report %(number)s of a serious event (0 is the first). Read "
            "it, and mark it as read.\n\nOpen: %(url)s\n"
        ),
    )


def render_removal(message: Message) -> Mail:
    return _mail(
        message,
        "safety",
        lambda: _("%(study)s: a serious event of %(subject)s was removed"),
        lambda: _(
            "%(subject)s at %(site)s: the form of a serious event was removed as entered by mistake. Nothing has to be "
            "done about it.\n\nAll serious events: %(url)s\n"
        ),
    )


def _mail(message: Message, page: str, subject: Words, body: Words) -> Mail:
    row, plan = _about(message)
    person = User.objects.get(pk=message.recipient_id)
    place: list[Any] = [row.study.oid]
    if page != "safety":
        place += [row.subject.number, row.event.event_oid, row.event.ordinal, row.form_oid, row.repeat_key]
    with translation.override(person.language):
        told = {
            "study": row.study.oid,
            "subject": row.subject.number,
            "site": str(row.subject.site),
            "hours": plan.hours,
            "number": message.ordinal - 1,
            "url": settings.BASE_URL + reverse(page, args=place),
        }
        return Mail(to=person.email, subject=subject() % told, body=body() % told)


def _about(message: Message) -> tuple[FormData, SafetyPlan]:
    related = ("study", "subject__site", "event", "definition_version")
    assert message.event_id  # every message of these kinds has a form
    row = FormData.objects.select_related(*related).get(pk=message.event_id)
    plan = definition_of(row.definition_version).safety
    assert plan is not None  # a form keeps the version under which the message came to be owed, or a later one
    return row, plan


def _is_to(message: Message, row: FormData, plan: SafetyPlan) -> bool:
    return message.recipient_id in {person.pk for person in holders(plan.to, row)}
