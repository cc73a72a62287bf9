"""The time slider: a page of then is what the page showed then, and the whole trail replayed is the tables."""

import re

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from crf.models import Deviation, FormData, StudyEvent
from crf.selectors.as_of import LAST, looking_back, subject_slider
from crf.services import NEW, mark_not_done, void_form
from pallsoft.audit.exemptions import REGULATED, UNTRAILED_COLUMNS
from pallsoft.audit.models import Seal
from sites.models import Subject
from sites.selectors import definition_at
from sites.services import withdraw_consent_option

pytestmark = pytest.mark.django_db(transaction=True)


def form_url(subject, event="START-1", form="BASE", repeat="1"):
    event_oid, _dash, ordinal = event.partition("-")
    return reverse("form", args=[subject.study.oid, subject.number, event_oid, ordinal, form, repeat])


def subject_url(subject):
    return reverse("subject", args=[subject.study.oid, subject.number])


def matrix(page):
    """{(visit, form): (status, words)} as the page drew it."""
    shown = page.context["matrix"].visits
    return {(v.event.key, oid): (c.status, c.text) for v in shown for oid, c in v.cells.items()}


def strip(page):
    return [(str(fact["label"]), str(fact["value"])) for fact in page.context["strip"].facts]


def answers(page):
    return {i["oid"]: (str(i["value"]), i["missing"], i["hidden"]) for i in page.context["page"].items}


def last_seal(subject):
    return Seal.objects.filter(study_id=subject.study_id).latest("n").n


@pytest.fixture
def life(subject, save, visit, row, crc, sign_in):
    """A subject who goes through everything that changes a page; [(seal, what the two pages showed then)]."""
    client = sign_in(crc)
    option = subject.consent_options.filter(granted=True).last()
    first = {"BASE_WEIGHT": "70", "BASE_HEIGHT": "180", "BASE_TEXT": "blåbær på ø", "BASE_SMOKES": "Y"}
    steps = [
        lambda: save("START", "BASE", first),
        lambda: save("START", "BASE", {"BASE_DAILY": "10"}),
        lambda: save("START", "BASE", {"BASE_WEIGHT": "71.5"}, reason="lest feil"),
        lambda: save("START", "BASE", {"BASE_SMOKES": "N"}, reason="røyker ikke"),  # the ten cigarettes are set aside
        lambda: save("START", "BASE", missing={"BASE_TEXT": "UNK"}, reason="uleselig"),
        lambda: save("WK2", "SCORE", {"SCORE_PAIN": "6"}),
        lambda: save("ALWAYS", "EVENTS", {"EVENTS_TERM": "Kvalme"}, repeat_key=NEW),
        lambda: mark_not_done(event=visit("WK4"), reason="reiste bort", by=crc),
        lambda: void_form(form=row("WK2", "SCORE"), by=crc, reason="feil uke"),
        lambda: withdraw_consent_option(option=option, withdrawn_at=timezone.now(), by=crc, reason="vil ikke"),
    ]
    shown = []
    for step in steps:
        step()
        page, form = client.get(subject_url(subject)), client.get(form_url(subject))
        shown.append((last_seal(subject), matrix(page), strip(page), answers(form)))
    return shown


@pytest.mark.req("AUD-09")
def test_a_page_of_then_is_what_the_page_showed_then(life, subject, crc, sign_in):
    client = sign_in(crc)
    assert len({seal for seal, *_shown in life}) == len(life)
    for seal, cells, facts, form in life:
        page = client.get(subject_url(subject), {"as_of": seal})
        assert (matrix(page), strip(page)) == (cells, facts), seal
        assert answers(client.get(form_url(subject), {"as_of": seal})) == form, seal


COLUMNS = """
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = ('public.' || %s)::regclass AND attnum > 0 AND NOT attisdropped AND NOT attname = ANY (%s)
"""


def stored(cursor, table, subject):
    """Trailed columns of a subject's rows in the table that a query without a schema finds, by id."""
    own = "id = %s" if table == "sites_subject" else "subject_id = %s"
    cursor.execute(COLUMNS, [table, sorted(UNTRAILED_COLUMNS.get(table, ()))])
    (columns,) = cursor.fetchone()
    cursor.execute(f"SELECT {columns} FROM {table} WHERE {own} ORDER BY id", [subject.pk])
    return cursor.fetchall()


def tables_of_subjects():
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.columns WHERE column_name = 'subject_id'")
        return sorted(({name for (name,) in cursor.fetchall()} & REGULATED) | {"sites_subject"})


@pytest.mark.req("AUD-09")
def test_the_whole_trail_replayed_is_every_table_of_the_subject(life, subject, crc):
    tables = tables_of_subjects()
    assert {"crf_formdata", "crf_studyevent", "crf_signature", "crf_verification", "sites_consent"} <= set(tables)
    with connection.cursor() as cursor:
        now = {table: stored(cursor, table, subject) for table in tables}
        assert all(now[table] for table in ("crf_formdata", "crf_studyevent", "sites_consent", "sites_consentoption"))
        with transaction.atomic():
            cursor.execute("SELECT audit.look_back(%s, %s)", [subject.pk, last_seal(subject)])
            cursor.execute("SELECT count(*) FROM pg_class WHERE relname = 'crf_formdata'")
            assert cursor.fetchone() == (2,)  # the one that is read first is not the real one
            assert {table: stored(cursor, table, subject) for table in tables} == now


@pytest.mark.req("AUD-07")
def test_the_whole_trail_replayed_is_every_regulated_table(life):
    """Forwards, in SQL, against each table, as far as the application may read its columns."""
    filled = set()
    with connection.cursor() as cursor:
        cursor.execute("SET timezone = 'UTC'")
        for table in sorted(REGULATED):
            cursor.execute(COLUMNS, [table, sorted(UNTRAILED_COLUMNS.get(table, ()))])
            (columns,) = cursor.fetchone()
            cursor.execute(f"SELECT id, to_jsonb(t)::text FROM (SELECT {columns} FROM {table}) t ORDER BY id")
            now = cursor.fetchall()
            cursor.execute("SELECT row_id, doc::text FROM audit.replay(%s) ORDER BY row_id", [table])
            assert cursor.fetchall() == now, table
            filled |= {table} if now else set()
    assert {"crf_formdata", "crf_studyevent", "sites_consent", "sites_subject", "accounts_user"} <= filled


def test_nothing_can_be_written_while_one_looks_back(life, subject, crc):
    study = definition_at(subject.site)
    slider = subject_slider({"as_of": LAST}, subject, study, crc)
    with pytest.raises(DatabaseError, match="permission denied"), looking_back(subject, slider):
        StudyEvent.objects.update(not_done_reason="x")
    before = FormData.objects.count()
    with pytest.raises(DatabaseError, match="permission denied"), looking_back(subject, slider):
        Deviation.objects.all().delete()
    assert FormData.objects.count() == before > 0


def test_afterwards_everything_is_as_it_is_now(life, subject, crc):
    study = definition_at(subject.site)
    slider = subject_slider({"step": "1"}, subject, study, crc)
    with looking_back(subject, slider):
        assert not FormData.objects.exists()
        assert Subject.objects.count() == 1
    assert FormData.objects.count() == 3


def test_the_banner_says_which_moment_it_is_in_the_time_of_the_site(life, subject, crc, sign_in):
    page = sign_in(crc, "nb").get(form_url(subject), {"as_of": life[0][0]})
    words = re.sub(r"\s+", " ", page.content.decode())
    assert re.search(r"Slik det var \d{1,2}\. \w+\.? \d{4} kl\. \d\d\.\d\d", words)
    assert 'type="range"' in words
    assert "<textarea" not in words and 'name="key"' not in words  # nothing to enter


def test_the_slider_walks_step_by_step_to_both_ends(life, subject, crc, sign_in):
    client = sign_in(crc)
    url = form_url(subject)
    first = client.get(url, {"step": 1}).context["slider"]
    assert (first.step, first.previous, first.next.step) == (1, None, 2)
    last = client.get(url, {"step": 999_999_999}).context["slider"]
    assert (last.step, last.next) == (len(last.moments), None) and last.previous.step == last.step - 1
    assert len(first.moments) == 5  # the five saves of this form, and no other change of the subject


EARLY, NONE = ["01.01.2020 10:00", "1", "2020-01-01"], ["i går", "32.13.2026 10:00", "9" * 41, "<script>", "-5", "١"]


def test_what_cannot_be_shown_is_told(life, subject, crc, sign_in):
    client = sign_in(crc, "en")
    for asked in EARLY:
        page = client.get(form_url(subject), {"as_of": asked})
        assert (page.status_code, "Nothing was stored yet then" in page.content.decode()) == (422, True), asked
    for asked in NONE:
        page = client.get(subject_url(subject), {"as_of": asked})
        assert (page.status_code, bool(page.context["slider"].error)) == (422, True), asked
    page = client.get(form_url(subject), {"as_of": "01.01.2099 14:32"})
    assert page.context["slider"].chosen == page.context["slider"].moments[-1]


@pytest.mark.req("AUD-11")
def test_moments_that_would_tell_the_arm_are_not_shown_to_who_may_not_see_it(
    subject, save, crc, data_manager, definition
):
    hidden = next(form for form in definition.study.forms if any(item.reveals_arm for item in form.items))
    event = next(event for event in definition.study.events if any(ref.form == hidden.oid for ref in event.forms))
    study, missing = definition_at(subject.site), {item.oid: "UNK" for item in hidden.items if item.required}

    def moments(user):
        return len(subject_slider({"as_of": LAST}, subject, study, user).moments)

    save(event.oid, hidden.oid, missing=missing, repeat_key=NEW)  # dates the visit, which everybody sees
    told, whole = moments(data_manager), moments(crc)
    save(event.oid, hidden.oid, missing=missing, repeat_key=NEW)
    assert (moments(data_manager), moments(crc)) == (told, whole + 1)
