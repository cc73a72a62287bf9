"""The page of a form: shows, saves, asks, and never loses what was typed."""

import re
import uuid
from datetime import date, timedelta

import pytest
from django.urls import reverse

from crf.models import FormData, Request, StudyEvent
from pallsoft.audit.context import change_set
from pallsoft.audit.models import Access, ItemChange
from sites.clock import local_today
from sites.models import Assignment, Role

TYPED = {"BASE_WEIGHT": "70,5", "BASE_HEIGHT": "175", "BASE_ORGAN": "GUT", "BASE_SMOKES": "N"}


@pytest.fixture
def url(subject):
    def make(event="START", form="BASE", key="1", name="form", ordinal=1):
        return reverse(name, args=[subject.study.oid, subject.number, event, ordinal, form, key])

    return make


@pytest.fixture
def page(sign_in, crc):
    """The study nurse's browser, in English."""
    return sign_in(crc, "en")


@pytest.fixture
def post(page, url):
    def send(typed, *, seen=0, event="START", form="BASE", key="1", follow=False, **more):
        data = {"key": str(uuid.uuid4()), "seen_version": str(seen)} | typed
        return page.post(url(event, form, key), data, follow=follow, **more)

    return send


def field(html, name):
    """What stands in a text field."""
    return re.search(rf'name="{name}" value="([^"]*)"', html).group(1)


def test_pc047_looking_at_a_form_creates_nothing(page, url):
    assert page.get(url()).status_code == 200
    assert not StudyEvent.objects.exists() and not FormData.objects.exists()


@pytest.mark.req("AUD-12")
def test_looking_at_a_form_is_in_the_access_log(page, url, subject, crc):
    page.get(url())
    assert Access.objects.filter(subject_id=subject.pk, user_id=crc.pk, ok=True).exists()


@pytest.mark.req("DAT-01")
def test_a_saved_form_says_when_and_reads_back(post, row):
    answer = post(TYPED | {"BASE_ON": "1.9.26", "BASE_SINCE": "UN.08.2026"}, follow=True)
    html = answer.content.decode()
    assert re.search(r"Saved \d\d:\d\d\.", html)
    assert "Date: 01.09.2026" in html and "Ill since: 08.2026" in html
    assert field(html, "BASE_ON") == "01.09.2026"
    assert row("START", "BASE").data["BASE_WEIGHT"] == "70.5"


@pytest.mark.req("DAT-06")
@pytest.mark.parametrize("typed", ["36,6", "36.6"])
@pytest.mark.parametrize("language", ["nb", "en"])
def test_pc019_comma_and_point_store_the_same_in_both_languages(page, post, row, typed, language):
    page.cookies["language"] = language
    post({"BASE_WEIGHT": typed})
    assert row("START", "BASE").data["BASE_WEIGHT"] == "36.6"


def test_pc019_what_is_refused_stays_in_its_field_with_a_sentence(post, row):
    answer = post({"BASE_WEIGHT": "1.234", "BASE_HEIGHT": "175"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert field(html, "BASE_WEIGHT") == "1.234" and field(html, "BASE_HEIGHT") == "175"
    assert "This can be read in two ways" in html
    assert row("START", "BASE") is None


def test_pc020_no_field_has_a_spinner_that_a_wheel_could_turn(page, url):
    for form in ("BASE", "SCORE"):
        assert 'type="number"' not in page.get(url(form=form)).content.decode()
        assert 'type="range"' not in page.get(url(form=form)).content.decode()


def test_pc029_nothing_is_entered_in_a_dialog_that_a_click_outside_closes(page, url):
    html = page.get(url()).content.decode()
    assert "data-dismiss" not in html
    assert not any('name="BASE_' in dialog for dialog in re.findall(r"<dialog.*?</dialog>", html, re.DOTALL))
    assert 'name="BASE_TEXT"' in html


@pytest.mark.req("AUD-04")
def test_a_changed_answer_asks_for_one_reason_in_the_page(post, row):
    post(TYPED)
    answer = post(TYPED | {"BASE_WEIGHT": "71", "BASE_ORGAN": "BLADDER"}, seen=1)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert html.count('name="reason"') == 1
    assert "70.5 kg" in html and "71 kg" in html and "Bladder" in html
    assert row("START", "BASE").data["BASE_WEIGHT"] == "70.5"
    post(TYPED | {"BASE_WEIGHT": "71", "BASE_ORGAN": "BLADDER", "reason": "misread"}, seen=1)
    assert row("START", "BASE").data["BASE_ORGAN"] == "BLADDER"


@pytest.mark.req("AUD-13")
def test_a_soft_check_asks_why_in_the_page(post, row):
    html = post(TYPED | {"BASE_WEIGHT": "210"}).content.decode()
    assert "The weight is unusually high." in html
    assert field(html, "BASE_WEIGHT") == "210"
    post(TYPED | {"BASE_WEIGHT": "210", "why-BASE_C1": "weighed twice"})
    assert row("START", "BASE").marks["BASE_WEIGHT"] == {"checks": {"BASE_C1@1": "weighed twice"}}


@pytest.mark.req("DAT-02")
def test_s12_two_versions_stand_side_by_side_and_nothing_is_lost(post, row, save, investigator):
    post({"BASE_HEIGHT": "175"})
    save("START", "BASE", {"BASE_WEIGHT": "70", "BASE_ORGAN": "GUT"}, by=investigator)
    answer = post({"BASE_HEIGHT": "175", "BASE_WEIGHT": "71", "BASE_ORGAN": "", "BASE_TEXT": "mine"}, seen=1)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert investigator.full_name in html and "70 kg" in html and "71 kg" in html
    assert field(html, "BASE_TEXT") == "mine" and field(html, "seen_version") == "2"
    assert re.search(r'value="GUT"[^>]* checked', html), "their other answer is merged into the page"
    again = {"BASE_HEIGHT": "175", "BASE_WEIGHT": "71", "BASE_ORGAN": "GUT", "BASE_TEXT": "mine"}
    post(again | {"keep-BASE_WEIGHT": "theirs"}, seen=2)
    assert row("START", "BASE").data["BASE_WEIGHT"] == "70"
    assert row("START", "BASE").data["BASE_TEXT"] == "mine"


@pytest.mark.req("DAT-03")
def test_pc046_the_same_post_twice_is_one_change(post, row):
    same = {"key": str(uuid.uuid4()), "EVENTS_TERM": "fall"}
    answers = [post(same, event="ALWAYS", form="EVENTS", key="new") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert FormData.objects.filter(form_oid="EVENTS").count() == 1


@pytest.mark.req("DAT-03")
def test_the_same_key_with_other_content_is_409_and_keeps_the_text(post):
    key = {"key": str(uuid.uuid4())}
    post(key | {"BASE_WEIGHT": "70"})
    answer = post(key | {"BASE_WEIGHT": "71"}, seen=0)
    assert answer.status_code == 409
    assert field(answer.content.decode(), "BASE_WEIGHT") == "71"


def test_pc038_after_reload_the_shown_items_are_those_of_the_rules(post, page, url):
    post(TYPED | {"BASE_SMOKES": "Y", "BASE_DAILY": "10"})
    shown = field(page.get(url()).content.decode().replace('id="shown" ', ""), "shown").split()
    assert "BASE_DAILY" in shown and "BASE_UTERUS" in shown
    post({"BASE_SMOKES": "N", "reason": "misheard"}, seen=1)
    html = page.get(url()).content.decode()
    assert re.search(r'id="item-BASE_DAILY" hidden', html)


def test_a_preview_stores_nothing_and_sends_what_is_shown_otherwise(page, url):
    data = TYPED | {"BASE_SMOKES": "Y", "shown": "BASE_WEIGHT BASE_HEIGHT BASE_SMOKES", "BASE_WEIGHT": "70,5"}
    answer = page.post(url(name="form-preview"), data)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert 'id="item-BASE_DAILY" hx-swap-oob="true"' in html
    assert 'id="item-BASE_WEIGHT"' not in html, "what the person may be typing in is left alone"
    assert "23.0" in html
    assert not FormData.objects.exists() and not Request.objects.exists()


def test_a_value_and_a_missing_reason_together_are_refused(post):
    html = post({"BASE_WEIGHT": "70", "BASE_WEIGHT-missing": "ND"}).content.decode()
    assert "not both" in html


@pytest.mark.req("DAT-05")
def test_missing_codes_are_read_from_both_kinds_of_field(post, row):
    post({"BASE_WEIGHT": "", "BASE_WEIGHT-missing": "ND", "BASE_ORGAN": "missing:UNK"})
    assert row("START", "BASE").missing_codes["BASE_WEIGHT"] == "ND"
    assert row("START", "BASE").missing_codes["BASE_ORGAN"] == "UNK"


def test_lines_of_a_long_text_are_stored_as_typed_and_looking_changes_nothing(post, row, page, url):
    post({"BASE_LONG": "første\r\nandre "})
    assert row("START", "BASE").data["BASE_LONG"] == "første\nandre "
    post({"BASE_LONG": "første\r\nandre "}, seen=1)
    assert row("START", "BASE").version == 1


@pytest.mark.req("PRV-07")
def test_a_national_identity_number_in_free_text_is_asked_about(post, row):
    typed = {"BASE_TEXT": "see 03851598730"}
    answer = post(typed)
    assert answer.status_code == 422 and 'name="not-identity"' in answer.content.decode()
    post(typed | {"not-identity": "on"})
    assert row("START", "BASE").data["BASE_TEXT"] == "see 03851598730"


@pytest.mark.req("DAT-17")
def test_observation_time_is_typed_on_the_clock_of_the_site(post, row):
    post({"BASE_WEIGHT": "70", "observed_at": "01.09.2026 14.32"})
    assert row("START", "BASE").observed_at.isoformat() == "2026-09-01T12:32:00+00:00"
    assert row("START", "BASE").event.happened_on == date(2026, 9, 1)


@pytest.mark.parametrize("typed", ["29.03.2026 02:30", "25.10.2026 02:30", "01.09.2036 12:00", "i går"])
def test_an_observation_time_that_cannot_be_is_refused_and_kept(post, typed):
    answer = post({"BASE_WEIGHT": "70", "observed_at": typed})
    assert answer.status_code == 422
    assert re.search(rf'name="observed_at" value="{re.escape(typed)}"', answer.content.decode())


def test_a_reader_sees_values_without_fields(save, sign_in, monitor, url):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    html = sign_in(monitor).get(url()).content.decode()
    assert "70" in html and 'name="BASE_WEIGHT"' not in html


@pytest.mark.req("DAT-10")
@pytest.mark.parametrize(("left", "status"), [(Role.MONITOR, 403), (None, 404)])
def test_pc023_whose_rights_were_taken_while_typing_is_told_so_and_can_copy_the_text(post, crc, bodo, left, status):
    with change_set(study=bodo.study, by=None, action="test", reason="slutter"):
        yesterday = local_today(bodo.timezone) - timedelta(days=1)
        Assignment.objects.filter(user=crc).update(valid_from=yesterday, valid_until=yesterday)
        if left:
            Assignment.objects.create(
                study=bodo.study, user=crc, role=left, site=bodo, valid_from=local_today(bodo.timezone)
            )
    answer = post({"BASE_TEXT": "Åse «fra» Kárášjohka", "csrfmiddlewaretoken": "hemmelig"})
    html = answer.content.decode()
    assert answer.status_code == status and not FormData.objects.exists()
    assert "Åse «fra» Kárášjohka" in html and "hemmelig" not in html
    assert ("Your role does not allow this" if left else "Nothing was stored") in html


@pytest.mark.req("DAT-10")
def test_pc031_where_the_server_refuses_one_value_the_page_says_not_saved_and_says_where(post, row):
    answer = post({"BASE_TEXT": "Åse", "BASE_WEIGHT": "1.234"})
    html = answer.content.decode()
    assert answer.status_code == 422 and row("START", "BASE") is None, "not the other values either"
    assert "Saved " not in html and field(html, "BASE_TEXT") == "Åse" and field(html, "BASE_WEIGHT") == "1.234"
    assert 'href="#id_BASE_WEIGHT"' in html and 'aria-invalid="true"' in html.split('name="BASE_WEIGHT"')[1][:400]


def test_a_reader_who_posts_is_refused_and_nothing_is_stored(sign_in, monitor, url):
    answer = sign_in(monitor).post(url(), {"BASE_WEIGHT": "70", "key": str(uuid.uuid4()), "seen_version": "0"})
    assert answer.status_code == 403
    assert not FormData.objects.exists()


@pytest.mark.req("ACC-02")
@pytest.mark.parametrize("name", ["form", "form-preview", "form-patient", "form-trail", "form-void", "form-migrate"])
def test_another_sites_form_is_not_found(sign_in, outsider, url, name):
    browser = sign_in(outsider)
    assert browser.get(url(name=name)).status_code in {404, 405}
    assert browser.post(url(name=name), {}).status_code in {404, 405}


@pytest.mark.parametrize(
    "address",
    [
        ("START", "NOSUCH", "1"),
        ("NOSUCH", "BASE", "1"),
        ("WK4", "BASE", "1"),
        ("START", "BASE", "2"),
        ("START", "BASE", "new"),
        ("ALWAYS", "EVENTS", "7"),
    ],
)
def test_what_the_plan_does_not_have_is_not_found(page, url, address):
    assert page.get(url(*address)).status_code == 404


@pytest.mark.parametrize("ordinal", [2, 0, 99999])
def test_a_visit_that_was_never_planned_is_not_found(page, url, ordinal):
    assert page.get(url("WK2", "SCORE", ordinal=ordinal)).status_code == 404


def test_save_and_go_on_leads_to_the_next_form_of_the_visit(post, url):
    assert post(TYPED | {"go": "next"})["Location"] == url("START", "SCORE") + "#questions"


def test_the_patients_page_has_the_questions_alone(page, url, save, row):
    save("START", "SCORE", {"SCORE_PAIN": "8", "SCORE_VAGINAL": "1"})
    html = page.get(url("WK2", "SCORE", name="form-patient")).content.decode()
    assert "<nav" not in html and "SCORE_CHANGE" not in html
    assert html.index("SCORE_PAIN") < html.index("SCORE_VAGINAL")
    data = {"SCORE_PAIN": "5", "SCORE_VAGINAL": "missing:REF", "key": str(uuid.uuid4()), "seen_version": "0"}
    answer = page.post(url("WK2", "SCORE", name="form-patient"), data, follow=True)
    assert "Thank you" in answer.content.decode() or answer.status_code == 200
    assert row("WK2", "SCORE").data == {"SCORE_PAIN": "5", "SCORE_CHANGE": "-3"}


def test_a_void_form_offers_its_values_where_they_belong(post, page, url, subject, enrol, bodo):
    post({"BASE_WEIGHT": "70,5", "BASE_ORGAN": "missing:UNK"})
    other = enrol(bodo, birth_year=1955)
    answer = page.post(url(name="form-void"), {"reason": "wrong patient"})
    copy = page.get(answer["Location"], {"number": other.number}).content.decode()
    target = re.search(r'href="([^"]*from=[^"]*)"', copy).group(1)
    assert f"/{other.number}/events/START-1/forms/BASE/1/" in target
    html = page.get(target).content.decode()
    assert field(html, "BASE_WEIGHT") == "70.5"
    assert not FormData.objects.filter(subject=other).exists()


def test_a_form_is_not_removed_without_a_reason(post, page, url, row):
    post({"BASE_WEIGHT": "70"})
    assert page.post(url(name="form-void"), {"reason": " "}).status_code == 422
    assert row("START", "BASE") is not None


@pytest.mark.req("AUD-09")
def test_the_history_of_an_item_says_who_when_what_and_why(post, page, url, crc):
    post({"BASE_WEIGHT": "70"})
    post({"BASE_WEIGHT": "71", "reason": "misread <b>scale</b>"}, seen=1)
    html = page.get(url(name="form-trail") + "?item=BASE_WEIGHT").content.decode()
    for told in (crc.full_name, "70 kg", "71 kg", "misread &lt;b&gt;scale", "Europe/Oslo", "Study nurse"):
        assert told in html
    assert ItemChange.objects.filter(item="BASE_WEIGHT").count() == 1


@pytest.mark.req("AUD-11")
def test_the_history_holds_no_item_that_betrays_the_arm_for_who_may_not_see_it(save, sign_in, data_manager, crc, url):
    save("TREAT", "DOSE", {"DOSE_ON": "2026-09-01", "DOSE_GY": "8"}, repeat_key="new")
    assert sign_in(crc).get(url("TREAT", "DOSE", "1", name="form-trail")).status_code == 200
    assert sign_in(data_manager).get(url("TREAT", "DOSE", "1", name="form-trail")).status_code == 404
    assert sign_in(data_manager).get(url("TREAT", "DOSE", "1")).status_code == 404
