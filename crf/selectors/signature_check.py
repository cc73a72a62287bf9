"""Does each signature still hold? Recomputed from the data, the trail and the chain; nothing stored is believed."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F

from crf.models import FormData, Signature, StudyEvent
from crf.selectors.manifest import event_sha256, form_sha256, signature_sha256
from crf.selectors.signing import Signable, signable_casebook, signable_visit
from pallsoft.audit.selectors import chain_link


@dataclass(frozen=True)
class BadSignature:
    signature: Signature
    what: str

    def __str__(self) -> str:
        one = self.signature
        return f"signature {one.pk} of {one.printed_name}, subject {one.subject.number}, seal {one.seal_n}: {self.what}"


def bad_signatures(study: UUID | None = None) -> Iterator[BadSignature]:
    """In the order they were given. Of a void one only its own binding is checked: what it was for has changed."""
    found = Signature.objects.select_related("subject__site", "subject__study", "event", "created_in", "signed_by")
    if study:
        found = found.filter(study=study)
    for signature in found.order_by(F("seal_n").asc(nulls_first=True), "signed_at").iterator():
        what = _binding(signature) or ("" if signature.voided_in else _content(signature))
        if what:
            yield BadSignature(signature, what)


def _binding(signature: Signature) -> str:
    """Row, signer and chain belong together."""
    if signature.seal_n is None:
        return "it names no link of the chain"
    head = chain_link(signature.study_id, signature.seal_n)
    if signature.seal_n and not head.hash:
        return "the link of the chain that its signer saw is gone"
    if signature.created_in.actor_id != signature.signed_by_id:
        return "it was written by another person than the signer"
    if signature.sha256 != signature_sha256(signature, head):
        return "it does not fit its own record: moved, altered, or the chain before it was rewritten"
    return ""


def _content(signature: Signature) -> str:
    """What stands there now is what was signed, and nothing has come to a visit or casebook."""
    rows = {str(row.pk): row for row in FormData.objects.filter(subject=signature.subject, removed_in=None)}
    events = {str(event.pk): event for event in StudyEvent.objects.filter(subject=signature.subject)}
    for part in signature.manifest:
        row, event = rows.get(part.get("form_data", "")), events.get(part.get("event", ""))
        now = form_sha256(row, signature.salt) if row else event_sha256(event, signature.salt) if event else ""
        if now != part["sha256"]:
            return (
                f"{part.get('form_data') or part.get('event')} is not what was signed, and the signature was not voided"
            )
    if signature.form_data_id is None and _named(_now(signature).manifest()) != _named(signature.manifest):
        return "a form or visit that was not signed is there, and the signature was not voided"
    return ""


def _now(signature: Signature) -> Signable:
    if signature.event is None:
        return signable_casebook(signature.subject)
    signature.event.subject = signature.subject
    return signable_visit(signature.event)


def _named(manifest: list[dict[str, str]]) -> set[str]:
    return {part.get("form_data") or part["event"] for part in manifest}
