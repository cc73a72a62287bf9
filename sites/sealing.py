"""Names, telephone numbers and addresses of participants, encrypted with a key that the database does not have.

The subject is sealed in with them: a text that was moved to another participant's row does not open there.
"""

import base64
import hashlib
import json
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext as _

from pallsoft.errors import NotAllowedNow


class NotOurs(Exception):
    """The text was sealed with a key that is gone, or for another participant."""


def seal(subject_id: UUID, said: dict[str, str]) -> str:
    """Raises NotAllowedNow where no key is set."""
    text = json.dumps({"subject": str(subject_id), "said": said}, ensure_ascii=False)
    return _box().encrypt(text.encode()).decode()


def unseal(subject_id: UUID, sealed: str) -> dict[str, str]:
    """Raises NotOurs, and NotAllowedNow where no key is set."""
    try:
        found = json.loads(_box().decrypt(sealed.encode()))
    except InvalidToken:
        raise NotOurs from None
    if found["subject"] != str(subject_id):
        raise NotOurs
    said: dict[str, str] = found["said"]
    return said


def has_first_key(sealed: str) -> bool:
    """Else an older key is still needed for it, or none opens it. Raises NotAllowedNow where no key is set."""
    try:
        _keys()[0].decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def _box() -> MultiFernet:
    """The first key seals; each of them opens, so that a key can be changed while the system runs."""
    return MultiFernet(_keys())


def _keys() -> list[Fernet]:
    if not settings.CONTACT_KEYS:
        raise NotAllowedNow(_("Contact data cannot be kept here: those who run the system have set no key for them."))
    return [Fernet(_key(text.strip())) for text in settings.CONTACT_KEYS]


def _key(text: str) -> bytes:
    """Any long random text serves as a key."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
