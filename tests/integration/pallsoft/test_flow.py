"""The flow of participants: each number is counted again by a statement of its own, and equals its rows."""

import csv
import io
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from pallsoft.flow.boxes import flow_of, in_arm
from pallsoft.flow.persons import Question, persons
from sites.models import Role, Site
from tests.fixtures import DEFINITION
from tests.fixtures.crowd import crowd  # noqa: F401
from trials.checker import check
from trials.services import publish_version

pytestmark = pytest.mark.django_db(transaction=True)
SEEDS = range(4)
INCLUDED = "EXISTS (SELECT FROM randomization_allocation a WHERE a.subject_id = s.id)"
STANDS = "removed_in IS NULL AND subject_id = s.id"
SUBJECTS = "SELECT count(*) FROM sites_subject s WHERE "
PRIMARY = """EXISTS (SELECT FROM crf_formdata JOIN crf_studyevent e ON e.id = event_id WHERE e.subject_id = s.id
    AND e.event_oid = 'W12' AND crf_formdata.form_oid = 'NRS' AND removed_in IS NULL AND data ? 'NRS_TGT')"""
VISIT = "EXISTS (SELECT FROM crf_studyevent e WHERE e.subject_id = s.id AND e.event_oid = 'W12' AND "
TOLD = """EXISTS (SELECT FROM crf_formdata n WHERE n.event_id = e.id AND n.form_oid = 'NRS' AND n.removed_in IS NULL
    AND n.data ? 'NRS_NOT')"""
STARTED = f"""EXISTS (SELECT FROM crf_formdata WHERE {STANDS} AND data @> '{{"RTS_START": "Y"}}')"""
CANCELLED = f"""EXISTS (SELECT FROM crf_formdata WHERE {STANDS} AND data @> '{{"RTS_START": "N"}}')"""
OVER = f"(e.happened_on IS NOT NULL OR e.not_done_reason <> '' OR e.window_to < %(today)s OR {TOLD})"
GONE = "(e.closed_for <> '' OR e.not_done_code = 'DEAD')"
LEFT = """(EXISTS (SELECT FROM sites_death d WHERE d.subject_id = s.id AND d.ended_in IS NULL)
    OR EXISTS (SELECT FROM sites_stop w WHERE w.subject_id = s.id AND w.kind = 'consent' AND w.ended_in IS NULL))"""
DEPARTED = """EXISTS (SELECT FROM crf_deviation x WHERE x.subject_id = s.id AND x.status = 'confirmed' AND x.rule_oid IN
    ('INELIGIBLE', 'RT_OTHER_THAN_ALLOCATED', 'EARLY_OTHER_RT', 'EARLY_OTHER_TRIAL')
    AND NOT EXISTS (SELECT FROM crf_formdata f WHERE f.id = x.form_data_id AND f.removed_in IS NOT NULL))"""
COUNTED = {
    "assessed": """SELECT (SELECT count(*) FROM sites_subject)
        + (SELECT count(*) FROM sites_screeningentry WHERE subject_id IS NULL)""",
    "excluded": f"""SELECT (SELECT count(*) FROM sites_screeningentry
            WHERE subject_id IS NULL AND outcome NOT IN ('pending', 'consented'))
        + (SELECT count(*) FROM sites_subject s
            WHERE NOT {INCLUDED} AND (status = 'screen_failure' OR {LEFT}))""",
    "excluded:declined": "SELECT count(*) FROM sites_screeningentry WHERE reason_code = 'declined'",
    "excluded:GONE": "SELECT count(*) FROM sites_screeningentry WHERE reason_code = 'GONE'",
    "excluded:after_consent": "SELECT count(*) FROM sites_subject WHERE status = 'screen_failure'",
    "considered": f"""SELECT (SELECT count(*) FROM sites_screeningentry WHERE outcome = 'pending')
        + (SELECT count(*) FROM sites_subject s WHERE status = 'screening' AND NOT {LEFT})""",
    "randomized": "SELECT count(*) FROM randomization_allocation",
    "allocated": "SELECT count(*) FROM randomization_allocation",
    "received": f"{SUBJECTS} {INCLUDED} AND {STARTED}",
    "not_received": f"{SUBJECTS} {INCLUDED} AND {CANCELLED} AND NOT {STARTED}",
    "not_received:DEATH": f"""{SUBJECTS} {INCLUDED} AND NOT {STARTED}
        AND EXISTS (SELECT FROM crf_formdata WHERE {STANDS} AND data->>'RTS_NOTW' = 'DEATH')""",
    "not_recorded": f"{SUBJECTS} {INCLUDED} AND NOT {CANCELLED} AND NOT {STARTED}",
    "step:SECOND_OFFERED": f"""{SUBJECTS} {INCLUDED}
        AND EXISTS (SELECT FROM crf_formdata WHERE {STANDS} AND data->>'SF_OFF' = 'Y')""",
    "step:SECOND_GIVEN": f"""{SUBJECTS} {INCLUDED}
        AND EXISTS (SELECT FROM crf_formdata WHERE {STANDS} AND data->>'SF_GIVEN' = 'Y')""",
    "answered": f"{SUBJECTS} {INCLUDED} AND {PRIMARY}",
    "missing": f"{SUBJECTS} {INCLUDED} AND NOT {PRIMARY} AND {VISIT} NOT {GONE} AND {OVER})",
    "missing:form:ILL": f"""{SUBJECTS} {INCLUDED} AND {VISIT} NOT {GONE}
        AND {TOLD.replace("n.data ? 'NRS_NOT'", "n.data->>'NRS_NOT' = 'ILL'")})""",
    "missing:visit:TOO_ILL": f"""{SUBJECTS} {INCLUDED} AND NOT {PRIMARY}
        AND {VISIT} e.not_done_code = 'TOO_ILL' AND NOT {TOLD})""",
    "missing:visit:": f"""{SUBJECTS} {INCLUDED} AND NOT {PRIMARY}
        AND {VISIT} e.not_done_reason = 'vei stengt av ras' AND NOT {TOLD})""",
    "dead": f"""{SUBJECTS} {INCLUDED} AND NOT {PRIMARY}
        AND {VISIT} (e.closed_for = 'dead' OR e.not_done_code = 'DEAD'))""",
    "withdrawn": f"{SUBJECTS} {INCLUDED} AND NOT {PRIMARY} AND {VISIT} e.closed_for = 'withdrawn')",
    "stopped": f"{SUBJECTS} {INCLUDED} AND NOT {PRIMARY} AND {VISIT} e.closed_for = 'stopped')",
    "lost": f"{SUBJECTS} {INCLUDED} AND NOT {PRIMARY} AND {VISIT} e.closed_for = 'lost')",
    "to_come": f"{SUBJECTS} {INCLUDED} AND NOT {PRIMARY} AND NOT {VISIT} (e.closed_for <> '' OR {OVER}))",
    "set:ITT": f"{SUBJECTS} {INCLUDED} AND {PRIMARY}",
    "set:PP": f"{SUBJECTS} {INCLUDED} AND {PRIMARY} AND {STARTED} AND NOT {DEPARTED}",
}


def counted(statement, today):
    with connection.cursor() as cursor:
        cursor.execute(statement, {"today": today})
        return cursor.fetchone()[0]


@pytest.fixture
def asked(definition):
    def question(**changes):
        said = {
            "definition": definition.study,
            "plan": definition.study.flow,
            "sites": tuple(Site.objects.all()),
            "today": timezone.localdate(),
            "with_arm": True,
            "by_arm": True,
        }
        return Question(**said | changes)

    return question


@pytest.mark.parametrize("seed", SEEDS)
def test_each_number_is_what_the_database_counts_and_what_its_rows_are(crowd, asked, seed):  # noqa: F811
    crowd(seed)
    flow = flow_of(asked())
    numbers = {box.key: box.of_all for box in flow.boxes}
    again = {key: counted(statement, asked().today) for key, statement in COUNTED.items()}
    assert {key: numbers.get(key, 0) for key in again} == again
    behind = {
        (box.key, arm): len(persons(asked(), in_arm(box.where, arm)))
        for box in flow.boxes
        for arm in ("", "A", "B")[: len(box.counts)]
    }
    shown = {(box.key, arm): n for box in flow.boxes for arm, n in zip(("", "A", "B"), box.counts, strict=False)}
    assert behind == shown


@pytest.mark.parametrize("seed", SEEDS)
def test_the_parts_add_up(crowd, asked, seed):  # noqa: F811
    crowd(seed)
    flow = flow_of(asked())

    def n(*keys):
        return sum(flow.box(key).of_all for key in keys)

    def parts(key):
        return sum(box.of_all for box in flow.boxes if box.key.startswith(f"{key}:"))

    assert n("assessed") == n("excluded", "considered", "randomized")
    assert n("randomized") == n("received", "not_received", "not_recorded")
    assert n("randomized") == n("answered", "missing", "dead", "withdrawn", "stopped", "lost", "to_come")
    assert [parts(key) for key in ("excluded", "not_received", "missing")] == [
        n(key) for key in ("excluded", "not_received", "missing")
    ]
    below = [box for box in flow.boxes if len(box.counts) == 3]
    assert {box.section for box in flow.boxes if box not in below} == {"enrolment"}
    assert all(box.of_all == sum(box.counts[1:]) for box in below)


def test_the_arms_are_those_of_the_sealed_list(crowd, asked, superuser):  # noqa: F811
    crowd(1)
    with superuser.cursor() as cursor:
        cursor.execute("SELECT arm, count(*) FROM randomization_allocation GROUP BY arm ORDER BY arm")
        listed = tuple(n for _arm, n in cursor.fetchall())
    assert flow_of(asked()).box("allocated").counts[1:] == listed and len(listed) == 2


@pytest.fixture
def get(sign_in, study):
    def page(user, name="flow", language="en", **query):
        return sign_in(user, language).get(reverse(name, args=[study.oid]), query)

    return page


@pytest.fixture
def dsmb(make_user):
    return make_user("dsmb", "Gøril Åmås", Role.DSMB_READER)


LINK = re.compile(r'href="(/s/[^"]*/flow/rows/[^"]*)"')


def links(response):
    return {link.replace("&amp;", "&") for link in LINK.findall(response.content.decode())}


def test_every_number_on_the_page_leads_to_as_many_rows(crowd, get, client, dsmb, coordinator):  # noqa: F811
    crowd(2)
    for user in (dsmb, coordinator):
        page = get(user)
        shown = page.context["page"].lines
        numbers = {address: n for box, _title, row in shown for n, address in row if box.listed}
        assert [box.key for box, _title, _row in shown if not box.listed] == ([] if user == dsmb else ["set:PP"])
        assert links(page) == set(numbers) and len(numbers) > 15
        for address, n in numbers.items():
            assert client.get(address).context["page"].paginator.count == n
            lines = client.get(address.replace("/rows/", "/rows.csv")).content.decode().splitlines()
            assert len(lines) == n + 1


def test_who_is_in_a_set_that_can_tell_the_arm_is_for_who_may_see_it(crowd, get, dsmb, coordinator):  # noqa: F811
    crowd(2)
    assert get(coordinator, "flow-rows", box="set:PP").status_code == 404
    assert get(coordinator, "flow-rows-csv", box="set:PP").status_code == 404
    assert get(coordinator, "flow-rows", box="set:ITT").status_code == 200
    departed = counted(f"{SUBJECTS} {INCLUDED} AND {DEPARTED}", None)
    for user, told in ((coordinator, 0), (dsmb, departed)):
        rows = get(user, "flow-rows-csv", box="randomized").content.decode()
        assert rows.count("Out by a deviation: Per protocol") == told
    assert departed


def test_by_arm_is_for_those_alone_who_judge_by_arm(crowd, get, dsmb, statistician, coordinator, monitor, crc):  # noqa: F811
    crowd(3)
    for user in (dsmb, statistician):
        assert get(user).context["page"].flow.arms == ("A", "B")
        assert get(user, "flow-rows", box="received", arm="A").status_code == 200
    for user in (coordinator, monitor, crc):
        shown = get(user)
        assert shown.context["page"].flow.arms == ()
        assert "5 × 5 Gy" not in shown.content.decode()
        assert get(user, "flow-rows", box="received", arm="A").status_code == 404
        assert get(user, "flow-csv").content.decode().splitlines()[0] == "SECTION,BOX,LABEL,ALL"


def test_what_reveals_an_arm_is_left_out_for_who_may_not_see_arms(crowd, get, coordinator, data_manager, crc):  # noqa: F811
    crowd(3)
    for user in (coordinator, data_manager):
        for name in ("flow", "flow-rows", "flow-csv", "flow-rows-csv"):
            assert "econd fraction" not in get(user, name).content.decode()
        assert get(user, "flow-rows", box="step:SECOND_GIVEN").status_code == 404
    assert "Second fraction given" in get(crc).content.decode()
    assert get(crc, "flow-rows", box="step:SECOND_GIVEN").status_code == 200


def test_nobody_sees_number_and_arm_together(crowd, get, dsmb, coordinator):  # noqa: F811
    crowd(3)
    for name in ("flow-rows", "flow-rows-csv"):
        assert not re.search("(BOD|TRO)-0", get(dsmb, name, box="received", arm="A").content.decode())
        assert re.search("(BOD|TRO)-0", get(coordinator, name, box="received").content.decode())


def test_a_site_counts_its_own_only_and_the_filter_stays_in_the_addresses(crowd, get, crc, coordinator):  # noqa: F811
    crowd(0)
    own, chosen = get(crc).context["page"].flow, get(coordinator, site="BOD")
    assert own.box("assessed").of_all == chosen.context["page"].flow.box("assessed").of_all > 0
    assert all(parse_qs(urlsplit(address).query)["site"] == ["BOD"] for address in links(chosen))
    assert [get(user, site=site).status_code for user, site in ((crc, "TRO"), (coordinator, "ØST"))] == [404, 404]


def test_the_csv_is_the_table_of_the_page(crowd, get, dsmb):  # noqa: F811
    crowd(1)
    boxes = get(dsmb).context["page"].flow.boxes
    lines = list(csv.reader(io.StringIO(get(dsmb, "flow-csv").content.decode())))
    assert lines[0] == ["SECTION", "BOX", "LABEL", "ALL", "A", "B"]
    assert lines[1:] == [[box.section, box.key, box.label, *map(str, box.counts)] for box in boxes]


def test_the_flow_takes_one_query_however_many_there_are(crowd, get, coordinator):  # noqa: F811
    def queries():
        with CaptureQueriesContext(connection) as captured:
            get(coordinator)
        return len(captured)

    get(coordinator)
    empty = queries()
    crowd(1)
    assert queries() == empty


@pytest.mark.pdf
def test_the_pdf_holds_every_number_in_the_language_of_the_reader(crowd, get, coordinator):  # noqa: F811
    from pypdf import PdfReader

    crowd(1)
    for language, heading in (("nb", "Deltakernes vei gjennom studien"), ("en", "Flow of participants")):
        boxes = get(coordinator, language=language).context["page"].flow.boxes
        answer = get(coordinator, "flow-pdf", language=language)
        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
        words = re.sub(r"\s+", "", text)
        assert re.sub(r"\s+", "", heading) in words
        assert all(re.sub(r"\s+", "", f"{box.label}{box.of_all}") in words for box in boxes)


def test_a_study_without_a_treatment_to_receive_tells_of_enrolment_and_follow_up_only(db, asked):
    loaded, problems = check(DEFINITION.parent / "munntorr")
    assert loaded, [str(problem) for problem in problems]
    publish_version(loaded=loaded, by=None)
    flow = flow_of(asked(definition=loaded.study, plan=loaded.study.flow, sites=()))
    assert flow.arms == ("GEL", "DROPS", "SPRAY")
    assert [box.key for box in flow.boxes if box.section == "allocation"] == ["allocated"]
    assert {box.of_all for box in flow.boxes} == {0}
