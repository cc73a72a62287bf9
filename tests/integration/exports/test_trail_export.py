"""AUD-10: the whole trail as CSV and JSON Lines, with totals that equal the database's."""

import csv
import hashlib
import io
import json
import re
import zipfile
from shutil import copytree

import pytest
from django.db import connection
from django.urls import reverse

from crf import facts
from crf.exports import jobs
from crf.exports.services import request_trail
from crf.models import Deviation, ExportState
from pallsoft.audit.anchors import path as anchors
from pallsoft.audit.context import change_set
from pallsoft.errors import NotPermitted
from tests.integration.crf.conftest import HERE
from trials.checker import check
from trials.services import publish_version

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("AUD-10")]


@pytest.fixture(autouse=True)
def export_dir(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path


@pytest.fixture
def exported(study):
    """exported(by): the finished job and its files, {name: text}."""

    def make(by):
        job = request_trail(study=study, by=by)
        jobs.run_export(job.id)
        job.refresh_from_db()
        assert (job.state, job.error) == (ExportState.DONE, "")
        with zipfile.ZipFile(jobs.path_of(job)) as archive:
            return job, {name: archive.read(name).decode() for name in archive.namelist()}

    return make


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def count(query, *given):
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        return cursor.fetchone()[0]


@pytest.fixture
def history(save, subject):
    text = 'blåbær; "sitat", linje\nto \\ Čáhci =1+1 '
    save("START", "BASE", {"BASE_LONG": text, "BASE_WEIGHT": "70"})
    save("START", "BASE", {"BASE_WEIGHT": "71.5"}, reason="lest feil, «Bodø»")
    return text


def test_the_totals_of_both_files_are_those_of_the_database(history, exported, inspector, study):
    job, files = exported(inspector)
    total = count("SELECT count(*) FROM audit.trail WHERE study_id = %s AND seal_n <= %s", study.pk, job.seal_n)
    assert len(rows(files["trail.csv"])) == len(lines(files["trail.jsonl"])) == total
    assert job.manifest["database"]["lines"] == total > 100
    changes = "SELECT count(*) FROM audit.seal WHERE study_id = %s AND n <= %s"
    assert len(rows(files["chain.csv"])) == count(changes, study.pk, job.seal_n) == job.manifest["database"]["links"]
    chain = rows(files["chain.csv"])
    assert sum(int(row["FIRST_VALUES"]) for row in chain) == job.manifest["database"]["first_values"]
    assert sum(int(row["CHANGES"]) for row in chain) == job.manifest["database"]["changes"]


def test_the_manifest_hashes_every_file(history, exported, inspector):
    _job, files = exported(inspector)
    manifest = json.loads(files.pop("manifest.json"))
    assert {entry["file"]: entry["sha256"] for entry in manifest["files"]} == {
        name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()
    }


def test_a_change_comes_out_with_who_when_from_what_to_what_and_why(history, exported, inspector):
    _job, files = exported(inspector)
    told = {
        "ACTOR": "Åse Nordgård",
        "ROLE": "study_nurse",
        "SITE": "BOD",
        "SUBJECT": "BOD-001",
        "EVENT": "START",
        "FORM": "BASE",
        "PART": "data",
        "ACTION": "crf.save_form",
        "REASON": "lest feil, «Bodø»",
    }
    (typed,) = [row for row in rows(files["trail.csv"]) if row["ITEM"] == "BASE_WEIGHT" and row["REASON"]]
    (lined,) = [row for row in lines(files["trail.jsonl"]) if row["ITEM"] == "BASE_WEIGHT" and row["REASON"]]
    assert {key: typed[key] for key in told} == {key: lined[key] for key in told} == told
    assert (json.loads(typed["OLD"]), json.loads(typed["NEW"])) == (lined["OLD"], lined["NEW"]) == ("70", "71.5")


def test_pc092_text_comes_back_to_the_letter_from_both_files(history, exported, inspector):
    _job, files = exported(inspector)
    (typed,) = [json.loads(row["NEW"]) for row in rows(files["trail.csv"]) if row["ITEM"] == "BASE_LONG"]
    (lined,) = [row["NEW"] for row in lines(files["trail.jsonl"]) if row["ITEM"] == "BASE_LONG"]
    assert typed == lined == history


@pytest.mark.req("AUD-11")
def test_what_betrays_the_arm_is_left_out_for_who_may_not_see_it_and_counted(save, exported, data_manager, inspector):
    save("TREAT", "DOSE", {"DOSE_ON": "2026-09-15", "DOSE_GY": "27.3"}, repeat_key="new")
    _job, seen = exported(inspector)
    job, hidden = exported(data_manager)
    assert "27.3" in seen["trail.csv"] and "27.3" in seen["trail.jsonl"]
    no_second = re.compile(r"(?<!:)27\.3")  # as in 12:00:27.3
    assert not no_second.search(hidden["trail.csv"] + hidden["trail.jsonl"])
    told = [row for row in rows(hidden["trail.csv"]) if not row["TABLE"].startswith("trials_")]
    assert not any("DOSE" in value for row in told for value in row.values())
    saves = [sum(row["ACTION"] == "crf.save_form" for row in rows(files["chain.csv"])) for files in (seen, hidden)]
    assert saves == [1, 0]  # nor can the hidden ones be counted
    left_out = job.manifest["database"]["lines"] - len(rows(hidden["trail.csv"]))
    assert job.manifest["lines_that_betray_the_arm"] == f"left out: {left_out}"
    assert left_out > 5


@pytest.fixture
def later_version(coordinator):
    """later_version(folder): version 2, in which the check that tells the arm does not ask for it any more."""

    def publish(folder):
        folder = copytree(HERE / "definition", folder / "definition")
        changes = [("study.yaml", 'version: "1"', 'version: "2"'), ("forms/SCORE.yaml", "fact.arm == 'B' and ", "")]
        for path, old, new in changes:
            text = (folder / path).read_text(encoding="utf-8")
            assert old in text
            (folder / path).write_text(text.replace(old, new), encoding="utf-8")
        loaded, problems = check(folder)
        assert loaded, [str(problem) for problem in problems]
        publish_version(loaded=loaded, by=coordinator)

    return publish


@pytest.mark.req("AUD-11", "RND-08")
@pytest.mark.parametrize("amended", [False, True])
def test_what_a_check_that_asks_for_the_arm_found_is_left_out_too(
    save, row, exported, data_manager, inspector, monkeypatch, later_version, tmp_path, amended
):
    """It stands at an item that is no secret; also when a later version asks it of both arms."""
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"arm": "B"}])
    save("START", "SCORE", {"SCORE_PAIN": "10", "SCORE_WORST": "10"}, why={"SCORE_C3": "hissig arm"})
    form = row("START", "SCORE")
    with change_set(study=form.study, by=None, action="test"):
        Deviation.objects.create(
            study=form.study, subject=form.subject, event=form.event, form_data=form, check_oid="SCORE_C3",
            check_version=1, message={"en": "arm B"}, explanation="hissig avvik",
        )  # fmt: skip
    if amended:
        later_version(tmp_path)
    for who, sees in ((inspector, True), (data_manager, False)):
        _job, files = exported(who)
        told = [line for line in rows(files["trail.csv"]) if not line["TABLE"].startswith("trials_")]
        text = repr(told)
        assert [word in text for word in ("SCORE_C3", "hissig arm", "hissig avvik")] == [sees] * 3
        assert any(line["ITEM"] == "SCORE_PAIN" and line["PART"] == "data" for line in told)


def test_who_may_not_export_the_trail_is_refused(study, crc, statistician, sign_in, inspector):
    for user in (crc, statistician):
        with pytest.raises(NotPermitted):
            request_trail(study=study, by=user)
    page = sign_in(inspector).get(reverse("export", args=[study.oid]))
    assert (page.context["may_export"], page.context["may_export_trail"]) == (False, True)
    assert sign_in(statistician).post(reverse("export", args=[study.oid]), {"kind": "trail"}).status_code == 403


@pytest.mark.req("AUD-08")
def test_an_export_anchors_the_chain(history, exported, inspector):
    job, _files = exported(inspector)
    last = json.loads(anchors().read_text(encoding="utf-8").splitlines()[-1])
    assert (last["why"], last["n"]) == (f"export {job.file_name}", job.seal_n + 1)
