"""The demonstration data: invented, whole, made through the services, and made once."""

import json
import re
from collections import Counter
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from crf.models import FormData, FormStatus, Signature
from pallsoft.accounts.models import User
from pallsoft.demo.names import SITE_STAFF, STUDY_STAFF
from pallsoft.recruitment import recruitment_of
from randomization.models import Allocation
from sites.identity_guard import identity_numbers
from sites.models import Role, ScreeningEntry, Site, Subject, SubjectStatus
from trials.models import Mode, Status, Study
from trials.services import publish_version


@pytest.fixture
def loaded(definition):
    return publish_version(loaded=definition, by=None).version.study


@pytest.fixture
def seed(loaded, tmp_path, monkeypatch):
    monkeypatch.setenv("PALLSOFT_DEMO_DIR", str(tmp_path))

    def seed(*arguments):
        said = StringIO()
        call_command("seed_demo", "--processes", "1", *arguments, stdout=said)
        return said.getvalue()

    return seed


UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def everything_that_is_stored():
    """Without keys: among the digits of a random one an identity number stands by chance."""
    with connection.cursor() as cursor:
        for table in ("crf_formdata", "sites_subject", "sites_screeningentry", "accounts_user"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            yield from (UUID.sub("", text) for (text,) in cursor.fetchall())


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("PRV-08")
def test_a_small_demonstration_is_whole_and_a_second_run_changes_nothing(seed, tmp_path, definition):
    assert "12 invented subjects" in seed("--subjects", "12")

    states = Counter(Subject.objects.values_list("status", flat=True))
    assert states == {SubjectStatus.RANDOMIZED: 8, SubjectStatus.SCREEN_FAILURE: 2, SubjectStatus.SCREENING: 2}
    assert Allocation.objects.count() == 8
    assert Allocation.objects.filter(happened_at=None).count() == 1  # today's, from the central list
    assert Signature.objects.count() == 9  # all of them, and one who waits to be randomised
    assert ScreeningEntry.objects.count() == 12 + 6
    assert Site.objects.count() == 11
    assert {"DM", "NRS", "QLC", "ELIG", "RTF", "TOX"} <= set(FormData.objects.values_list("form_oid", flat=True))
    assert not FormData.objects.filter(status=FormStatus.INCOMPLETE).exists()

    inclusions = recruitment_of(Study.objects.get(), definition.study, list(Site.objects.all()), date.today())
    assert inclusions.total == 8
    assert sum(count > 0 for count in inclusions.per_month) > 2  # by the day of the randomisation, not of its entry

    names = {name for staff in SITE_STAFF.values() for name in staff} | {post.full_name for post in STUDY_STAFF}
    assert set(User.objects.values_list("full_name", flat=True)) == names
    assert any(re.search("[æøå]", text) for text in everything_that_is_stored())
    assert not [text for text in everything_that_is_stored() if identity_numbers(text)]

    accounts = json.loads((tmp_path / "accounts.json").read_text(encoding="utf-8"))
    assert (tmp_path / "accounts.json").stat().st_mode & 0o777 == 0o600
    assert accounts[0]["username"] == "nurse.bod"
    assert {account["role"] for account in accounts} == set(Role.values)
    assert all(User.objects.get(username=one["username"]).check_password(one["password"]) for one in accounts[:2])

    call_command("verify_audit", stdout=StringIO())
    before = FormData.objects.count()
    assert "nothing was done" in seed("--subjects", "40", "--seed", "7")
    assert FormData.objects.count() == before


@pytest.mark.django_db
def test_a_live_study_is_never_filled_with_invented_people(seed, loaded):
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit.begin(%s, NULL, 'test', '', NULL, 'test', 'goes live', '', '')", [loaded.pk])
    Study.objects.update(mode=Mode.LIVE)
    with pytest.raises(CommandError, match="live"):
        seed()
    assert not Subject.objects.exists()


@pytest.mark.django_db
def test_an_installation_in_real_use_refuses(seed, settings):
    settings.MODE = "production"
    with pytest.raises(CommandError, match="demonstration only"):
        seed()


@pytest.mark.django_db
def test_the_study_must_be_loaded_first(settings):
    with pytest.raises(CommandError, match="load_study"):
        call_command("seed_demo")
    assert not Study.objects.filter(status=Status.OPEN).exists()
