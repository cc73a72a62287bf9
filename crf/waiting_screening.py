"""What screening adds to the worklist: the next form of each subject in screening."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crf.answers import SubjectAnswers
from crf.models import StudyEvent
from crf.selectors.effort import forms_left, minutes_left
from crf.selectors.many import answers_of
from crf.waiting import places
from pallsoft.accounts.models import User
from sites.models import Subject, SubjectStatus
from sites.worklist import WorkItem
from trials.definition import FormDef, StudyDef
from trials.models import Study


def in_screening(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for each subject in screening at the sites where the person enters data."""
    for site, definition in places(user, study):
        found = Subject.objects.filter(site=site, status=SubjectStatus.SCREENING).select_related("study", "site")
        subjects = {subject.pk: subject for subject in found.order_by("number")}
        for answers in answers_of(subjects, definition).values():
            yield _item(answers, _attempt(answers, definition))


def _attempt(answers: SubjectAnswers, definition: StudyDef) -> StudyEvent:
    """The screening that is going on: the last attempt, or the first that nothing is saved of."""
    oid = next(event.oid for event in definition.events if event.kind == "screening")
    attempts = [event for event in answers.events if event.event_oid == oid]
    subject = answers.subject
    first = StudyEvent(study=subject.study, subject=subject, event_oid=oid)
    return max(attempts, key=lambda event: event.ordinal, default=first)


def _item(answers: SubjectAnswers, event: StudyEvent) -> WorkItem:
    subject, left = answers.subject, forms_left(answers, event)
    if not left:
        sentence = _("%(number)s: everything for the screening is entered. Confirm eligibility, and randomise.")
        url = reverse("eligibility", args=[subject.study.oid, subject.number])
        return WorkItem(sentence % {"number": subject.number}, url, "screening")
    told = {"number": subject.number, "form": left[0].title, "n": len(left)}
    sentence = ngettext(
        "%(number)s in screening: %(form)s is the last form.",
        "%(number)s in screening: next is %(form)s, of %(n)s forms left.",
        len(left),
    )
    return WorkItem(sentence % told, _url(event, subject, left[0]), "screening", minutes=minutes_left(answers, event))


def _url(event: StudyEvent, subject: Subject, form: FormDef) -> str:
    place = [subject.study.oid, subject.number, *event.key, form.oid]
    return reverse("form-list", args=place) if form.repeating else reverse("form", args=[*place, "1"])
