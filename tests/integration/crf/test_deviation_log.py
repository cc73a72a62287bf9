"""The log of deviations: who sees which, and the principal investigator's judgement (S04, S15; ICH E6(R3) 2.5)."""

import csv
import io

import pytest
from django.db import connection
from django.urls import reverse

from crf import facts
from crf.models import Deviation, DeviationStatus, FormData
from crf.selectors.locks import Target
from crf.services import judge_deviation, lock, void_form
from pallsoft.audit.context import change_set
from pallsoft.audit.selectors import trail_for
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, NotPermitted
from sites.worklist import work_items

pytestmark = pytest.mark.django_db
P, C, R = DeviationStatus.PROPOSED, DeviationStatus.CONFIRMED, DeviationStatus.REJECTED


def departed(save, explanation):
    """A fraction, and what a check of severity "deviation" leaves of it; the small trial has no such check."""
    result = save("TREAT", "DOSE", {"DOSE_GY": "7"}, repeat_key="new", why={"DOSE_C1": explanation})
    row = FormData.objects.select_related("subject__site__study", "event", "study").get(pk=result.form_id)
    with change_set(study=row.study, by=None, action="test"):
        return Deviation.objects.create(
            study=row.study, subject=row.subject, event=row.event, form_data=row, check_oid="DOSE_C1",
            check_version=1, message={"nb": "En annen dose", "en": "Another dose"}, explanation=explanation,
        )  # fmt: skip


@pytest.fixture
def deviation(save, monkeypatch):
    """A fraction with another dose than planned, explained."""
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"arm": "A"}])
    return departed(save, "Apparatet stoppet, æøå")


@pytest.fixture
def url(study):
    return reverse("deviations", args=[study.oid])


def judge(deviation, status, by, seen=P, **more):
    judge_deviation(deviation=deviation, status=status, seen=seen, by=by, **more)
    deviation.refresh_from_db()
    return deviation.status


def waits(user, study):
    return [item.sentence for item in work_items(user, study) if "avvik" in item.sentence]


@pytest.mark.req("AUD-01")
def test_the_principal_investigator_confirms_it_and_the_trail_says_so(deviation, pi, study):
    assert waits(pi, study) == ["1 avvik venter på å bli vurdert."]
    assert judge(deviation, C, pi) == C
    assert not waits(pi, study)
    (step,) = [line for line in trail_for(table="crf_deviation", row_id=deviation.pk) if line.change > 0]
    assert (step.item, step.old, step.new, step.actor_name) == ("status", P, C, pi.full_name)


def test_that_it_is_none_takes_a_reason(deviation, pi):
    with pytest.raises(InvalidInput, match="hvorfor"):
        judge(deviation, R, pi)
    assert judge(deviation, R, pi, reason="planlagt pause") == R


def test_another_judgement_takes_a_reason_too(deviation, pi):
    judge(deviation, C, pi)
    with pytest.raises(InvalidInput):
        judge(deviation, P, pi, seen=C)
    assert judge(deviation, R, pi, seen=C, reason="feil lest") == R


def test_two_who_judge_at_once_see_each_other(deviation, pi):
    judge(deviation, C, pi)
    with pytest.raises(Conflict, match="i mellomtiden"):
        judge(deviation, R, pi, reason="sen")


@pytest.mark.parametrize("who", ["crc", "investigator", "monitor", "coordinator", "data_manager", "outsider"])
def test_nobody_else_judges(deviation, request, who):
    with pytest.raises(NotPermitted):
        judge(deviation, C, request.getfixturevalue(who))


@pytest.mark.req("DAT-15")
def test_what_is_locked_is_judged_no_more(deviation, pi, data_manager):
    subject = deviation.subject
    lock(target=Target(subject.study, subject.site, subject), reason="ferdig", by=data_manager)
    with pytest.raises(NotAllowedNow):
        judge(deviation, C, pi)


def test_the_page_shows_it_with_its_explanation_and_who_judges_can(deviation, pi, monitor, sign_in, url):
    page = sign_in(monitor).get(url).content.decode()
    assert "Apparatet stoppet, æøå" in page and "Vurder det" not in page
    nurse = sign_in(pi)
    assert "Vurder det" in nurse.get(url).content.decode()
    act = reverse("judge-deviation", args=[deviation.study.oid, deviation.pk])
    refused = nurse.post(act, {"status": R, "seen": P, "reason": ""})
    assert refused.status_code == 422 and "Si hvorfor" in refused.content.decode()
    assert nurse.post(act, {"status": "kanskje", "seen": P}).status_code == 422
    assert nurse.post(f"{act}?status=proposed", {"status": C, "seen": P}).url == f"{url}?status=proposed"
    deviation.refresh_from_db()
    assert deviation.status == C


@pytest.mark.req("ACC-03")
def test_what_tells_the_arm_is_for_who_may_see_it(deviation, crc, coordinator, data_manager, sign_in, url):
    assert "Apparatet stoppet" in sign_in(crc).get(url).content.decode()
    for person in (coordinator, data_manager):
        page = sign_in(person).get(url).content.decode()
        assert "Apparatet stoppet" not in page and "Ingen avvik her" in page


def test_nobody_of_another_site_sees_it_or_judges_it(deviation, outsider, sign_in, url):
    client = sign_in(outsider)
    assert "Apparatet stoppet" not in client.get(url).content.decode()
    act = reverse("judge-deviation", args=[deviation.study.oid, deviation.pk])
    assert client.post(act, {"status": C, "seen": P}).status_code == 404


def test_of_a_form_that_was_removed_there_is_none(deviation, crc, sign_in, url):
    void_form(form=deviation.form_data, by=crc, reason="feil pasient")
    assert "Ingen avvik her" in sign_in(crc).get(url).content.decode()


COUNT = "SELECT count(*) FROM crf_deviation d JOIN crf_formdata f ON f.id = d.form_data_id WHERE f.removed_in IS NULL"


@pytest.mark.parametrize("status", ["", "proposed", "confirmed", "rejected"])
def test_counts_rows_and_csv_agree_with_the_database(deviation, save, pi, sign_in, url, status):
    others = []
    for n in range(3):
        others.append(departed(save, f"grunn {n}"))
    judge(others[0], C, pi)
    judge(others[1], R, pi, reason="planlagt")
    with connection.cursor() as cursor:
        cursor.execute(COUNT + (" AND d.status = %s" if status else ""), [status] if status else [])
        expected = cursor.fetchone()[0]
    client, query = sign_in(pi), f"?status={status}" if status else ""
    page = client.get(f"{url}{query}").content.decode()
    assert page.count('<p class="query-place">') == expected > 0
    assert 'aria-current="page">' in page and f'<span class="tab-count">{expected}</span>' in page
    text = client.get(f"{url}deviations.csv{query}").content.decode()
    assert len(list(csv.DictReader(io.StringIO(text)))) == expected
