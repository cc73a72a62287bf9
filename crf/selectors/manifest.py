"""What a signature is bound to (21 CFR 11.70): the digests of what was signed, and the digest of the signature itself.

A manifest names each form with its version and the SHA-256 of its answers, and each visit with that of its date. Two
manifests of the same salt are equal exactly when the same was there to be seen. What is stored has a salt of its own:
the bare hash of answers known but for one could be guessed back. Masking and erasing take the salt away.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from crf.models import FormData, Signature, StudyEvent
from pallsoft.audit.selectors import Head

Manifest = list[dict[str, Any]]


def manifest_of(rows: Iterable[FormData], events: Iterable[StudyEvent] = (), *, salt: UUID | None = None) -> Manifest:
    """Forms in the order given, then visits."""
    forms = [{"form_data": str(row.pk), "version": row.version, "sha256": form_sha256(row, salt)} for row in rows]
    return [*forms, *({"event": str(event.pk), "sha256": event_sha256(event, salt)} for event in events)]


def form_sha256(row: FormData, salt: UUID | None) -> str:
    """Answers, what stands beside them, when they were observed, form version and definition version."""
    return digest(
        {
            "salt": str(salt),
            "form": row.form_oid,
            "repeat": row.repeat_key,
            "event": str(row.event_id),
            "version": row.version,
            "definition": str(row.definition_version_id),
            "observed_at": row.observed_at and row.observed_at.isoformat(),
            "data": row.data,
            "marks": row.marks,
        }
    )


def event_sha256(event: StudyEvent, salt: UUID | None) -> str:
    return digest(
        {
            "salt": str(salt),
            "event": event.event_oid,
            "ordinal": event.ordinal,
            "happened_on": event.happened_on and event.happened_on.isoformat(),
            "not_done": event.not_done_reason,
        }
    )


def signature_sha256(signature: Signature, head: Head) -> str:
    """Binds the manifest to who signed, whose data, what it means, when, and to the chain as the signer saw it.

    Moved to another record, person or moment, or after the trail before it was rewritten, it no longer fits.
    """
    return digest(
        {
            "id": str(signature.pk),
            "study": str(signature.study_id),
            "subject": str(signature.subject_id),
            "event": signature.event_id and str(signature.event_id),
            "form_data": signature.form_data_id and str(signature.form_data_id),
            "meaning": signature.meaning,
            "signed_by": str(signature.signed_by_id),
            "printed_name": signature.printed_name,
            "delegation": signature.delegation_id and str(signature.delegation_id),
            "signed_at": signature.signed_at.timestamp(),
            "timezone": signature.timezone,
            "seal": [head.n, head.hash],
            "manifest": signature.manifest,
        }
    )


def digest(content: Any) -> str:
    """The same for the same content, in whatever order its keys were written."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
