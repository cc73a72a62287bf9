"""The way down to a page: subject, visit, and the page itself."""

from typing import Any

from django.urls import reverse

from crf.models import StudyEvent
from crf.selectors.matrix import visit_label, visit_url
from sites.models import Subject
from trials.definition import StudyDef


def crumbs(event: StudyEvent, study: StudyDef, *more: Any) -> list[dict[str, Any]]:
    """`more`: the page, or (label, url) of a page on the way."""
    steps = [step if isinstance(step, tuple) else (step, "") for step in more]
    visit = (visit_label(event, study.event(event.event_oid)), visit_url(event))
    return [subject_crumb(event.subject), *({"label": label, "url": url} for label, url in [visit, *steps])]


def subject_crumb(subject: Subject) -> dict[str, Any]:
    return {"label": subject.number, "url": reverse("subject", args=[subject.study.oid, subject.number])}
