"""Where something that keeps a gate closed can be mended."""

from django.urls import reverse

from crf.models import StudyEvent
from crf.selectors.eligibility import Eligibility
from sites.models import Subject
from trials.eligibility import Verdict
from trials.scope import compiled


def of_consent(subject: Subject) -> str:
    """The consent page of the subject."""
    return reverse("consent", args=[subject.study.oid, subject.number])


def of_eligibility(found: Eligibility) -> str:
    """The page where eligibility is read back and confirmed."""
    subject = found.answers.subject
    return reverse("eligibility", args=[subject.study.oid, subject.number])


def of_criterion(found: Eligibility, verdict: Verdict) -> str:
    """Where the criterion is answered; a computed one at the form that it is computed from."""
    if verdict.criterion.computed:
        return _of_refs(found, verdict.unknown or verdict.sources)
    return _form(found, found.event, found.study.eligibility.form)


def of_rule(found: Eligibility, source: str) -> str:
    """The first form that a rule of the subject asks about; "" when it asks about none."""
    return _of_refs(found, compiled(found.study, source).names)


def _of_refs(found: Eligibility, refs: tuple[str, ...]) -> str:
    for ref in refs:
        prefix, _dot, name = ref.rpartition(".")
        if not prefix.islower():
            return _form(found, _event(found, prefix, name), found.study.form_of(name).oid)
        if own := next((fact for fact in found.study.facts if ref == f"fact.{fact.oid}"), None):
            return of_rule(found, own.expr)
    return ""


def _event(found: Eligibility, prefix: str, item: str) -> StudyEvent:
    """The visit where the item is answered, or is to be: the one that is named, else screening, else the first."""
    screening = found.event.event_oid
    row = found.answers.instance(prefix or screening, item, found.event)
    if row:
        return row.event
    asked_at = [event.oid for event in found.study.events_with(found.study.form_of(item).oid)]
    oid = next((one for one in (prefix, screening) if one in asked_at), asked_at[0])
    return found.event if oid == screening else StudyEvent(event_oid=oid, ordinal=1)


def _form(found: Eligibility, event: StudyEvent, form_oid: str) -> str:
    subject = found.answers.subject
    return reverse("form", args=[subject.study.oid, subject.number, event.event_oid, event.ordinal, form_oid, "1"])
