"""Contact data of a participant: kept for links and reminders, and gone as soon as nobody may be written to (D9)."""

from dataclasses import dataclass, replace

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import InvalidInput, NotAllowedNow
from pallsoft.outbox import sms
from pallsoft.outbox.models import Message
from pallsoft.outbox.services import owe
from sites.identity_guard import identity_numbers
from sites.models import Channel, Contact, Subject, SubjectStatus
from sites.participation import participation_of
from sites.permissions import Permission, require
from sites.phones import norwegian_mobile
from sites.sealing import seal, unseal
from sites.services.holding import changing, lock_subject

TEST_MESSAGE = "sites.test_message"


@dataclass(frozen=True, kw_only=True)
class ContactFacts:
    """`channels`: those that the participant has agreed to; `language`: of what is sent."""

    name: str = ""
    phone: str = ""
    mail: str = ""
    channels: frozenset[Channel]
    language: str


def keep_contact(*, subject: Subject, facts: ContactFacts, by: User) -> None:
    """Stored, or changed; the same again changes nothing.

    Raises InvalidInput, NotPermitted, NotAllowedNow for somebody who is not written to any more.
    """
    with changing(subject, permission=Permission.KEEP_CONTACT, by=by, action="sites.keep_contact") as (
        subject,
        _change,
    ):
        if not may_be_kept(subject):
            raise NotAllowedNow(_("The participant is not written to any more, so no contact data are kept."))
        facts = checked(facts)
        stored = Contact.objects.filter(subject=subject).first()
        if stored and facts_of(stored) == facts:
            return
        contact = stored or Contact(study=subject.study, subject=subject)
        contact.channels, contact.language = sorted(facts.channels), facts.language
        contact.sealed = seal(subject.pk, {"name": facts.name, "phone": facts.phone, "mail": facts.mail})
        if stored:
            contact.save(update_fields=["channels", "language", "sealed"])
        else:
            contact.save(force_insert=True)


def may_be_kept(subject: Subject) -> bool:
    """Only of somebody who takes part, or may come to: screening that failed has no use for them."""
    over = subject.status in {SubjectStatus.SCREEN_FAILURE, SubjectStatus.ENDED}
    return not over and participation_of(subject).may_be_written_to


def sendable() -> list[Channel]:
    """The ways in which this installation can send."""
    return [channel for channel in Channel if channel != Channel.SMS or sms.is_set_up()]


def delete_contact(*, subject: Subject, by: User) -> None:
    """Also at a site that is closed out: nothing else of the participant changes."""
    role = require(by, Permission.KEEP_CONTACT, subject.study, subject.site)
    with change_set(study=subject.study, by=by, action="sites.delete_contact", role=role, site=subject.site):
        forget_contact(lock_subject(subject))


def forget_contact(subject: Subject) -> None:
    """Within the change set of what ends the participation."""
    Contact.objects.filter(subject=subject).delete()


def send_test_message(*, subject: Subject, channel: Channel, by: User) -> None:
    """Shows that number or address are right before anything depends on them. Raises NotPermitted, NotAllowedNow."""
    with changing(subject, permission=Permission.KEEP_CONTACT, by=by, action="sites.send_test_message") as (
        subject,
        _change,
    ):
        check_can_be_sent(subject, channel)
        owe(
            kind=TEST_MESSAGE,
            recipient_id=subject.pk,
            study_id=subject.study_id,
            subject_id=subject.pk,
            ordinal=sent_tests_of(subject).count() + 1,
            payload={"channel": channel},
        )


def check_can_be_sent(subject: Subject, channel: Channel) -> None:
    """Raises NotAllowedNow for a way that was not agreed to, or that this installation does not have."""
    if not (channel in agreed_channels(subject) and participation_of(subject).may_be_written_to):
        raise NotAllowedNow(_("The participant has not agreed to messages of this kind."))
    if channel not in sendable():
        raise NotAllowedNow(_("Text messages are not set up in this installation."))
    if not settings.SENDS_REMINDERS:
        raise NotAllowedNow(_("This system sends nothing to participants: it is a copy, for tests or training."))


def agreed_channels(subject: Subject) -> list[Channel]:
    contact = Contact.objects.filter(subject=subject).first()
    return [Channel(one) for one in contact.channels] if contact else []


def sent_tests_of(subject: Subject) -> QuerySet[Message]:
    """The newest first."""
    return Message.objects.filter(kind=TEST_MESSAGE, subject_id=subject.pk).order_by("-ordinal")


def facts_of(contact: Contact) -> ContactFacts:
    """Raises NotOurs, NotAllowedNow (sites.sealing)."""
    channels = frozenset(map(Channel, contact.channels))
    return ContactFacts(channels=channels, language=contact.language, **unseal(contact.subject_id, contact.sealed))


def checked(facts: ContactFacts) -> ContactFacts:
    """In one form of writing. Raises InvalidInput with everything that is wrong."""
    if errors := wrong_in(facts):
        raise InvalidInput(errors)
    return replace(facts, name=facts.name.strip(), phone=norwegian_mobile(facts.phone), mail=facts.mail.strip())


def wrong_in(facts: ContactFacts) -> dict[str, list[str]]:
    """What must be put right: {name: sentences}."""
    phone, mail = norwegian_mobile(facts.phone), facts.mail.strip()
    errors = {
        "channels": "" if facts.channels else _("Choose at least one way that the participant has agreed to."),
        "name": _("This looks like a national identity number. It must not be stored here.")
        if identity_numbers(facts.name)
        else "",
        "phone": _refused_phone(facts, phone),
        "mail": _refused_mail(facts, mail),
    }
    return {name: [sentence] for name, sentence in errors.items() if sentence}


def _refused_phone(facts: ContactFacts, phone: str) -> str:
    if facts.phone.strip() and not phone:
        return _("Write a Norwegian mobile number: eight digits, the first is 4 or 9.")
    return _("A text message needs a mobile number.") if Channel.SMS in facts.channels and not phone else ""


def _refused_mail(facts: ContactFacts, mail: str) -> str:
    try:
        if mail:
            validate_email(mail)
    except ValidationError:
        return _("Write an e-mail address, such as name@example.org.")
    return _("An e-mail needs an address.") if Channel.MAIL in facts.channels and not mail else ""
