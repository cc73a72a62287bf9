"""What somebody saw on a page, as a digest that goes with the click: what has changed since is noticed.

The same text is hashed by the database (audit/sql/verified_value.sql), which has the last word.
"""

import hashlib
from uuid import UUID

from django.db import connection

from crf.entry.document import Answer
from crf.models import FormData

CONSENTS = "SELECT c.id, audit.consent_digest(c.id) FROM sites_consent c WHERE c.subject_id = %s"


def answer_of(form: FormData, item_oid: str) -> Answer:
    return Answer(form.data.get(item_oid, ""), form.marks.get(item_oid, {}).get("missing", ""))


def item_digest(form: FormData, item_oid: str, answer: Answer) -> str:
    """Of one answer in one form."""
    kind = "value" if answer.value else "missing" if answer.missing else "empty"
    text = f"{form.pk}/{item_oid}/{kind}/{answer.value or answer.missing}"
    return hashlib.sha256(text.encode()).hexdigest()


def consent_digests(subject_id: UUID) -> dict[UUID, str]:
    """{consent id: digest} of a subject's signed consents."""
    with connection.cursor() as cursor:
        cursor.execute(CONSENTS, [subject_id])
        return dict(cursor.fetchall())
