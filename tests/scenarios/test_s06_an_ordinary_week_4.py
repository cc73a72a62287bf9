"""An ordinary week 4, entered through the page as a nurse types it (S06)."""

import re
import uuid

import pytest
from django.urls import reverse

from crf.models import FormData
from sites.models import Sex

pytestmark = pytest.mark.django_db


@pytest.fixture
def man(enrol, bodo):
    return enrol(bodo, birth_year=1950, sex=Sex.MALE)


@pytest.fixture
def page(sign_in, crc):
    return sign_in(crc, "nb")


@pytest.fixture
def send(page, man):
    """send("NRS", {...}): type into a form of week 4 and save; returns the page that follows."""

    def type_and_save(form_oid, typed, key="1", seen=0, event="W4"):
        url = reverse("form", args=[man.study.oid, man.number, event, 1, form_oid, key])
        page.get(url)
        return page.post(url, {"key": str(uuid.uuid4()), "seen_version": str(seen)} | typed, follow=True)

    return type_and_save


SCORES = {
    "NRS_ON": "15.9.26",
    "NRS_WHO": "ALONE",
    "NRS_MODE": "PHONE",
    "NRS_LANG": "NB",
    "NRS_INTP": "N",
    "NRS_PAIN": "7",
    "NRS_BLEED": "0",
    "NRS_BOWEL": "2",
    "NRS_URIN": "1",
}


def test_five_scores_by_telephone_and_not_applicable_by_rule_for_a_man(send, man):
    answer = send("NRS", SCORES)
    form = FormData.objects.get(subject=man, form_oid="NRS")
    assert form.data["NRS_ON"] == "2026-09-15" and form.data["NRS_MODE"] == "PHONE"
    assert form.data["NRS_BLEED"] == "0"
    assert form.marks["NRS_VAG"] == {"missing": "NA", "by_rule": "yes"}
    assert form.marks["NRS_ON"] == {"entered": "15.9.26"}
    assert "15.09.2026" in answer.content.decode()


def test_a_man_is_not_asked_the_vaginal_score(page, man):
    html = page.get(reverse("form", args=[man.study.oid, man.number, "W4", 1, "NRS", "1"])).content.decode()
    assert 'name="NRS_VAG"' not in html and 'name="NRS_PAIN"' in html


@pytest.mark.req("DAT-06")
@pytest.mark.parametrize("dose", ["12,5", "12.5"])
def test_an_opioid_dose_with_comma_or_point(send, man, dose):
    send("CM", {"CM_OPI": "Y"})
    send("OPI", {"OPI_DRUG": "MORPHINE_PO", "OPI_DOSE": dose}, key="new")
    form = FormData.objects.get(subject=man, form_oid="OPI")
    assert form.data["OPI_DOSE"] == "12.5"
    assert form.marks.get("OPI_DOSE", {}).get("entered") == ("12,5" if dose == "12,5" else None)


def test_an_ambiguous_dose_is_refused_with_the_text_kept(send, man):
    html = send("OPI", {"OPI_DRUG": "MORPHINE_PO", "OPI_DOSE": "1.234"}, key="new").content.decode()
    assert re.search(r'name="OPI_DOSE" value="1\.234"', html)
    assert not FormData.objects.filter(subject=man, form_oid="OPI").exists()


def test_nothing_is_asked_for_a_reason_before_the_form_was_saved_once(send):
    assert 'name="reason"' not in send("NRS", SCORES).content.decode()


def test_earlier_scores_are_hidden_while_a_score_is_asked(send, page, man):
    send("NRS", SCORES | {"NRS_PAIN": "9"})
    send("NRS", SCORES | {"NRS_PAIN": "8", "reason": "misheard"}, seen=1)
    html = page.get(reverse("form", args=[man.study.oid, man.number, "W4", 1, "NRS", "1"])).content.decode()
    assert "item-old" not in html
    html = page.get(reverse("form", args=[man.study.oid, man.number, "W8", 1, "NRS", "1"])).content.decode()
    assert not re.search(r'name="NRS_PAIN" value="\d+"[^>]* checked', html)


def test_the_last_visits_answers_are_offered_for_a_form_of_the_staff(send, page, man):
    send("EC", {"EC_ECOG": "2"})
    url = reverse("form", args=[man.study.oid, man.number, "W8", 1, "EC", "1"])
    offer = re.search(r'href="(\?from=[^"]*)"', page.get(url).content.decode()).group(1)
    assert re.search(r'name="EC_ECOG" value="2"[^>]* checked', page.get(url + offer).content.decode())
    assert FormData.objects.filter(subject=man, form_oid="EC").count() == 1


MORPHINE = {"OPI_DRUG": "MORPHINE_PO", "OPI_DOSE": "12,5", "OPI_N": "2"}


def list_of(man, event="W4"):
    return reverse("form-list", args=[man.study.oid, man.number, event, 1, "OPI"])


def hidden(html):
    return {name: re.search(rf'name="{name}" value="([^"]*)"', html).group(1) for name in ("key", "seen")}


@pytest.fixture
def since_week_2(send):
    """Two opioids at week 2; week 4 says that opioids are taken."""
    send("CM", {"CM_OPI": "Y"}, event="W2")
    send("OPI", MORPHINE, key="new", event="W2")
    send("OPI", {"OPI_DRUG": "OXYCODONE_PO", "OPI_DOSE": "5", "OPI_N-missing": "UNK"}, key="new", event="W2")
    send("CM", {"CM_OPI": "Y"})


def test_the_last_opioids_are_offered_as_unchanged_and_taken_over_by_one_press(since_week_2, page, man):
    html = page.get(list_of(man)).content.decode()
    assert "Uendret siden Uke 2" in html and "Ganger per døgn: 2" in html
    sent = hidden(html)
    for _ in range(2):
        assert page.post(list_of(man), sent).status_code == 302
    rows = FormData.objects.filter(subject=man, form_oid="OPI", event__event_oid="W4").order_by("repeat_key")
    assert [(row.repeat_key, row.data["OPI_DRUG"], row.data["OPI_DOSE"]) for row in rows] == [
        ("1", "MORPHINE_PO", "12.5"),
        ("2", "OXYCODONE_PO", "5"),
    ]
    assert rows[1].missing_codes == {"OPI_N": "UNK"}
    assert rows[0].data["OPI_OMED"] == "25.0", "computed anew, not copied"
    assert "Uendret siden" not in page.get(list_of(man)).content.decode()


def test_what_changed_since_it_was_shown_is_not_taken_over(since_week_2, send, page, man):
    sent = hidden(page.get(list_of(man)).content.decode())
    send("OPI", MORPHINE | {"OPI_DOSE": "20", "reason": "Hørt feil"}, key="1", seen=1, event="W2")
    answer = page.post(list_of(man), sent)
    assert answer.status_code == 422 and "endret i mellomtiden" in answer.content.decode()
    assert not FormData.objects.filter(subject=man, form_oid="OPI", event__event_oid="W4").exists()


def test_nothing_is_offered_before_there_is_anything(send, page, man):
    send("CM", {"CM_OPI": "Y"})
    assert "Uendret siden" not in page.get(list_of(man)).content.decode()


def test_toxicity_tells_since_when_it_looks_back(send, page, man):
    url = reverse("form", args=[man.study.oid, man.number, "W8", 1, "TOX", "1"])
    assert "fylles ut for første gang" in page.get(url).content.decode()
    send("TOX", {"TOX_DIARR": "1"})
    assert "Forrige gang: Uke 4" in page.get(url).content.decode()


def test_a_removed_entry_stays_in_the_list_with_who_and_why(send, page, man, crc):
    send("CM", {"CM_OPI": "Y"})
    send("OPI", MORPHINE, key="new")
    page.post(reverse("form-void", args=[man.study.oid, man.number, "W4", 1, "OPI", "1"]), {"reason": "Feil pasient"})
    html = page.get(list_of(man)).content.decode()
    assert "1 fjernet registrering" in html and "Feil pasient" in html and crc.full_name in html
    send("OPI", MORPHINE, key="new")
    keys = (
        FormData.objects.filter(subject=man, form_oid="OPI").order_by("repeat_key").values_list("repeat_key", flat=True)
    )
    assert list(keys) == ["1", "2"], "the number of a removed entry is never given again"
