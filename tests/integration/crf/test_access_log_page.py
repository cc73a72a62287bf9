"""AUD-12 as a page: who read which subject, at the sites that the reader answers for."""

import pytest
from django.urls import reverse

pytestmark = [pytest.mark.django_db, pytest.mark.req("AUD-12")]


@pytest.fixture
def page(study, sign_in):
    """page(user, **filters): the log as that person sees it."""
    return lambda reader, **asked: sign_in(reader, "nb").get(reverse("access-log", args=[study.oid]), asked)


@pytest.fixture
def read(study, subject, sign_in):
    """read(user, number): somebody opens a subject, or tries to."""
    return lambda user, number="BOD-001": sign_in(user).get(reverse("subject", args=[study.oid, number])).status_code


def told(answer):
    return [(one.who, one.number, one.ok) for one in answer.context["log"].readings]


def test_reading_and_refused_reading_stand_there_the_newest_first(read, page, pi, crc, outsider):
    assert (read(crc), read(outsider)) == (200, 404)
    assert told(page(pi)) == [("Máret Sárá", "BOD-001", False), ("Åse Nordgård", "BOD-001", True)]
    assert "Innsynslogg" in page(pi).content.decode()


def test_a_page_that_the_role_does_not_give_is_a_refusal_too(study, subject, sign_in, page, pi, monitor, crc):
    consent, stop = (
        reverse(name, args=[study.oid, "BOD-001"]) for name in ("record-withdrawal", "subject-verification")
    )
    assert sign_in(monitor).get(consent).status_code == sign_in(crc).get(stop).status_code == 403
    answer = page(pi, refused="1")
    assert told(answer) == [("Åse Nordgård", "BOD-001", False), ("Sølvi Hæstad", "BOD-001", False)]
    assert {one.words for one in answer.context["log"].readings} == {f"Side: {consent}", f"Side: {stop}"}
    assert "Avvist" in answer.content.decode() and "Ville ikke svare" not in answer.content.decode()


def test_what_was_looked_at_is_said_in_words(study, subject, sign_in, page, coordinator, data_manager):
    sign_in(data_manager).get(reverse("lock-subject", args=[study.oid, "BOD-001"]))
    assert {one.words for one in page(coordinator).context["log"].readings} == {"Frysing og låsing"}


def test_filters_narrow_by_subject_person_day_and_refusal(read, page, pi, crc, outsider):
    read(crc), read(outsider)
    assert told(page(pi, user="nordgård")) == [("Åse Nordgård", "BOD-001", True)]
    assert told(page(pi, refused="1")) == [("Máret Sárá", "BOD-001", False)]
    assert told(page(pi, number="999")) == told(page(pi, until="01.01.2020")) == []
    assert len(told(page(pi, **{"from": "01.01.2020", "until": "31.12.2099"}))) == 2


def test_a_day_that_is_none_is_told(page, pi):
    answer = page(pi, **{"from": "i går"})
    assert (answer.status_code, answer.context["log"].asked["from"]) == (422, "i går")


def test_a_principal_investigator_sees_the_own_site_alone(
    read, page, pi, enrol, tromso, outsider, coordinator, sign_in
):
    other = enrol(tromso, by=outsider)
    read(outsider, other.number)
    assert told(page(pi)) == []
    assert told(page(coordinator)) == [("Máret Sárá", other.number, True)]


def test_the_log_goes_over_pages(read, page, pi, crc, django_assert_max_num_queries):
    for _n in range(52):
        read(crc)
    with django_assert_max_num_queries(16):
        first = page(pi)
    assert len(told(first)) == 50
    assert len(told(page(pi, page="2"))) == 2
