"""The same POST twice is one change: an answered request is answered again from what was stored (DAT-03)."""

import hashlib
import json
import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crf.models import Request
from pallsoft.accounts.models import User
from pallsoft.errors import Conflict


def digest(body: Any) -> str:
    """SHA-256 over the canonical JSON of what a request asks for."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str, ensure_ascii=True).encode()).hexdigest()


def answered(*, key: uuid.UUID, by: User, body_sha256: str) -> dict[str, Any] | None:
    """What was answered to this key before. Raises Conflict when it came with another body."""
    request = Request.objects.filter(user=by, key=key).first()
    if request is None:
        return None
    if request.body_sha256 != body_sha256:
        raise _other_body()
    response: dict[str, Any] = request.response
    return response


def remember(*, key: uuid.UUID, by: User, body_sha256: str, response: dict[str, Any]) -> None:
    """Store the answer in the transaction of the change itself. Raises Conflict when the key was used elsewhere."""
    try:
        with transaction.atomic():
            Request.objects.create(key=key, user=by, body_sha256=body_sha256, response=response)
    except IntegrityError:
        raise _other_body() from None


def _other_body() -> Conflict:
    return Conflict(_("This page was already used to save something else. Open the form again to see what is stored."))
