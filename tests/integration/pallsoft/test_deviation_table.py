"""The table of deviations: what the plan of visits finds, what a person enters, and what is minor (ICH E6(R3) 3.11)."""

import csv
import io
import uuid
import zipfile
from datetime import date, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from crf.exports import jobs
from crf.exports.services import request_trail
from crf.models import Deviation, DeviationStatus, FormData, FoundBy, StudyEvent
from crf.selectors.deviation_log import DeviationLog
from crf.selectors.locks import Target
from crf.services import judge_deviation, lock, record_deviation
from crf.services.off_plan import propose_off_plan
from pallsoft.audit.context import change_set
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, NotPermitted
from sites.clock import local_today
from sites.models import Role
from sites.worklist import work_items
from tests.fixtures.crowd import crowd  # noqa: F401
from trials.models import Status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("crc")]
AT_W12 = """SELECT e.id FROM crf_studyevent e JOIN sites_subject s ON s.id = e.subject_id
    LEFT JOIN crf_formdata f ON f.event_id = e.id AND f.form_oid = 'NRS' AND f.removed_in IS NULL
    WHERE e.event_oid = 'W12' AND s.status IN ('randomized', 'ended') AND """
MISSING = f"""{AT_W12} e.closed_for = '' AND e.not_done_code NOT IN ('DEAD', 'WITHDRAWN', 'STOPPED', 'LOST')
    AND e.window_to < (now() AT TIME ZONE 'Europe/Oslo')::date - 14 AND (f.data ->> 'NRS_TGT') IS NULL
    AND NOT EXISTS (SELECT FROM sites_stop w WHERE w.subject_id = s.id AND w.kind = 'questionnaires'
        AND w.ended_in IS NULL)"""
OUTSIDE = f"""{AT_W12} (f.data ->> 'NRS_ON')::date NOT BETWEEN e.window_from AND e.window_to AND NOT e.provisional"""


def ids(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {row[0] for row in cursor.fetchall()}


def of_plan(rule):
    return set(Deviation.objects.filter(found_by=FoundBy.PLAN, rule_oid=rule).values_list("event_id", flat=True))


def answered_on(event, day):
    """The primary answer as if it had been stored that day."""
    with change_set(study=event.study, by=None, action="test", reason="svar"):
        FormData.objects.update_or_create(
            event=event, form_oid="NRS", removed_in=None,
            defaults={
                "study": event.study, "subject": event.subject, "definition_version": event.study.versions.get(),
                "data": {"NRS_ON": day.isoformat(), "NRS_TGT": "3"},
            },
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_the_plan_finds_what_the_database_counts_and_once(crowd, seed):  # noqa: F811
    crowd(seed)
    visits = list(StudyEvent.objects.filter(event_oid="W12").select_related("subject", "study").order_by("target_on"))
    for n, event in enumerate(visits[::2]):
        answered_on(event, [event.window_from, event.window_to][n % 2] + timedelta(days=n % 3 - 1))
    missing, outside = ids(MISSING), ids(OUTSIDE)
    assert missing and outside
    assert propose_off_plan() == len(missing) + len(outside)
    assert (of_plan("PRIMARY_MISSING"), of_plan("PRIMARY_OUTSIDE")) == (missing, outside)
    assert propose_off_plan() == 0


@pytest.fixture
def late(crowd):  # noqa: F811
    """A visit that was missed, and its deviation."""
    crowd(1)
    propose_off_plan()
    return Deviation.objects.filter(rule_oid="PRIMARY_MISSING").select_related("event__subject", "event__study").first()


def log_of(user, study, **asked):
    found = DeviationLog(user, study, asked)
    return found.lines(found.found)


def test_one_that_the_data_no_longer_show_says_so_and_stays(late, pi, study):
    def stands():
        return {line.deviation.pk: line.stands for line in log_of(pi, study)}[late.pk]

    assert stands()
    answered_on(late.event, late.event.window_to)
    assert not stands()
    assert propose_off_plan() == 0 and Deviation.objects.get(pk=late.pk).status == DeviationStatus.PROPOSED


def test_one_judged_to_be_none_is_not_proposed_again(late, study):
    with change_set(study=study, by=None, action="test", reason="slik"):
        Deviation.objects.filter(pk=late.pk).update(status=DeviationStatus.REJECTED)
    assert propose_off_plan() == 0


def test_nothing_is_proposed_where_nothing_can_be_entered(crowd, bodo, tromso, data_manager, study):  # noqa: F811
    crowd(2)
    with change_set(study=study, by=None, action="test", reason="stengt"):
        bodo.status = Status.CLOSED_OUT
        bodo.save(update_fields=["status"])
    lock(target=Target(study, tromso), reason="ferdig", by=data_manager)
    assert ids(MISSING) and propose_off_plan() == 0


@pytest.fixture
def subject(enrol, bodo):
    return enrol(bodo)


def entered(subject, by, **changes):
    said = {
        "rule_oid": "OTHER_MINOR",
        "happened_on": local_today("Europe/Oslo"),
        "description": "Prøven ble glemt, æøå",
    }
    return record_deviation(subject=subject, by=by, **{"key": uuid.uuid4(), **said, **changes})


@pytest.mark.req("AUD-01")
@pytest.mark.parametrize("who", ["crc", "pi", "monitor", "coordinator"])
def test_a_person_enters_one_and_the_principal_investigator_judges_it(subject, request, who, pi):
    by = request.getfixturevalue(who)
    deviation = entered(subject, by)
    assert (deviation.status, deviation.message["nb"]) == (DeviationStatus.PROPOSED, "Annet mindre avvik")
    assert deviation.created_in.actor_id == by.pk
    judge_deviation(deviation=deviation, status=DeviationStatus.CONFIRMED, seen=DeviationStatus.PROPOSED, by=pi)


@pytest.mark.parametrize("who", ["data_manager", "inspector", "outsider"])
def test_nobody_else_enters_one(subject, request, who):
    with pytest.raises(NotPermitted):
        entered(subject, request.getfixturevalue(who))


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"rule_oid": "NO_SUCH"}, "rule_oid"),
        ({"happened_on": date(2999, 1, 1)}, "happened_on"),
        ({"description": "  "}, "description"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(subject, crc, changes, at):
    with pytest.raises(InvalidInput) as refused:
        entered(subject, crc, **changes)
    assert set(refused.value.errors) == {at}
    assert not Deviation.objects.exists()


@pytest.mark.req("DAT-03")
def test_a_double_click_enters_one(subject, crc):
    key = uuid.uuid4()
    assert entered(subject, crc, key=key) == entered(subject, crc, key=key)
    with pytest.raises(Conflict):
        entered(subject, crc, key=key, description="noe annet")
    assert Deviation.objects.count() == 1


@pytest.mark.req("DAT-15")
def test_of_a_locked_participant_none_is_entered(subject, crc, data_manager):
    lock(target=Target(subject.study, subject.site, subject), reason="ferdig", by=data_manager)
    with pytest.raises(NotAllowedNow):
        entered(subject, crc)


@pytest.mark.req("PRV-07")
def test_the_form_takes_no_identity_number_and_keeps_what_was_typed(subject, crc, sign_in, study):
    url = reverse("record-deviation", args=[study.oid, subject.number])
    browser = sign_in(crc)
    told = {"rule_oid": "OTHER_MAJOR", "happened_on": "01.06.2026", "description": "Gjaldt 20036914700"}
    refused = browser.post(url, told | {"key": str(uuid.uuid4())})
    assert refused.status_code == 422 and "20036914700" in refused.content.decode()
    assert not Deviation.objects.exists()
    stored = browser.post(url, told | {"key": str(uuid.uuid4()), "description": "Feil skjema brukt"})
    assert stored.status_code == 302
    assert "Feil skjema brukt" in browser.get(reverse("deviations", args=[study.oid])).content.decode()


@pytest.mark.req("ACC-03")
def test_an_entered_one_of_a_kind_that_can_tell_the_arm_is_for_who_may_see_it(subject, crc, coordinator, study):
    entered(subject, crc, rule_oid="RT_OTHER_THAN_ALLOCATED", description="fikk 5 Gy i stedet for 8")
    entered(subject, crc, rule_oid="OTHER_MAJOR")
    assert len(log_of(crc, study)) == 2
    assert [line.deviation.rule_oid for line in log_of(coordinator, study)] == ["OTHER_MAJOR"]


@pytest.mark.req("AUD-11")
def test_the_exported_trail_tells_such_a_one_to_who_may_see_the_arm_only(
    subject, crc, data_manager, make_user, study, settings, tmp_path
):
    settings.EXPORT_DIR = tmp_path
    entered(subject, crc, rule_oid="RT_OTHER_THAN_ALLOCATED", description="fikk femten gray i stedet")
    entered(subject, crc, rule_oid="OTHER_MAJOR", description="glemt kopi av samtykket")

    def told(by):
        job = request_trail(study=study, by=by)
        jobs.run_export(job.id)
        job.refresh_from_db()
        with zipfile.ZipFile(jobs.path_of(job)) as archive:
            return archive.read("trail.csv").decode()

    hidden, seen = told(data_manager), told(make_user("inspektor", "Ærlig Ås", Role.INSPECTOR))
    assert "femten gray" in seen and "femten gray" not in hidden
    assert "glemt kopi" in seen and "glemt kopi" in hidden
    kinds = [line for line in hidden.splitlines() if ",crf_deviation," in line and ",rule_oid," in line]
    assert len(kinds) == 1 and "OTHER_MAJOR" in kinds[0]


@pytest.mark.req("ACC-03")
def test_who_may_not_see_the_arm_enters_none_of_such_a_kind(subject, coordinator, sign_in, study):
    with pytest.raises(InvalidInput):
        entered(subject, coordinator, rule_oid="RT_OTHER_THAN_ALLOCATED")
    page = sign_in(coordinator).get(reverse("record-deviation", args=[study.oid, subject.number])).content.decode()
    assert "OTHER_MAJOR" in page and "RT_OTHER_THAN_ALLOCATED" not in page


def test_a_minor_one_is_listed_and_asks_nobody_to_act(subject, crc, pi, study):
    def waits():
        return [item for item in work_items(pi, study) if "avvik" in item.sentence]

    entered(subject, crc)
    assert not waits() and len(log_of(pi, study, weight="minor")) == 1 and not log_of(pi, study, weight="major")
    entered(subject, crc, rule_oid="OTHER_MAJOR")
    (item,) = waits()
    assert item.url.endswith("?status=proposed&weight=major")


@pytest.mark.parametrize("seed", range(3))
def test_each_number_of_the_table_is_what_the_database_counts_and_its_rows(crowd, sign_in, make_user, study, seed):  # noqa: F811
    crowd(seed)
    monitor = make_user("alle", "Ærlig Ås", Role.MONITOR)
    browser, url = sign_in(monitor), reverse("deviations", args=[study.oid])
    at_site = """SELECT x.id FROM crf_deviation x LEFT JOIN crf_formdata f ON f.id = x.form_data_id
        JOIN sites_subject s ON s.id = x.subject_id JOIN sites_site p ON p.id = s.site_id
        WHERE f.removed_in IS NULL AND p.code LIKE """
    for site in ("%", "BOD"):
        code = "" if site == "%" else site
        for kind in DeviationLog(monitor, study, {"site": code}).kinds:
            for status, n in (("", kind.found), ("confirmed", kind.confirmed)):
                of_status = f"AND x.status = '{status}'" if status else ""
                counted = ids(f"{at_site} '{site}' AND x.rule_oid = '{kind.rule.oid}' {of_status}")
                asked = {"site": code, "rule": kind.rule.oid, "status": status}
                page = browser.get(url, asked)
                table = csv.DictReader(
                    io.StringIO(browser.get(f"{url}deviations.csv", asked).content.decode("utf-8-sig"))
                )
                assert len(counted) == n == page.context["page"].paginator.count == len(list(table))
