"""PRV-02: what is known of a patient and of the staff stands on pages only. A canary is looked for everywhere else."""

import base64
import io
import json
import logging
import re
import uuid

import pytest
import redis
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from crf.exports.jobs import path_of
from crf.models import ExportJob, FormData
from crf.tasks import make_export
from pallsoft.outbox.models import Message
from pallsoft.outbox.services import send_due
from randomization.services import randomize
from tests.fixtures.ready_for_pallsoft import pallsoft_list, screened  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("PRV-02")]
CANARY = "Kanarifuglsang"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
TYPED = {"CH_GROUP": "GI", "CH_HIST": "OTHER", "CH_HISTX": CANARY}


@pytest.fixture
def patient(screened):  # noqa: F811
    return screened("GI", "PAIN")


@pytest.fixture
def private(patient, crc, pi, investigator, outsider):
    """What must not be found: the typed text, the year of birth, names and mail addresses of the staff."""
    staff = [crc, pi, investigator, outsider]
    names = [part for person in staff for part in person.full_name.split() if len(part) > 4]
    return [CANARY, str(patient.birth_year), *names, *(person.email for person in staff)]


UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


def found_in(private, text):
    """Whole numbers, and words anywhere. Not in random keys, where the digits of a year stand by chance."""
    told = UUID.sub("", text.lower())
    return [
        word for word in private if re.search(rf"\b{word}\b" if word.isdecimal() else re.escape(word.lower()), told)
    ]


def test_a_year_is_found_and_not_in_a_random_key():
    assert found_in(["1944"], "born 1944-02-01") == ["1944"] == found_in(["1944"], '{"year": 1944}')
    assert found_in(["1944"], "id a9194480-1944-4a3b-8194-194419441944 of gen19441@vm") == []
    assert found_in([CANARY], f"x{CANARY.upper()}x") == [CANARY]


@pytest.fixture
def log(monkeypatch):
    """log(): what the product's own handler has written, as it would stand in the file."""
    (console,) = (one for one in logging.getLogger().handlers if one.get_name() == "console")
    written = io.StringIO()
    monkeypatch.setattr(console, "stream", written)
    return written.getvalue


@pytest.fixture
def browser():
    """browser(user): keeps every answer in `browser.answers`."""

    def sign_in(user):
        client = Client(raise_request_exception=False)
        client.force_login(user, backend=BACKEND)
        client.cookies["language"] = "nb"

        def asked(method, url, *arguments, **more):
            answer = getattr(client, method)(url, *arguments, **more)
            sign_in.answers.append(answer)
            return answer

        return asked

    sign_in.answers = []
    return sign_in


@pytest.fixture
def form(patient):
    return reverse("form", args=["PALLSOFT", patient.number, "SCREEN", 1, "CH", "1"])


def typed(**more):
    return {"key": str(uuid.uuid4()), "seen_version": "1", "reason": CANARY} | TYPED | more


@pytest.fixture
def a_day(patient, form, browser, crc, monitor, outsider):
    """Saved, refused for a fault, met by a conflict, forbidden, not found, searched for, read back."""
    nurse, reader, foreigner = browser(crc), browser(monitor), browser(outsider)
    outcomes = [
        nurse("post", form, typed()),
        nurse("post", form, typed(CH_SURG=CANARY, observed_at=CANARY)),
        nurse("post", form, typed(CH_HISTX=f"{CANARY} to")),
        reader("post", form, typed()),
        foreigner("post", form, typed()),
        foreigner("get", form),
        nurse("get", f"/s/PALLSOFT/{CANARY.lower()[:4]}/"),
        nurse("get", reverse("form-trail", args=["PALLSOFT", patient.number, "SCREEN", 1, "CH", "1"])),
        nurse("get", reverse("subject", args=["PALLSOFT", patient.number])),
        nurse("get", reverse("users", args=["PALLSOFT"])),
    ]
    assert [answer.status_code for answer in outcomes] == [302, 422, 409, 403, 404, 404, 404, 200, 200, 403]
    assert FormData.objects.get(form_oid="CH").data["CH_HISTX"] == CANARY
    return browser.answers


def test_no_line_of_the_log_holds_it(log, a_day, private):
    assert "/s/PALLSOFT/" in log(), "something was written"
    assert found_in(private, log()) == []


def test_nor_does_a_row_that_the_database_refuses(log, patient, browser, crc, private, owner):
    """PostgreSQL's own text of the error shows the beginning of each column."""
    event = reverse("form", args=["PALLSOFT", patient.number, "LOG", 1, "AE", "new"])
    with owner.cursor() as cursor:
        cursor.execute("ALTER TABLE crf_formdata ADD CONSTRAINT broken CHECK (form_oid <> 'AE') NOT VALID")
        try:
            answer = browser(crc)("post", event, {"key": str(uuid.uuid4()), "seen_version": "0", "AE_TERM": CANARY})
        finally:
            cursor.execute("ALTER TABLE crf_formdata DROP CONSTRAINT broken")
    assert answer.status_code == 500 and found_in(private, answer.content.decode()) == []
    assert "IntegrityError" in log() and "saving.py" in log(), "where it went wrong is told"
    assert found_in(private, log()) == []


def test_the_log_of_the_database_tells_neither_statement_nor_row():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('log_min_error_statement'), current_setting('log_error_verbosity')")
        assert cursor.fetchone() == ("panic", "terse")


def test_no_address_holds_it(a_day, private):
    addresses = [answer.wsgi_request.get_full_path() for answer in a_day] + [a.get("Location", "") for a in a_day]
    for answer in a_day:
        addresses += re.findall(r'(?:href|action|src|hx-\w+)="([^"]*)"', answer.content.decode())
    assert len(addresses) > 50
    assert [address for address in addresses if found_in(private, address)] == []


@pytest.fixture
def randomized(patient, crc):
    return randomize(subject=patient, key=uuid.uuid4(), by=crc, typed_number=patient.number)


def test_no_mail_holds_it_in_its_subject_or_what_was_typed_in_its_text(randomized, a_day, private):
    send_due()
    told = [one for one in mail.outbox if randomized.subject.number in one.body]
    assert told
    for message in told:
        assert found_in(private, message.subject) == [] and found_in(private[:2], message.body) == []


def test_what_is_owed_holds_ids_only(randomized, private):
    rows = json.dumps(list(Message.objects.values()), default=str)
    assert str(randomized.subject_id) in rows
    assert found_in(private, rows) == []


def test_what_celery_carries_and_the_files_it_makes_hold_ids_only(
    settings, tmp_path, randomized, a_day, browser, data_manager, private
):
    settings.EXPORT_DIR = tmp_path
    assert browser(data_manager)("post", reverse("export", args=["PALLSOFT"])).status_code == 302
    job = ExportJob.objects.get()
    carried = [payload(one) for one in redis.Redis.from_url(settings.REDIS_URL).lrange("celery", 0, -1)]
    assert any(str(job.pk) in one for one in carried) and any("outbox.relay" in one for one in carried)
    assert [one for one in carried if found_in(private, one)] == []
    make_export(str(job.pk))
    job.refresh_from_db()
    assert path_of(job).exists() and found_in(private, path_of(job).name) == []


def payload(message):
    """Headers and body of a message as the broker has it."""
    whole = json.loads(message)
    return json.dumps(whole["headers"]) + base64.b64decode(whole["body"]).decode()
