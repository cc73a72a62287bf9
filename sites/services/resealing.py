"""Contact data sealed anew with the first key, so that an older one can be destroyed (PRV-01; NIST SP 800-57)."""

from collections.abc import Sequence

from pallsoft.audit.context import change_set
from sites.models import Contact, Subject
from sites.models.contact import RESEAL
from sites.sealing import NotOurs, has_first_key, seal, unseal
from sites.services.holding import lock_subjects
from trials.models import Study


def reseal_contact_data(*, study: Study, subjects: Sequence[Subject]) -> int:
    """One transaction; how many were sealed anew. What has the first key, or opens with none, stays as it is.

    An act of those who run the system, who have the keys: there is no user for it. Raises NotAllowedNow without a key.
    """
    with change_set(study=study, by=None, action=RESEAL):
        held = lock_subjects(subjects)
        return sum(_reseal(contact) for contact in Contact.objects.filter(subject__in=held).order_by("subject_id"))


def with_older_key(study: Study) -> tuple[list[Subject], list[Subject]]:
    """Whose contact data an older key opens, and whose none does. Raises NotAllowedNow without a key."""
    contacts = Contact.objects.filter(study=study).select_related("subject").order_by("subject_id")
    older = [contact for contact in contacts if not has_first_key(contact.sealed)]
    found = {contact.pk: _said(contact) is not None for contact in older}
    return (
        [contact.subject for contact in older if found[contact.pk]],
        [contact.subject for contact in older if not found[contact.pk]],
    )


def _reseal(contact: Contact) -> bool:
    """Read after the lock: meanwhile the site may have saved it anew."""
    said = None if has_first_key(contact.sealed) else _said(contact)
    if said is None:
        return False
    contact.sealed = seal(contact.subject_id, said)
    contact.save(update_fields=["sealed"])
    return True


def _said(contact: Contact) -> dict[str, str] | None:
    try:
        return unseal(contact.subject_id, contact.sealed)
    except NotOurs:
        return None
