"""S21. Version 2 asks "stoma, catheter or nephrostomy now?" from week 4; Bodø uses it from 1 September, Bergen 15."""

import shutil
import uuid
from datetime import UTC, date, datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from crf.exports import dataset
from crf.models import FormData, StudyEvent
from crf.selectors.migration import move_of
from crf.selectors.place import place_of
from crf.selectors.rehearsal import rehearsed
from crf.services import migrate_form, save_form
from pallsoft.audit.models import ChangeSet
from pallsoft.audit.selectors import trail_for
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.selectors import version_at
from sites.services import approve_version
from tests.fixtures import DEFINITION
from trials.checker import check
from trials.services import publish_version

pytestmark = [pytest.mark.req("DAT-11"), pytest.mark.django_db(transaction=True)]
BETWEEN = datetime(2026, 9, 10, 10, tzinfo=UTC)
STOMA = (
    "      - {oid: VIS_STOMA, kind: yesno, label: {nb: 'Stomi, kateter eller nefrostomi nå?', "
    "en: 'Stoma, catheter or nephrostomy now?'}, relevant: \"event.oid != 'W2'\", missing: [UNK]}\n"
)


def version_2(folder, *changes):
    """PALLSOFT's own files with version 2 and `changes`: (file, old, new)."""
    directory = folder / "pallsoft"
    shutil.copytree(DEFINITION, directory)
    for file, old, new in [("study.yaml", 'version: "1"', 'version: "2"'), *changes]:
        path = directory / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return directory


ADDED = ("forms/VIS.yaml", "      - {oid: VIS_AE,", STOMA + "      - {oid: VIS_AE,")
RETIRED = ("forms/VIS.yaml", "{oid: VIS_TRIAL, kind: yesno,", '{oid: VIS_TRIAL, retired: "true", kind: yesno,')
FIRST = '    - {version: "1.0", approved_on: 2024-11-01}'
CONSENT = ("study.yaml", FIRST, FIRST + '\n    - {version: "2.0", approved_on: 2026-08-20}')


@pytest.fixture
def bergen(make_site):
    return make_site("BER", "Bergen")


@pytest.fixture
def answered(subject, crc):
    """Week 4 of BOD-001, entered under version 1."""
    event = StudyEvent(study=subject.study, subject=subject, event_oid="W4", ordinal=1)
    given = {"VIS_AE": "N", "VIS_CO": "N", "VIS_TRIAL": "N"}
    save_form(event=event, form_oid="VIS", values=given, seen_version=0, key=uuid.uuid4(), by=crc)
    return FormData.objects.select_related("event", "subject__site", "subject__study", "study").get(form_oid="VIS")


@pytest.fixture
def amended(tmp_path, study, bodo, bergen, answered):
    version = publish_version(loaded=check(version_2(tmp_path, ADDED, RETIRED, CONSENT))[0], by=None).version
    for site, day in ((bodo, 1), (bergen, 15)):
        use(version, site, day)
    return version


def use(version, site, day=1):
    approve_version(
        site=site, version=version, ethics_approved_on=date(2026, 8, 25), ethics_reference="606316-2",
        active_from=date(2026, 9, day), by=None,
    )  # fmt: skip


def values_stored():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM crf_formdata f, jsonb_each(f.data)")
        return cursor.fetchone()[0]


def place(subject, event_oid):
    return place_of(StudyEvent(study=subject.study, subject=subject, event_oid=event_oid, ordinal=1), "VIS", "1")


def test_pc095_each_site_begins_on_its_own_day_while_the_trial_goes_on(amended, bodo, bergen, study):
    with time_machine.travel(BETWEEN, tick=False):
        assert [version_at(site).number for site in (bodo, bergen)] == [2, 1]
    assert version_at(bergen).number == 2


def test_what_was_begun_keeps_its_version_and_is_not_asked_backwards(amended, answered, subject, crc):
    old = place(subject, "W4")
    assert old.study.version == 1 and "VIS_STOMA" not in old.form.item_oids
    with pytest.raises(InvalidInput):
        save_form(event=old.event, form_oid="VIS", values={"VIS_STOMA": "Y"}, seen_version=1, key=uuid.uuid4(), by=crc)
    later = place(subject, "W8")
    assert later.study.version == 2 and "VIS_STOMA" in later.form.item_oids


def test_a_retired_question_is_not_asked_anew(amended, answered, subject, crc):
    later = place(subject, "W8")
    save_form(
        event=later.event, form_oid="VIS", values={"VIS_STOMA": "Y", "VIS_TRIAL": "Y"}, seen_version=0,
        key=uuid.uuid4(), by=crc,
    )  # fmt: skip
    row = FormData.objects.get(event__event_oid="W8")
    assert row.data["VIS_STOMA"] == "Y" and "VIS_TRIAL" not in row.data and "VIS_TRIAL" not in row.marks
    assert FormData.objects.get(event__event_oid="W4").data["VIS_TRIAL"] == "N"


def test_every_stored_value_is_there_after_the_amendment(answered, request):
    before = values_stored()
    request.getfixturevalue("amended")
    assert values_stored() == before


def test_the_export_says_not_asked_in_version_1_and_not_missing(amended, answered, subject, crc, study):
    save_form(event=place(subject, "W8").event, form_oid="VIS", values={}, missing={"VIS_STOMA": "UNK"},
              seen_version=0, key=uuid.uuid4(), by=crc)  # fmt: skip
    definition = check_definition(amended)
    scope = dataset.Scope(("BOD",), True)
    with connection.cursor() as cursor:
        cursor.execute(dataset.query(study, definition, definition.form("VIS"), scope))
        names = [column.name for column in cursor.description]
        rows = {row[names.index("EVENT")]: row for row in cursor.fetchall()}
    told = {event: row[names.index("VIS_STOMA_MISSING")] for event, row in rows.items()}
    assert told == {"W4": "not asked in version 1", "W8": "UNK"}
    assert rows["W8"][names.index("VIS_TRIAL_MISSING")] == "not asked in version 2"
    assert rows["W4"][names.index("VIS_TRIAL")] == "N" and rows["W4"][names.index("VIS_TRIAL_MISSING")] is None


def check_definition(version):
    from trials.definition import definition_of

    return definition_of(version)


def test_pc094_the_rehearsal_says_for_each_subject_what_comes_and_writes_nothing(tmp_path, study, answered, subject):
    directory = version_2(tmp_path, ADDED, RETIRED, CONSENT)
    before = (ChangeSet.objects.count(), values_stored())
    out = StringIO()
    call_command("rehearse_amendment", str(directory), study="PALLSOFT", stdout=out)
    said = out.getvalue()
    assert "added    item VIS_STOMA" in said and "retired  item VIS_TRIAL" in said
    (found,) = rehearsed(study, check(directory)[0].study)
    assert any("Stoma" in effect.what or "Stomi" in effect.what for effect in found.appears)
    assert any(effect.where.startswith(("Week 8:", "Uke 8:")) for effect in found.appears)
    assert not any("Week 4" in effect.where or "Uke 4" in effect.where for effect in found.appears)
    assert not any(effect.where.startswith(("Week 2:", "Uke 2:")) for effect in found.appears)
    assert len(found.retires) == 1 and found.consent == "2.0"
    assert f"{subject.number} (site uses version 1)" in said and "consent: version 2.0" in said
    assert (ChangeSet.objects.count(), values_stored()) == before


@pytest.mark.parametrize(
    "change",
    [
        ("forms/VIS.yaml", "{oid: VIS_SURG, kind: yesno,", "{oid: VIS_SURGERY, kind: yesno,"),
        ("forms/VIS.yaml", '{oid: VIS_OTH, kind: text, length: "120",', "{oid: VIS_OTH, kind: date,"),
        ("code_lists.yaml", "label: {nb: Smerte, en: Pain}", "label: {nb: Blod, en: Blood}"),
    ],
    ids=["an item vanishes", "another kind", "a code means something else"],
)
def test_what_would_lose_or_twist_data_is_neither_rehearsed_as_good_nor_published(tmp_path, study, change):
    directory = version_2(tmp_path, change)
    with pytest.raises(CommandError, match="cannot be published"):
        call_command("rehearse_amendment", str(directory), study="PALLSOFT", stdout=StringIO())
    with pytest.raises(NotAllowedNow):
        publish_version(loaded=check(directory)[0], by=None)
    assert study.versions.count() == 1


def test_pc079_a_form_is_moved_to_the_new_version_with_a_reason_and_stays_one_row_with_its_trail(
    amended, answered, coordinator, crc
):
    before = dict(answered.data)
    with pytest.raises(InvalidInput):
        migrate_form(form=answered, by=coordinator, reason="")
    with pytest.raises(NotPermitted):
        migrate_form(form=answered, by=crc, reason="Spurt i etterkant")
    moved = migrate_form(form=answered, by=coordinator, reason="Svaret står i journalen")
    assert moved.pk == answered.pk and moved.definition_version == amended
    assert before.items() <= moved.data.items()
    change = next(row for row in trail_for(table="crf_formdata", row_id=moved.pk) if row.change and not row.part
                  and row.item == "definition_version_id")  # fmt: skip
    assert (change.reason, change.actor_name) == ("Svaret står i journalen", coordinator.full_name)
    with pytest.raises(NotAllowedNow):
        migrate_form(form=moved, by=coordinator, reason="En gang til")


HIDDEN = ("forms/VIS.yaml", "{oid: VIS_CO, kind: yesno,", "{oid: VIS_CO, relevant: \"VIS_AE == 'Y'\", kind: yesno,")


@pytest.fixture
def form_address(answered, study):
    args = [study.oid, answered.subject.number, "W4", 1, "VIS", "1"]
    return lambda name: reverse(name, args=args)


def test_the_data_manager_sees_what_comes_of_moving_a_form_and_confirms_it_with_a_reason(
    tmp_path, study, bodo, answered, form_address, sign_in, data_manager, crc
):
    use(publish_version(loaded=check(version_2(tmp_path, ADDED, RETIRED, HIDDEN))[0], by=None).version, bodo)
    move = form_address("form-migrate")
    assert move not in sign_in(crc, "en").get(form_address("form")).content.decode()
    assert sign_in(crc, "en").get(move).status_code == sign_in(crc, "en").post(move).status_code == 403
    page = sign_in(data_manager, "en")
    form = page.get(form_address("form")).content.decode()
    assert move in form and "Take this form to version 2" in form
    before = ChangeSet.objects.count()
    html = page.get(move).content.decode()
    for act, what in (
        ("Asked anew, not answered", "Stoma, catheter or nephrostomy now?"),
        ("Set aside, does not count", "Transfusion, haemostatic drug, stent, catheter or procedure? – No"),
        ("Retired, kept", "In another interventional trial? – No"),
    ):
        assert f"<dt>{act}</dt><dd>{what}</dd>" in html
    assert page.post(move, {"reason": " "}).status_code == 422
    assert ChangeSet.objects.count() == before
    assert page.post(move, {"reason": "Svaret står i journalen"}).status_code == 302
    answered.refresh_from_db()
    assert answered.definition_version.number == 2 and answered.marks["VIS_CO"] == {"set_aside": "N"}
    assert page.get(move).status_code == 404
    assert move not in page.get(form_address("form")).content.decode()


def test_what_tells_the_arm_is_not_shown_to_who_moves_a_form(
    tmp_path, study, bodo, subject, crc, sign_in, data_manager
):
    event = StudyEvent(study=study, subject=subject, event_oid="RT", ordinal=1)
    given = {"RTS_START": "Y", "RTS_PLANN": "5"}
    save_form(event=event, form_oid="RTS", values=given, seen_version=0, key=uuid.uuid4(), by=crc)
    retired = ("forms/RTS.yaml", "{oid: RTS_PLANN, kind", '{oid: RTS_PLANN, retired: "true", kind')
    version = publish_version(loaded=check(version_2(tmp_path, retired))[0], by=None).version
    use(version, bodo)
    move = reverse("form-migrate", args=[study.oid, subject.number, "RT", 1, "RTS", "1"])
    html = sign_in(data_manager, "en").get(move).content.decode()
    assert "Nothing on the form changes" in html and "Planned number of fractions" not in html
    form = place_of(event, "RTS", "1")
    assert [line.label for line in move_of(form, version, crc).retired] == ["Planned number of fractions"]


AGE = "derived: year(subject.consent_on) - subject.birth_year"
FORMULA = ("forms/DM.yaml", AGE, f"{AGE} + 1")


def test_pc040_a_changed_formula_is_rehearsed_and_computes_anew_only_what_is_moved_with_its_reason_and_version(
    tmp_path, study, bodo, subject, crc, coordinator
):
    event = StudyEvent(study=study, subject=subject, event_oid="SCREEN", ordinal=1)
    save_form(event=event, form_oid="DM", values={}, seen_version=0, key=uuid.uuid4(), by=crc)
    row = FormData.objects.select_related("event", "subject__site", "subject__study", "study").get()
    age = int(row.data["DM_AGE"])
    loaded = check(version_2(tmp_path, FORMULA))[0]
    (found,) = rehearsed(study, loaded.study)
    assert [effect.what.rpartition(": ")[2] for effect in found.recalculates] == [f"{age} år → {age + 1} år"]
    version = publish_version(loaded=loaded, by=None).version
    use(version, bodo)
    row.refresh_from_db()
    assert int(row.data["DM_AGE"]) == age, "publishing changes no stored value"
    migrate_form(form=row, by=coordinator, reason="Formelen var feil")
    row.refresh_from_db()
    assert int(row.data["DM_AGE"]) == age + 1
    trail = {line.item: line for line in trail_for(table="crf_formdata", row_id=row.pk) if line.change}
    computed, moved = trail["DM_AGE"], trail["definition_version_id"]
    assert (computed.old, computed.new, computed.reason) == (str(age), str(age + 1), "Formelen var feil")
    assert (moved.new, moved.seal_n) == (str(version.pk), computed.seal_n), "in the change set that names the version"


def test_the_page_shows_the_amendment_to_the_coordinator(amended, answered, sign_in, coordinator):
    page = sign_in(coordinator, "en").get("/s/PALLSOFT/amendment/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "Stoma, catheter or nephrostomy now?" in text and "From version 1 to version 2" in text
    assert "606316-2" in text
