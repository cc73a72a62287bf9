"""A participant answers on a phone: the link, the year of birth, one question a page (S07, S08)."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from crf.epro.links import issue_link, link_for, may_issue
from crf.models import FormData, LinkChannel, PersonalLink
from crf.selectors.locks import Target
from crf.services import freeze
from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import NotAllowedNow, NotPermitted
from sites.services import record_death
from tests.fixtures.by_hand import enter
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from trials.consistency.links import links_fit

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"


@pytest.fixture
def patient(subject, plan, crc, today):
    """Week 4 is due, week 8 opens in a fortnight; the target symptom is bleeding."""
    enter(subject, crc, "SCREEN", "TS", {"TS_TARGET": "BLEED"})
    plan(subject, W4=0, W8=17)
    return subject


@pytest.fixture
def week_4(patient):
    return patient.events.select_related("subject__site", "subject__study").get(event_oid="W4")


@pytest.fixture
def issued(week_4, crc):
    return issue_link(event=week_4, channel=LinkChannel.SMS, by=crc)


class Phone(Client):
    """A browser that holds one link."""

    def __init__(self, url):
        super().__init__(HTTP_USER_AGENT=PHONE, HTTP_ACCEPT_LANGUAGE="nb")
        self.address = re.sub(r"^https?://[^/]+", "", url)

    def open(self, year="1949"):
        return self.post(self.address, {"year": year})

    def start(self, who="alone"):
        return self.post(self.address, {"who": who}, follow=True)

    def question(self, n):
        return self.get(f"{self.address}{n}/")

    def asked(self, n):
        """The item of question n, or "" when there is none."""
        found = re.search(r'name="item" value="(\w+)"', self.question(n).content.decode())
        return found[1] if found else ""

    def answer(self, item, value, n=1):
        return self.post(f"{self.address}{n}/", {"item": item, item: value})

    def answer_all(self, n=1, value="3"):
        """From question n on; choices get their first code."""
        while item := self.asked(n):
            page = self.question(n).content.decode()
            codes = re.findall(rf'type="radio" name="{item}" value="([^":]+)"', page)
            self.answer(item, codes[-1] if codes else value, n)
            n += 1


@pytest.fixture
def phone(issued):
    return Phone(issued.url)


def stored(patient, form="NRS"):
    return FormData.objects.filter(subject=patient, form_oid=form, event__event_oid="W4").first()


def test_the_target_symptom_comes_first_and_each_answer_is_kept_at_once(phone, patient):
    phone.open()
    phone.start()
    assert phone.asked(1) == "NRS_BLEED"
    answer = phone.answer("NRS_BLEED", "7")
    assert answer["Location"] == f"{phone.address}2/"
    row = stored(patient)
    assert row.data["NRS_BLEED"] == "7" and "NRS_PAIN" not in row.data
    assert {"NRS_MODE": "LINK", "NRS_WHO": "ALONE", "NRS_LANG": "NB"}.items() <= row.data.items()
    change = ChangeSet.objects.get(action="crf.answer_by_link")
    assert (change.actor_id, change.actor_name, change.role) == (None, patient.number, "participant")
    assert PersonalLink.objects.get().device == "phone"


def test_a_get_changes_nothing_however_often_a_scanner_opens_it(phone, issued, patient):
    for _ in range(3):
        assert Client().get(phone.address).status_code == 200
    assert phone.question(1)["Location"] == phone.address
    assert not stored(patient) and link_for(phone.address.split("/")[2]) == issued.link
    assert not ChangeSet.objects.filter(role="participant").exists()


def test_the_same_answer_twice_is_one_answer_and_another_takes_its_place(phone, patient):
    phone.open()
    phone.start()
    for _ in range(2):
        phone.answer("NRS_BLEED", "7")
    assert stored(patient).version == 1
    phone.answer("NRS_BLEED", "5")
    assert stored(patient).data["NRS_BLEED"] == "5"
    assert "før levering" in ChangeSet.objects.filter(action="crf.answer_by_link").latest("at").reason


def test_it_goes_on_at_the_first_open_question_on_another_device(phone, issued, patient):
    phone.open()
    phone.start()
    for n in (1, 2):
        phone.answer(phone.asked(n), "2", n)
    tablet = Phone(issued.url)
    assert tablet.question(3)["Location"] == tablet.address
    tablet.open()
    assert "Fortsett der du slapp" in tablet.get(tablet.address).content.decode()
    assert tablet.start("helped").redirect_chain[-1][0] == f"{tablet.address}3/"


def test_all_answered_and_handed_in_nothing_changes_any_more(phone, patient, week_4):
    phone.open()
    phone.start()
    phone.answer_all()
    assert phone.question(99)["Location"] == f"{phone.address}hand-in/"
    phone.post(f"{phone.address}hand-in/")
    assert "Takk" in phone.get(phone.address).content.decode()
    row = stored(patient)
    assert row.status == "complete" and stored(patient, "QLC").status == "complete"
    phone.answer("NRS_BLEED", "1")
    assert stored(patient).version == row.version
    assert PersonalLink.objects.get().asks_call is True  # the highest scores were answered
    assert not may_issue(week_4)


def test_an_answer_that_cannot_be_read_is_asked_again_and_an_empty_one_too(phone):
    phone.open()
    phone.start()
    for value in ("11", ""):
        answer = phone.answer("NRS_BLEED", value)
        assert answer.status_code == 422 and 'value="NRS_BLEED"' in answer.content.decode()


def test_rather_not_answer_is_an_answer(phone, patient):
    phone.open()
    phone.start()
    phone.answer("NRS_BLEED", "missing:REF")
    assert stored(patient).missing_codes["NRS_BLEED"] == "REF"


@pytest.mark.parametrize("item", ["NRS_WHO", "NRS_TGT", "TS_TARGET", "x"])
def test_nothing_but_the_questions_can_be_answered(phone, patient, item):
    phone.open()
    phone.start()
    phone.answer("NRS_BLEED", "7")
    before = stored(patient)
    assert phone.answer(item, "PROXY").status_code == 302
    assert stored(patient).data == before.data


def test_five_wrong_years_close_the_link_for_an_hour_and_the_site_is_told(phone, sign_in, crc):
    for _ in range(5):
        assert phone.open("1950").status_code == 422
    assert phone.open("1949").status_code == 422
    assert phone.question(1)["Location"] == phone.address
    assert "stengt til" in phone.get(phone.address).content.decode()
    assert "fødselsåret var feil 5 ganger" in sign_in(crc).get(reverse("worklist")).content.decode()


def test_the_year_opens_one_link_only(phone, week_4, crc):
    phone.open()
    url = issue_link(event=week_4, channel=LinkChannel.CARD, by=crc).url
    phone.address = re.sub(r"^https?://[^/]+", "", url)
    assert phone.question(1)["Location"] == phone.address


@pytest.mark.parametrize("rest", ["", "x/", "a" * 22 + "/", "a" * 22 + "/1/", "../s/PALLSOFT/", "%2569/"])
def test_whatever_is_wrong_with_a_link_the_page_is_the_same(client, study, rest):
    answer = client.get(f"/q/{rest}")
    assert answer.status_code == 200 and "Lenken kan ikke brukes" in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"


def test_after_a_death_all_links_end_at_once(phone, patient, crc, died, today):
    phone.open()
    phone.start()
    record_death(subject=patient, facts=died(today), by=crc)
    assert "Lenken kan ikke brukes" in phone.question(1).content.decode()


def test_a_link_lasts_until_the_next_window_opens(issued, week_4, patient, today, crc):
    opens = patient.events.get(event_oid="W8").window_from
    assert issued.expires_at.astimezone().date() in {opens, opens - timedelta(days=1)}
    with change_set(study=patient.study, by=None, action="test", reason="flyttet"):
        patient.events.filter(event_oid="W8").update(window_from=today)
    with pytest.raises(NotAllowedNow):
        issue_link(event=week_4, channel=LinkChannel.CARD, by=crc)


def test_a_new_card_ends_the_old_one_but_not_the_message(issued, week_4, crc):
    first = issue_link(event=week_4, channel=LinkChannel.CARD, by=crc)
    second = issue_link(event=week_4, channel=LinkChannel.CARD, by=crc)
    usable = [bool(link_for(one.url.split("/")[-2])) for one in (issued, first, second)]
    assert usable == [True, False, True]


def test_no_link_where_the_staff_has_entered_the_answers_or_without_the_right(week_4, crc, monitor, patient):
    with pytest.raises(NotPermitted):
        issue_link(event=week_4, channel=LinkChannel.CARD, by=monitor)
    enter(patient, crc, "W4", "NRS", {"NRS_BLEED": "4", "NRS_MODE": "PAPER"})
    phone = Phone(issue_link(event=week_4, channel=LinkChannel.CARD, by=crc).url)
    phone.open()
    phone.start()
    assert not phone.asked(1).startswith("NRS_")


def test_when_the_staff_has_entered_everything_there_is_nothing_to_ask(phone, patient, crc):
    reasons = {"NRS": "NRS_NOT", "QLC": "QLC_NOT", "EQ5D": "EQ_NOT", "QCR": "CR_NOT", "QCX": "CX_NOT"}
    for form, about in reasons.items():
        enter(patient, crc, "W4", form, {about: "FORGOTTEN"})
    phone.open()
    assert "trenger ikke gjøre noe mer" in phone.get(phone.address).content.decode()
    assert phone.post(phone.address, {"who": "alone"}).status_code == 200


def test_what_closes_the_form_is_told_without_the_words_for_the_staff(phone, patient, data_manager, week_4):
    phone.open()
    phone.start()
    freeze(target=Target(patient.study, patient.site, patient, week_4), by=data_manager)
    answer = phone.answer("NRS_BLEED", "7")
    page = answer.content.decode()
    assert answer.status_code == 409 and "Spørsmålene er stengt" in page and data_manager.full_name not in page


def test_no_strength_left_ends_it_kindly_and_keeps_what_was_answered(phone, patient, sign_in, crc):
    phone.open()
    phone.start()
    phone.answer("NRS_BLEED", "4")
    phone.post(f"{phone.address}stop/")
    row = stored(patient)
    assert row.data["NRS_BLEED"] == "4" and row.missing_codes["NRS_PAIN"] == "ILL" and row.status == "complete"
    assert stored(patient, "QLC").data["QLC_NOT"] == "ILL"
    assert "Bare i dag" in phone.get(f"{phone.address}stop/").content.decode()
    assert "ingen flere skjemaer" not in sign_in(crc).get(reverse("worklist")).content.decode()
    phone.post(f"{phone.address}stop/", {"wish": "for_good"})
    assert "Takk" in phone.get(phone.address).content.decode()
    assert "ønsker ingen flere skjemaer" in sign_in(crc).get(reverse("worklist")).content.decode()
    assert not patient.stops.exists()  # only the site records that


def test_a_high_score_asks_the_site_to_ring_until_the_call_is_logged(phone, sign_in, crc, patient, today):
    phone.open()
    phone.start()
    phone.answer("NRS_BLEED", "9")
    phone.post(f"{phone.address}stop/")
    nurse = sign_in(crc)
    assert "en høy skår kom inn med lenke" in nurse.get(reverse("worklist")).content.decode()


def test_the_card_shows_the_link_once_and_only_to_the_site(sign_in, crc, monitor, week_4, patient):
    address = reverse("link-card", args=[patient.study.oid, patient.number, "W4", 1])
    nurse = sign_in(crc)
    assert "<svg" not in nurse.get(address).content.decode().split("<main")[1]
    page = nurse.post(address).content.decode()
    url = re.search(r'link-card-url">([^<]+)<', page)[1]
    assert link_for(url.split("/")[-2]) and "<svg" in page and patient.number not in url
    assert "1949" not in page  # the year of birth, which opens it, is not printed beside it
    assert sign_in(monitor).post(address).status_code == 403


def test_a_link_plan_whose_code_for_a_proxy_is_unknown_is_refused(definition):
    study = definition.study
    assert not list(links_fit(study))
    faults = list(links_fit(replace(study, links=replace(study.links, proxy="NEIGHBOUR"))))
    assert {fault.path[-1] for fault in faults} == {"who"} and len(faults) == sum(bool(f.by_link) for f in study.forms)


def test_who_answers_is_one_of_three(phone, patient):
    phone.open()
    page = phone.get(phone.address).content.decode()
    assert re.findall(r'name="who" value="(\w+)"', page) == ["alone", "helped", "proxy"]
    phone.start("nurse")
    assert phone.question(1)["Location"] == phone.address and PersonalLink.objects.get().answered_by is None


def test_no_token_stands_in_the_database(issued):
    token = issued.url.split("/")[-2]
    assert len(token) == 22  # 128 bits
    assert token not in str(list(PersonalLink.objects.values()))
