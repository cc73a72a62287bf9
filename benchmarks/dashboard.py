"""What the recruitment page costs with 100,000 participants, against 200 at as many sites and against an empty view."""

import datetime as dt
from typing import Any

from django.test import Client, override_settings
from django.urls import reverse

from benchmarks.database import analyze
from benchmarks.measure import Ratio, in_turn
from benchmarks.reminders import server_login
from benchmarks.trial import Trial, add_subjects
from pallsoft.accounts.models import Profession, User
from pallsoft.audit.context import change_set
from pallsoft.recruiting_sites import recruitment_by_site
from sites.models import Assignment, Role, Site
from trials.checker import check_document
from trials.models import Status, Study
from trials.services import publish_version

SITES, SMALL, DAYS = 11, 200, 700
# One in three of those considered is included, evenly over the days; one in ten of the rest fails after the consent.
PEOPLE = """
    CREATE TEMP TABLE people ON COMMIT DROP AS
    SELECT n, gen_random_uuid() AS id, (%(sites)s::uuid[])[1 + n %% %(of)s] AS site_id, n %% 3 = 0 AS included,
        n %% 30 = 1 AS failed, now() - %(days)s * interval '1 day' * n / (3 * %(included)s) AS at
    FROM generate_series(1, 3 * %(included)s) n;
    INSERT INTO sites_subject
    SELECT made.* FROM (SELECT s FROM sites_subject s LIMIT 1) AS of_one(one), people,
        LATERAL json_populate_record(one, json_build_object('id', id, 'request_key', gen_random_uuid(), 'study_id',
            %(study)s, 'site_id', site_id, 'number', 'D-' || n,
            'status', CASE WHEN included THEN 'randomized' ELSE 'screen_failure' END)) made WHERE included OR failed;
    INSERT INTO sites_consent
    SELECT made.* FROM (SELECT c FROM sites_consent c LIMIT 1) AS of_one(one), people,
        LATERAL json_populate_record(one, json_build_object('id', gen_random_uuid(), 'study_id', %(study)s,
            'subject_id', id, 'signed_at', at)) made WHERE included OR failed;
    INSERT INTO sites_screeningentry (id, created_in, study_id, site_id, own_number, screened_in, age_band, sex,
        outcome, reason_code, subject_id, request_key)
    SELECT gen_random_uuid(), gen_random_uuid(), %(study)s, site_id, n, date_trunc('month', at), '70-79', 'F',
        CASE WHEN included OR failed THEN 'consented' ELSE 'declined' END,
        CASE WHEN included OR failed THEN '' ELSE 'declined' END, CASE WHEN included OR failed THEN id END,
        gen_random_uuid() FROM people;
    INSERT INTO randomization_allocation (id, created_in, study_id, site_id, subject_id, stratum_id, key,
        allocated_by_id, at, inputs, inputs_sha256, software_version, arm, seq, txid)
    SELECT gen_random_uuid(), gen_random_uuid(), %(study)s, site_id, id, gen_random_uuid(), gen_random_uuid(),
        %(by)s, at, '{}', '', '', 'A', n, '1'::xid8 FROM people WHERE included;
    INSERT INTO randomization_tally (site_id, kind, day, code, n)
    SELECT site_id, kind, day, code, n FROM randomization_recounted WHERE site_id = ANY (%(sites)s::uuid[]);
"""


def recruitment_page(trial: Trial, included: int) -> list[Ratio]:
    """Through all middleware, as the coordinator sees it with forecast, figure and table of sites."""
    add_subjects(trial, 1, answered=False)  # the pattern
    coordinator = _coordinator()
    many, few = (_study(trial, oid, n, coordinator) for oid, n in (("MANY", included), ("FEW", SMALL)))
    analyze()
    assert [_included(study) for study in (many, few)] == [included, SMALL]
    client = Client()
    with override_settings(ROOT_URLCONF="benchmarks.page", ALLOWED_HOSTS=["testserver"]):
        client.force_login(coordinator, backend="allauth.account.auth_backends.AuthenticationBackend")
        pages = [reverse("recruitment", args=[study.oid]) for study in (many, few)]
        answers = [client.get(page) for page in pages]
        assert [answer.status_code for answer in answers] == [200, 200]
        against_few = in_turn(lambda: client.get(pages[0]), lambda: client.get(pages[1]), rounds=40)
        against_empty = in_turn(lambda: client.get(pages[0]), lambda: client.get("/empty/"), rounds=40)
    return [
        Ratio(f"recruitment page of {included:,} included / of {SMALL}", *against_few, "ms", 1.5),
        Ratio(f"recruitment page of {included:,} included / empty view", *against_empty, "ms", 15),
    ]


def _included(study: Study) -> int:
    return sum(row.included for row in recruitment_by_site(study, list(study.sites.all()), dt.date.today()))


def _coordinator() -> User:
    with change_set(study=None, by=None, action="benchmark", reason="benchmark"):
        person = User(username="teller", full_name="Øyvind Teller", email="t@example.org", profession=Profession.OTHER)
        person.set_unusable_password()
        person.save()
    return person


def _study(trial: Trial, oid: str, included: int, coordinator: User) -> Study:
    """PALLSOFT under another name, open at as many sites for DAYS."""
    document: dict[str, Any] = {**trial.version.definition, "oid": oid, "target": str(2 * included)}
    version = publish_version(loaded=check_document(document, {}), by=None).version
    study, opened = version.study, dt.date.today() - dt.timedelta(days=DAYS + 30)
    with change_set(study=study, by=None, action="benchmark", reason="benchmark"):
        study.status = Status.OPEN
        study.save()
        sites = Site.objects.bulk_create(
            Site(study=study, code=f"B{n:02d}", name="Målesykehuset", city=f"Målby {n}", status=Status.OPEN,
                 status_since=opened)
            for n in range(SITES)
        )  # fmt: skip
        for site in sites:
            site.versions.create(
                study=study, version=version, active_from=opened, ethics_approved_on=opened, ethics_reference="-"
            )
        Assignment.objects.create(study=study, user=coordinator, role=Role.COORDINATOR, valid_from=dt.date.today())
    given = {"sites": [str(site.pk) for site in sites], "of": SITES, "days": DAYS, "included": included}
    with server_login() as server, server.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(PEOPLE, given | {"study": str(study.pk), "by": coordinator.pk})
    return study
