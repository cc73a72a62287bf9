"""Checks that somebody has to hear of at once: a mail to the roles that the check names, and nothing about health."""

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from crf.entry.document import Fired
from crf.models import FormData
from crf.recipients import holders
from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message
from pallsoft.outbox.registry import Mail
from pallsoft.outbox.services import owe
from trials.definition import StudyDef, definition_of

KIND = "crf.check_found"


def alert(row: FormData, study: StudyDef, fired: list[Fired]) -> None:
    """Owe the mail to each of them once for a form and a check; `ordinal` tells which check of the form, from 1."""
    found = {one.oid for one in fired}
    for ordinal, check in enumerate(study.form(row.form_oid).checks, start=1):
        if check.tell and check.oid in found:
            for person in holders(check.tell, row):
                owe(
                    kind=KIND,
                    recipient_id=person.pk,
                    study_id=row.study_id,
                    subject_id=row.subject_id,
                    event_id=row.pk,
                    ordinal=ordinal,
                    payload={"check": check.oid},
                )


def is_owed(message: Message) -> bool:
    """While the form stands and the check still finds it, to who still holds such a role there."""
    row = _row(message)
    checks = definition_of(row.definition_version).form(row.form_oid).checks
    check = next((one for one in checks if one.oid == message.payload["check"]), None)
    found = {key.partition("@")[0] for mark in row.marks.values() for key in mark.get("checks", {})}
    if check is None or check.oid not in found or row.removed_in is not None:
        return False
    return message.recipient_id in {person.pk for person in holders(check.tell, row)}


def render(message: Message) -> Mail:
    row = _row(message)
    person = User.objects.get(pk=message.recipient_id)
    place = [row.study.oid, row.subject.number, row.event.event_oid, row.event.ordinal, row.form_oid, row.repeat_key]
    with translation.override(person.language):
        told = {"study": row.study.oid, "subject": row.subject.number, "site": str(row.subject.site)}
        told["url"] = settings.BASE_URL + reverse("form", args=place)
        return Mail(
            to=person.email,
            subject=_("%(study)s: look at a form of %(subject)s today") % told,
            body=_(
                "%(subject)s at %(site)s: something was entered that the trial wants you to see before anything else "
                "is done. It stands in the form, not in this mail.\n\nOpen: %(url)s\n"
            )
            % told,
        )


def _row(message: Message) -> FormData:
    related = ("study", "subject__site", "event", "definition_version")
    assert message.event_id  # every message of this kind has a form
    return FormData.objects.select_related(*related).get(pk=message.event_id)
