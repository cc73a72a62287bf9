"""Who freezes and locks may not see the arm: two subjects equal but for it look alike to them (ACC-03, D8)."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from shutil import copytree

import pytest
from django.http import Http404
from django.urls import reverse

from crf import facts
from crf.models import Deviation, Lock, Query
from crf.selectors.loading import event_for
from crf.selectors.locks import Target, shown_locks
from crf.selectors.open_points import open_points
from crf.services import lock, raise_query, schedule_events
from pallsoft.audit.context import change_set
from pallsoft.errors import InvalidInput
from sites.models import Role
from sites.services import assign_role
from tests.integration.crf.conftest import HERE
from trials.checker import check

pytestmark = [pytest.mark.django_db, pytest.mark.req("ACC-03")]

ONE_ARM_ONLY = """
  - {oid: SECOND, kind: treatment, label: {nb: Andre gang, en: Second time}, day: "1", before: "0", after: "1",
     relevant: "fact.arm == 'A'", forms: [{form: SCORE}]}
"""


@pytest.fixture(scope="session")
def definition(tmp_path_factory):
    """With a visit that only one arm has."""
    folder = copytree(HERE / "definition", tmp_path_factory.mktemp("arms") / "definition")
    with (folder / "schedule.yaml").open("a", encoding="utf-8") as schedule:
        schedule.write(ONE_ARM_ONLY)
    loaded, problems = check(folder)
    assert loaded, [str(problem) for problem in problems]
    return loaded


@pytest.fixture
def twins(monkeypatch, subject, enrol, bodo, crc, save, monitor):
    """Two subjects randomised alike. All that one of them has more, follows from the arm: a visit, fractions, and what
    is asked and found about these."""
    one, other = subject, enrol(bodo, birth_year=1953)
    arms = {one.pk: "A", other.pk: "B"}
    at = datetime.now(UTC) - timedelta(days=21)
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"arm": arms[subject.pk], "randomized_at": at}])
    for subject in (one, other):
        schedule_events(subject=subject, by=crc)
        save("START", "SCORE", {"SCORE_PAIN": "6"}, of=subject)
    save("SECOND", "SCORE", {"SCORE_PAIN": "6"}, of=one)
    save("TREAT", "DOSE", {"DOSE_GY": "7"}, of=one, repeat_key="new", why={"DOSE_C1": "Apparatet stoppet"})
    save("TREAT", "DOSE", {"DOSE_ON": "2026-09-02"}, of=one, repeat_key="new")
    assert Query.objects.count() == 1
    event = one.events.get(event_oid="SECOND")
    raise_query(event=event, form_oid="SCORE", item_oid="SCORE_PAIN", text="Sikker?", key=uuid.uuid4(), by=monitor)
    with change_set(study=one.study, by=None, action="test"):
        for check_oid in ("DOSE_C1", "SCORE_C3"):
            Deviation.objects.create(
                study=one.study, subject=one, event=event, form_data=event.forms.get(), check_oid=check_oid,
                check_version=1, message={},
            )  # fmt: skip
    return one, other


def checklist(browser, url, number):
    html = browser.get(url).content.decode()
    return re.search(r'<ul class="worklist open-points">.*?</ul>', html, re.DOTALL)[0].replace(number, "X")


def test_the_checklist_is_the_same_page(twins, sign_in, data_manager, coordinator):
    for user in (data_manager, coordinator):
        pages = {
            checklist(
                sign_in(user, "nb"), reverse(name, args=[subject.study.oid, subject.number, *visit]), subject.number
            )
            for subject in twins
            for name, visit in (("lock-subject", []), ("lock-visit", ["TREAT", 1]))
        }
        assert len(pages) == 2, "one for the subject, one for the visit"


def test_the_checklist_of_the_site_counts_both_alike(twins, data_manager):
    study, site = twins[0].study, twins[0].site
    for point in open_points(Target(study, site), data_manager):
        assert len({place["count"] for place in point.where}) <= 1, point
        assert len(point.where) in (0, 2), point


def test_the_refusal_is_the_same_text(twins, data_manager):
    told = set()
    for subject in twins:
        with pytest.raises(InvalidInput) as refusal:
            lock(target=Target(subject.study, subject.site, subject), by=data_manager)
        told.add(refusal.value.message)
    assert len(told) == 1


def test_who_sees_the_arm_is_told_of_everything(twins, crc):
    counts = [
        sum(point.count for point in open_points(Target(subject.study, subject.site, subject), crc))
        for subject in twins
    ]
    assert counts[0] > counts[1] > 0


def test_a_visit_of_one_arm_is_not_found_in_either(twins, data_manager, crc):
    for subject in twins:
        with pytest.raises(Http404):
            event_for(data_manager, subject.study.oid, subject.number, "SECOND", 1)
    assert event_for(crc, subject.study.oid, twins[0].number, "SECOND", 1).forms.count() == 1


def test_a_lock_that_names_such_a_place_is_shown_to_who_sees_the_arm(twins, data_manager, make_user):
    subject = twins[0]
    both = make_user("both", "Gro Ås", Role.DATA_MANAGER)
    assign_role(study=subject.study, user=both, role=Role.MONITOR, site=None, by=None)
    with change_set(study=subject.study, by=None, action="test"):
        Lock.objects.create(
            study=subject.study, kind="lock", subject=subject, event=subject.events.get(event_oid="SECOND")
        )
        Lock.objects.create(study=subject.study, kind="lock", subject=subject, form_oid="DOSE")
    assert len(shown_locks(subject.study, both)) == 2
    assert shown_locks(subject.study, data_manager) == []
