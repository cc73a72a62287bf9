"""Instrument packs: licensed wording that a study loads as a version of its definition (D14, study description)."""

import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from crf.answers import SubjectAnswers
from crf.epro.questionnaire import link_forms
from crf.models import StudyEvent
from pallsoft.audit.models import ChangeSet
from randomization.going_live import warnings
from sites.models import Role
from trials.checker import check
from trials.definition import definition_of
from trials.models import Mode, StudyVersion
from trials.selectors import live_version
from trials.services import publish_version

DEFINITIONS = Path(__file__).resolve().parents[3] / "trials/definitions"
FORM = "EQ5D"
ASKED = ["EQ_1", "EQ_2", "EQ_3", "EQ_4", "EQ_5", "EQ_VAS"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(study):
    return study.versions.get()


def text(words):
    return {"nb": f"{words} på norsk, æøå", "en": f"{words} in English"}


def content(**other):
    """An invented pack; no word of it is the instrument's."""
    return {
        "study": "PALLSOFT",
        "form": FORM,
        "instrument": "Oppdiktet skala",
        "version": "2.1",
        "licence": "Avtale 2026-123",
        "notice": text("Notice"),
        "items": {oid: {"label": text(oid)} for oid in ASKED},
        "answers": {"EQ5": {str(n): text(f"Level {n}") for n in range(1, 6)}},
    } | other


@pytest.fixture
def written(tmp_path):
    """written(name, form=…): the file of a pack. JSON is YAML."""

    def write(name="pack.yaml", **other):
        path = tmp_path / name
        path.write_text(json.dumps(content(**other), ensure_ascii=False, indent=1), encoding="utf-8")
        return path

    return write


def load(*files, study="PALLSOFT", **options):
    out, err = StringIO(), StringIO()
    try:
        call_command("load_instrument_pack", study, *map(str, files), stdout=out, stderr=err, **options)
    except CommandError as refusal:
        return f"{refusal}\n{err.getvalue()}"
    return out.getvalue()


def test_a_pack_becomes_the_next_version_and_only_words_change(version, written):
    assert "version 2" in load(written())
    study = version.study
    before, after = definition_of(version), definition_of(live_version(study))
    form = after.form(FORM)
    assert (form.wording.instrument, form.wording.version, form.wording.licence) == (
        "Oppdiktet skala", "2.1", "Avtale 2026-123",
    )  # fmt: skip
    assert not form.lacks_wording and form.instructions is None
    assert after.item("EQ_3").label.nb == "EQ_3 på norsk, æøå"
    assert after.code_list("EQ5").label_of("1").en == "Level 1 in English"
    assert [item.oid for item in form.items] == [item.oid for item in before.form(FORM).items]
    assert after.code_list("EQ5").codes == before.code_list("EQ5").codes
    assert after.item("EQ_INDEX") == before.item("EQ_INDEX")
    assert after.form("QLC") == before.form("QLC") and after.form("QLC").lacks_wording


@pytest.mark.req("AUD-01")
def test_who_loaded_it_stands_in_the_trail_and_the_file_in_the_version(version, written, make_user):
    who = make_user("lastet", "Øyvind Ås")
    file = written()
    load(file, by="lastet")
    newest = live_version(version.study)
    assert ChangeSet.objects.get(pk=newest.created_in_id).actor_id == who.pk
    assert newest.source_files[f"packs/{FORM}.yaml"] == file.read_text(encoding="utf-8")


def test_the_same_pack_loaded_again_writes_nothing(version, written):
    load(written())
    assert "nothing to do" in load(written())
    assert StudyVersion.objects.filter(study=version.study).count() == 2


def test_another_pack_replaces_the_words_and_the_old_ones_stay_provable(version, written):
    load(written())
    load(written(version="2.2", items={oid: {"label": text(f"New {oid}")} for oid in ASKED}))
    labels = {one.number: definition_of(one).item("EQ_1").label.en for one in version.study.versions.all()}
    assert labels[2] == "EQ_1 in English" and labels[3] == "New EQ_1 in English" and labels[1] not in labels[2]


def test_later_versions_of_the_definition_keep_the_pack(version, written, tmp_path):
    load(written())
    directory = Path(shutil.copytree(DEFINITIONS / "pallsoft", tmp_path / "trial"))
    study = (directory / "study.yaml").read_text(encoding="utf-8")
    (directory / "study.yaml").write_text(study.replace('version: "1"', 'version: "3"', 1), encoding="utf-8")
    first = publish_version(loaded=check(directory)[0], by=None)
    assert first.is_new and definition_of(first.version).form(FORM).wording.licence == "Avtale 2026-123"
    assert not publish_version(loaded=check(directory)[0], by=None).is_new


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"study": "ANNEN"}, "the licence is for ANNEN"),
        ({"form": "VIS"}, "VIS is not a form of this study that waits for its wording"),
        ({"form": "FINNESIKKE"}, "FINNESIKKE is not a form"),
        ({"items": {oid: {"label": text(oid)} for oid in ASKED[1:]}}, "EQ_1 has no words"),
        (
            {"items": {oid: {"label": text(oid)} for oid in [*ASKED, "EQ_NOT"]}},
            "EQ_NOT is not a question to the patient",
        ),
        ({"items": {oid: {"label": {"nb": "ja"}} for oid in ASKED}}, "en is missing"),
        ({"answers": {"EQ5": {"1": text("one")}}}, "code 2 has no words"),
        ({"answers": {"EQ5": {str(n): text("x") for n in range(1, 7)}}}, "EQ5 has no code 6"),
        ({"answers": {"QLQ4": {}}}, "QLQ4 is not a code list of a question to the patient"),
        ({"groups": {"EQ_GX": text("x")}}, "EQ_GX is not a section"),
        ({"licence": ""}, "needs a text"),
        (
            {"items": {o: {"label": text(o), "anchors": {"low": text("l"), "high": text("h")}} for o in ASKED}},
            "anchors",
        ),
        ({"seed": "12"}, "seed is not a known key"),
    ],
)
def test_what_does_not_fit_is_told_with_its_line_and_nothing_is_written(version, written, wrong, said):
    told = load(written(**wrong))
    assert said in told and "othing was written" in told
    assert any(f"pack.yaml:{n}:" in told for n in range(1, 200))
    assert StudyVersion.objects.filter(study=version.study).count() == 1


@pytest.mark.parametrize("broken", [b"\xff\xfe", b"study: [", b"study: &a 1\nform: *a", b""])
def test_a_file_that_is_no_pack_is_refused(version, tmp_path, broken):
    file = tmp_path / "pack.yaml"
    file.write_bytes(broken)
    assert "pack.yaml:" in load(file) and StudyVersion.objects.filter(study=version.study).count() == 1


def test_a_file_that_is_not_there_and_a_study_that_is_not_there(version, tmp_path):
    assert "cannot be read" in load(tmp_path / "borte.yaml")
    assert "no published study ANNEN" in load(tmp_path / "borte.yaml", study="ANNEN")


def test_forms_that_share_a_list_say_it_in_the_same_words(version, written):
    def of(form, words):
        asked = [
            i for g in definition_of(version).form(form).groups if not g.by_staff for i in g.items if not i.derived
        ]
        shared = {"QLQ4": {str(n): text(f"{words} {n}") for n in range(1, 5)}}
        return written(f"{form}.yaml", form=form, items={i.oid: {"label": text(i.oid)} for i in asked}, answers=shared)

    assert "version 2" in load(of("QLC", "Litt"), of("QPR", "Litt"))
    assert "form QLC says it in other words" in load(of("QPR", "Noe"))


def test_a_live_study_asks_the_form_only_in_its_own_words(version, written, bodo, enrol):
    load(written())
    subject = enrol(bodo)
    subject.study.mode = Mode.LIVE
    event = StudyEvent(study=subject.study, subject=subject, event_oid="W4", ordinal=1)
    before, after = definition_of(version), definition_of(live_version(version.study))
    asked = [{form.oid for form in link_forms(SubjectAnswers(subject, one), event)} for one in (before, after)]
    assert FORM not in asked[0] and FORM in asked[1] and "QLC" not in asked[1]


def test_going_live_names_only_what_still_waits_for_its_wording(version, written):
    load(written())
    (said,) = [sentence for sentence in warnings(version.study) if "QLQ-C30" in sentence]
    assert "EQ-5D-5L" not in said


def test_the_study_description_tells_instrument_and_licence(version, written, make_user, sign_in):
    load(written())
    person = make_user("leser", "Åse Berg", Role.COORDINATOR)
    page = sign_in(person).get(reverse("study-description", args=["PALLSOFT"])).content.decode()
    assert "Oppdiktet skala 2.1" in page and "Avtale 2026-123" in page and "Ikke på plass" in page
