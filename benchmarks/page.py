"""What the page of a form costs, against an empty view behind the same middleware."""

from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path, reverse

from benchmarks.measure import Ratio, in_turn
from benchmarks.trial import Trial, add_subjects
from crf.models import StudyEvent


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


urlpatterns = [path("empty/", empty), path("", include("pallsoft.urls"))]


def form_page(trial: Trial, rounds: int) -> Ratio:
    event = add_subjects(trial, 1)[0]
    client = Client()
    with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"]):
        client.force_login(trial.nurse, backend="allauth.account.auth_backends.AuthenticationBackend")
        keys = {
            "study_oid": trial.study.oid,
            "number": event.subject.number,
            "event_oid": event.event_oid,
            "ordinal": 1,
        }
        address = reverse("form", kwargs=keys | {"form_oid": trial.form.oid, "repeat_key": "1"})
        assert client.get(address).status_code == client.get("/empty/").status_code == 200
        times = in_turn(lambda: client.get(address), lambda: client.get("/empty/"), rounds=rounds)
    return Ratio(f"page of {len(trial.form.items)} items / empty view", *times, "ms", 8)


def _place(trial: Trial, event: StudyEvent) -> dict[str, str | int]:
    subject = {"study_oid": trial.study.oid, "number": event.subject.number}
    return subject | {
        "event_oid": event.event_oid,
        "ordinal": event.ordinal,
        "form_oid": trial.form.oid,
        "repeat_key": "1",
    }
