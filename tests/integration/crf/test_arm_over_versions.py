"""What told the arm under one version tells it still when a later one asks it of everybody (ACC-03, D8)."""

from shutil import copytree

import pytest
from django.http import Http404
from django.urls import reverse

from crf import facts
from crf.models import Lock, Query
from crf.selectors.loading import event_for
from crf.selectors.locks import Target, shown_locks
from crf.selectors.open_points import LABELS, open_points
from crf.services import migrate_form
from pallsoft.audit.context import change_set
from sites.clock import local_today
from sites.services import approve_version
from tests.integration.crf.conftest import HERE
from trials.checker import check
from trials.services import publish_version

pytestmark = [pytest.mark.django_db, pytest.mark.req("ACC-03")]

IN_ARM_A = ", relevant: \"fact.arm == 'A'\""
SECOND = """
  - {{oid: SECOND, kind: treatment, label: {{nb: Andre gang, en: Second time}}, day: "1", before: "0", after: "1"{0},
     forms: [{{form: SCORE}}, {{form: FIT{0}}}]}}
"""
CHECK = "fact.arm == 'B' and SCORE_PAIN"


def written(folder, *, number, by_arm):
    """The definition with a visit, a form and a check that depend on the arm, or the same for everybody."""
    copytree(HERE / "definition", folder)
    with (folder / "schedule.yaml").open("a", encoding="utf-8") as schedule:
        schedule.write(SECOND.format(IN_ARM_A if by_arm else ""))
    changes = {"study.yaml": ('version: "1"', f'version: "{number}"')}
    if not by_arm:
        changes["forms/SCORE.yaml"] = (CHECK, "SCORE_PAIN")
    for path, (old, new) in changes.items():
        text = (folder / path).read_text(encoding="utf-8")
        assert old in text
        (folder / path).write_text(text.replace(old, new), encoding="utf-8")
    loaded, problems = check(folder)
    assert loaded, [str(problem) for problem in problems]
    return loaded


@pytest.fixture(scope="session")
def definition(tmp_path_factory):
    return written(tmp_path_factory.mktemp("arms") / "definition", number=1, by_arm=True)


@pytest.fixture
def amended(monkeypatch, subject, save, ask, coordinator, tmp_path):
    """A subject with all of these, at a site that uses the later version since."""
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"arm": "A"}])
    save("SECOND", "SCORE", {"SCORE_PAIN": "6"})
    save("START", "FIT")
    ask(event="SECOND")
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"arm": "B"}])
    save("START", "SCORE", {"SCORE_PAIN": "10"}, why={"SCORE_C3": "hissig arm"})
    later = written(tmp_path / "definition", number=2, by_arm=False)
    day = local_today(subject.site.timezone)
    approve_version(
        site=subject.site, version=publish_version(loaded=later, by=coordinator).version, ethics_approved_on=day,
        ethics_reference="606316", active_from=day, by=coordinator,
    )  # fmt: skip
    return subject


def url(name, subject, *place):
    return reverse(name, args=[subject.study.oid, subject.number, *place])


def test_the_stored_visit_and_forms_are_not_found(amended, row, sign_in, data_manager, crc):
    second = ["SECOND", 1]
    secret = [
        url("visit", amended, *second),
        url("form", amended, *second, "SCORE", "1"),
        url("form-trail", amended, *second, "SCORE", "1"),
        url("form", amended, "START", 1, "FIT", "1"),
        url("form-trail", amended, "START", 1, "FIT", "1"),
        url("lock-form", amended, "START", 1, "FIT"),
        url("form-copy", amended, row("SECOND", "SCORE").pk),
        url("form-copy", amended, row("START", "FIT").pk),
    ]
    browser = sign_in(data_manager)
    assert [browser.get(page).status_code for page in secret] == [404] * len(secret)
    with pytest.raises(Http404):
        event_for(data_manager, amended.study.oid, amended.number, "SECOND", 1)
    nurse = sign_in(crc)
    assert [nurse.get(page).status_code for page in secret if "lock" not in page] == [200] * (len(secret) - 1)


def test_what_a_check_found_is_not_told_beside_an_open_item(amended, row, sign_in, data_manager, coordinator, crc):
    """Nor when the form itself was taken to the later version."""
    migrate_form(form=row("START", "SCORE"), by=coordinator, reason="Ny versjon")
    page = url("form-trail", amended, "START", 1, "SCORE", "1")
    hissig = [b"hissig arm" in sign_in(user).get(page).content for user in (crc, data_manager)]
    assert hissig == [True, False]


def test_what_is_open_there_is_not_counted_and_a_lock_there_not_shown(amended, data_manager, crc):
    target = Target(amended.study, amended.site, amended)
    counts = [{point.label: point.count for point in open_points(target, user)} for user in (crc, data_manager)]
    assert Query.objects.filter(event__event_oid="SECOND").exists()
    assert [count[str(LABELS["query"])] for count in counts] == [2, 0]
    with change_set(study=amended.study, by=None, action="test"):
        Lock.objects.create(
            study=amended.study, kind="lock", subject=amended, event=amended.events.get(event_oid="SECOND")
        )
        Lock.objects.create(study=amended.study, kind="lock", subject=amended, form_oid="FIT")
    assert shown_locks(amended.study, data_manager) == []
