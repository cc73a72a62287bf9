"""Publishing a definition: all or nothing, once, immutable, under a change set."""

import shutil
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.http import Http404
from django.utils import translation

from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import NotAllowedNow
from sites.models import Site, SiteVersion
from sites.selectors import version_at
from trials.checker import check
from trials.definition import definition_of
from trials.models import ItemColumn, Mode, Status, Study, StudyVersion
from trials.selectors import live_version, study_by_oid
from trials.services import publish_version

DEFINITIONS = Path(__file__).resolve().parents[3] / "trials/definitions"
DRY_MOUTH = DEFINITIONS / "munntorr"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def definition(tmp_path):
    return Path(shutil.copytree(DRY_MOUTH, tmp_path / "trial"))


@pytest.fixture
def version():
    return publish_version(loaded=check(DRY_MOUTH)[0], by=None).version


def change(definition, file, old, new):
    text = (definition / file).read_text(encoding="utf-8")
    assert old in text
    (definition / file).write_text(text.replace(old, new), encoding="utf-8")


def load(directory, **options):
    out, err = StringIO(), StringIO()
    call_command("load_study", str(directory), stdout=out, stderr=err, **options)
    return out.getvalue()


def written():
    return Study.objects.count(), StudyVersion.objects.count(), ItemColumn.objects.count(), ChangeSet.objects.count()


@pytest.mark.parametrize("directory", sorted(DEFINITIONS.glob("*/")), ids=lambda path: path.name)
def test_every_trial_of_the_repository_is_published_without_python(directory):
    assert "version 1 published" in load(directory)
    study = definition_of(live_version(Study.objects.get()))
    assert ItemColumn.objects.count() == sum(len(form.items) for form in study.forms)


def test_a_new_study_is_planned_in_test_mode_with_randomisation_shut(version):
    study = version.study
    assert (study.mode, study.status, study.randomization_open) == (Mode.TEST, Status.PLANNED, False)
    assert study.title.startswith("Invented trial")


def test_the_version_keeps_document_hash_and_files(version):
    loaded = check(DRY_MOUTH)[0]
    version.refresh_from_db()
    assert (version.definition, version.sha256) == (loaded.document, loaded.sha256)
    assert version.source_files["forms/DRY.yaml"] == (DRY_MOUTH / "forms/DRY.yaml").read_text(encoding="utf-8")


@pytest.mark.req("DAT-07")
def test_the_database_is_told_what_each_item_can_hold(version):
    columns = {column.item_oid: column for column in version.item_columns.all()}
    night, teeth, denture = columns["DRY_NIGHT"], columns["BASE_TEETH"], columns["BASE_DENTURE_NIGHT"]
    assert (night.kind, night.min, night.max, night.codes) == ("integer", 0, 50, None)
    assert (teeth.form_oid, teeth.codes) == ("BASE", ["OWN", "PART", "FULL"])
    assert (denture.codes, denture.missing_codes) == (["Y", "N"], ["ND", "UNK", "REF", "NA"])
    assert columns["SALIVA_RATE"].decimals == 3
    assert columns["SIDE_TEXT"].length == 100


def test_publishing_says_who_did_what(version, django_user_model):
    action, reason = ChangeSet.objects.values_list("action", "reason").get(pk=version.created_in_id)
    assert (action, reason) == ("trials.publish_version", "version 1")


def test_the_same_content_again_writes_nothing_and_says_so(version):
    before = written()
    assert "is published already, with the same content: nothing to do" in load(DRY_MOUTH)
    assert written() == before


def test_other_content_under_a_used_number_is_refused(version, definition):
    change(definition, "forms/DRY.yaml", "en: Date", "en: Day")
    before = written()
    with pytest.raises(CommandError, match="Give the new content version 2"):
        load(definition)
    assert written() == before


def test_new_content_gets_a_new_number_and_the_old_version_stays(version, definition):
    change(definition, "study.yaml", 'version: "1"\ntitle', 'version: "3"\ntitle')
    change(definition, "study.yaml", "Invented trial:", "Invented trial, amended:")
    newer = publish_version(loaded=check(definition)[0], by=None).version
    assert live_version(newer.study) == newer
    assert Study.objects.get().title.startswith("Invented trial, amended:")
    assert definition_of(StudyVersion.objects.get(number=1)).title.en.startswith("Invented trial:")


def test_a_number_below_a_published_one_is_refused(version, definition):
    change(definition, "study.yaml", 'version: "1"\ntitle', 'version: "3"\ntitle')
    publish_version(loaded=check(definition)[0], by=None)
    change(definition, "study.yaml", 'version: "3"\ntitle', 'version: "2"\ntitle')
    with pytest.raises(NotAllowedNow, match="Give the new content version 4"):
        publish_version(loaded=check(definition)[0], by=None)


def test_with_any_error_all_are_told_and_nothing_is_written(definition):
    change(definition, "forms/DRY.yaml", "DRY_NOW > 0", "DRY_NEW > 0")
    change(definition, "study.yaml", "target: 90", "target: x")
    before, err = written(), StringIO()
    with pytest.raises(CommandError, match=r"2 error\(s\) in .*; nothing was written"):
        call_command("load_study", str(definition), stderr=err)
    assert [line.split(": ")[0] for line in err.getvalue().splitlines()] == ["forms/DRY.yaml:24", "study.yaml:9"]
    assert written() == before


def test_check_alone_writes_nothing():
    before = written()
    assert "MUNNTORR version 1: no errors" in load(DRY_MOUTH, check=True)
    assert written() == before


def test_an_unknown_publisher_is_refused():
    with pytest.raises(CommandError, match="There is no user ingen"):
        load(DRY_MOUTH, by="ingen")


def test_a_failure_half_way_leaves_neither_study_nor_version():
    before = written()
    not_storable = replace(check(DRY_MOUTH)[0], files={"study.yaml": "\0"})
    with pytest.raises(DatabaseError), transaction.atomic():
        publish_version(loaded=not_storable, by=None)
    assert written() == before


@pytest.mark.parametrize("statement", [
    "UPDATE trials_studyversion SET definition = '{}'",
    "UPDATE trials_studyversion SET number = 9",
    "DELETE FROM trials_studyversion",
    "UPDATE trials_itemcolumn SET max = 99",
    "DELETE FROM trials_itemcolumn",
])  # fmt: skip
def test_a_published_version_cannot_be_changed_by_the_application(version, statement):
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        change_set(study=version.study, by=None, action="test", reason="try"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_page_needs_one_query_for_the_version_and_none_for_the_definition(version, django_assert_num_queries):
    definition_of(live_version(version.study))
    with django_assert_num_queries(1):
        definition = definition_of(live_version(version.study))
    with django_assert_num_queries(0):
        assert definition.item("DRY_NOW").kind == "nrs"


def test_an_unknown_study_is_not_found(version):
    assert study_by_oid("MUNNTORR") == version.study
    with pytest.raises(Http404):
        study_by_oid("NOTHING")


def use(site, version, since):
    with change_set(study=site.study, by=None, action="test"):
        SiteVersion.objects.create(
            study=site.study,
            site=site,
            version=version,
            active_from=since,
            ethics_approved_on=since,
            ethics_reference="1",
        )


def test_a_site_works_with_the_version_it_has_put_to_use(version, definition):
    change(definition, "study.yaml", 'version: "1"\ntitle', 'version: "2"\ntitle')
    newer = publish_version(loaded=check(definition)[0], by=None).version
    with change_set(study=version.study, by=None, action="test"):
        site = Site.objects.create(study=version.study, code="BOD", name="Nordlandssykehuset", city="Bodø")
    with pytest.raises(NotAllowedNow, match="No version of the trial is in use here yet"):
        version_at(site)
    use(site, version, date.today() - timedelta(days=30))
    use(site, newer, date.today() + timedelta(days=30))
    assert version_at(site) == version
    assert live_version(version.study) == newer
