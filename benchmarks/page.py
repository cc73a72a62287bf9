"""What the page of a form costs, against an empty view behind the same middleware."""

import uuid
from datetime import timedelta
from itertools import cycle
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path, reverse

from benchmarks.measure import Ratio, in_turn
from benchmarks.trial import ITEMS, Trial, add_subjects
from crf.epro.links import issue_link
from crf.models import FormData, FormStatus, LinkChannel, StudyEvent
from pallsoft.audit.context import change_set
from sites.clock import local_today
from sites.models import Subject

FORMS = 60


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


urlpatterns = [path("empty/", empty), path("", include("pallsoft.urls"))]


def form_page(trial: Trial, rounds: int) -> Ratio:
    """A saved form, open for entry, with all its questions shown."""
    client = Client()
    with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"]):
        client.force_login(trial.nurse, backend="allauth.account.auth_backends.AuthenticationBackend")
        address = _address(trial, add_subjects(trial, 3)[1])
        shown = client.get(address).content.count(b'class="item-label"')
        assert shown >= ITEMS, f"only {shown} questions are shown"
        times = in_turn(lambda: client.get(address), lambda: client.get("/empty/"), rounds=rounds)
    return Ratio(f"page of {shown} items / empty view", *times, "ms", 8)


def subject_page(trial: Trial, rounds: int) -> Ratio:
    """Visits across, forms down; a person who has answered every form that is not kept as a list, 60 at least."""
    client = Client()
    with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"]):
        client.force_login(trial.nurse, backend="allauth.account.auth_backends.AuthenticationBackend")
        subject = add_subjects(trial, 1, answered=False)[0].subject
        _answer_everything(trial, subject)
        address = reverse("subject", args=[trial.study.oid, subject.number])
        chips = client.get(address).content.count(b"chip-complete")
        assert chips >= FORMS, f"only {chips} forms are shown"
        times = in_turn(lambda: client.get(address), lambda: client.get("/empty/"), rounds=rounds)
    return Ratio(f"subject page of {chips} saved forms / empty view", *times, "ms", 12)


def _answer_everything(trial: Trial, subject: Subject) -> None:
    with change_set(study=trial.study, by=trial.nurse, action="benchmark", site=trial.site):
        for planned in trial.definition.events:
            event, _new = StudyEvent.objects.get_or_create(
                study=trial.study, subject=subject, event_oid=planned.oid, ordinal=1
            )
            FormData.objects.bulk_create(
                FormData(
                    study=trial.study,
                    subject=subject,
                    event=event,
                    form_oid=ref.form,
                    definition_version=trial.version,
                    status=FormStatus.COMPLETE,
                )
                for ref in planned.forms
                if not trial.definition.form(ref.form).repeating
            )


def questionnaire_page(trial: Trial, rounds: int) -> Ratio:
    """One question on a participant's phone; the floor as above."""
    staff, phone = Client(), Client()
    with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"]):
        staff.force_login(trial.nurse, backend="allauth.account.auth_backends.AuthenticationBackend")
        subject = add_subjects(trial, 1, answered=False)[0].subject
        address = urlsplit(issue_link(event=_asked(trial, subject), channel=LinkChannel.CARD, by=trial.nurse).url).path
        phone.post(address, {"year": str(subject.birth_year)})
        phone.post(address, {"who": "alone"})
        question = f"{address}1/"
        assert b'name="item"' in phone.get(question).content
        times = in_turn(lambda: phone.get(question), lambda: staff.get("/empty/"), rounds=rounds)
    return Ratio("questionnaire page / empty view", *times, "ms", 6)


def _asked(trial: Trial, subject: Subject) -> StudyEvent:
    """A visit with a questionnaire by link, whose window is open."""
    today = local_today(trial.site.timezone)
    oid = next(event.oid for event in trial.definition.events if trial.definition.has_link(event.oid))
    with change_set(study=trial.study, by=trial.nurse, action="benchmark", site=trial.site):
        return StudyEvent.objects.create(
            study=trial.study, subject=subject, event_oid=oid, ordinal=2,
            target_on=today, window_from=today, window_to=today + timedelta(days=3),
        )  # fmt: skip


def autosave(trial: Trial, rounds: int) -> Ratio:
    """One field on its way: kept as a draft, committed, answered; nothing else of the page is sent."""
    client = Client()
    with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"]):
        client.force_login(trial.nurse, backend="allauth.account.auth_backends.AuthenticationBackend")
        address = f"{_address(trial, add_subjects(trial, 3)[1])}draft/"
        item = next(item.oid for item in trial.form.items if not item.derived)
        page = {"tab": uuid.uuid4().hex, "key": str(uuid.uuid4()), "seen": "1"}
        letters = cycle("abcdefgh")

        def keep() -> None:
            message = page | {"fields": {item: [f"Åse {next(letters)}", 0]}}
            answer = client.post(address, message, content_type="application/json")
            assert answer.status_code == 200, answer.content

        times = in_turn(keep, lambda: client.get("/empty/"), rounds=rounds)
    return Ratio("autosave of one field / empty view", *times, "ms", 6)


def _address(trial: Trial, event: StudyEvent) -> str:
    return reverse("form", args=[trial.study.oid, event.subject.number, *event.key, trial.form.oid, "1"])
