"""A questionnaire that only one arm is asked stands among the scores for nobody who may not see the arm (ACC-03)."""

from shutil import copytree

import pytest

from crf import facts
from crf.answers import SubjectAnswers
from crf.selectors.scores import scores_of
from sites.selectors import definition_at
from tests.integration.crf.conftest import HERE
from trials.checker import check

pytestmark = [pytest.mark.django_db, pytest.mark.req("ACC-03")]

EXTRA = """oid: EXTRA
title: {nb: Ekstra spørsmål, en: Extra question}
kind: patient
groups:
  - oid: EXTRA_G1
    items:
      - oid: EXTRA_SKIN
        label: {nb: Plager i huden, en: Complaints of the skin}
        kind: nrs
        anchors: {low: {nb: ingen, en: none}, high: {nb: verst tenkelig, en: worst imaginable}}
"""
ASKED = '{oid: WK4, kind: scheduled, label: {nb: Uke 4, en: Week 4}, day: "28", before: "5", after: "5", forms: ['


@pytest.fixture(scope="session")
def definition(tmp_path_factory):
    """With a form of the patient at week 4 that is asked in arm A only."""
    folder = copytree(HERE / "definition", tmp_path_factory.mktemp("arms") / "definition")
    (folder / "forms" / "EXTRA.yaml").write_text(EXTRA, encoding="utf-8")
    schedule = (folder / "schedule.yaml").read_text(encoding="utf-8")
    assert ASKED in schedule
    with_form = schedule.replace(ASKED, f"{ASKED}{{form: EXTRA, relevant: \"fact.arm == 'A'\"}}, ")
    (folder / "schedule.yaml").write_text(with_form, encoding="utf-8")
    loaded, problems = check(folder)
    assert loaded, [str(problem) for problem in problems]
    return loaded


def test_the_scores_of_it_are_for_who_may_see_the_arm(monkeypatch, subject, save, crc, coordinator):
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"arm": "A"}])
    save("WK4", "EXTRA", {"EXTRA_SKIN": "7"})
    save("WK4", "SCORE", {"SCORE_PAIN": "3"})
    answers = SubjectAnswers(subject, definition_at(subject.site))
    shown = {user: {row.label for row in scores_of(answers, user).rows} for user in (crc, coordinator)}
    assert shown[crc] - shown[coordinator] == {"Plager i huden"} and "Smerte" in shown[coordinator]
