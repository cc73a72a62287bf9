"""The database as migrated: which table is trailed, what the application may do with it, and who may run what."""

import pytest
from django.core.management import call_command

from pallsoft.audit.exemptions import EXEMPT, OTHER_SCHEMAS, REGULATED, UNTRAILED_COLUMNS
from tests.integration.audit.small_trial import rows

pytestmark = pytest.mark.django_db

ALL = "DELETE INSERT SELECT UPDATE"
CHANGING = "INSERT SELECT UPDATE"
GRANTS = {
    "account_emailaddress": ALL,
    "account_emailconfirmation": ALL,
    "accounts_user": CHANGING,
    "auth_permission": "SELECT",
    "crf_deviation": CHANGING,
    "crf_draft": ALL,
    "crf_exportjob": CHANGING,
    "crf_formdata": CHANGING,
    "crf_lock": "INSERT SELECT UPDATE(lift_requested_in, lifted_in)",
    "crf_maskrequest": "INSERT SELECT UPDATE(confirmed_in, refused_in)",
    "crf_monitoringvisit": CHANGING,
    "crf_personallink": CHANGING,
    "crf_query": CHANGING,
    "crf_querymessage": "INSERT SELECT",
    "crf_request": "INSERT SELECT",
    "crf_safetyassessment": CHANGING,
    "crf_safetyreport": "INSERT SELECT UPDATE(read_in)",
    "crf_signature": "INSERT SELECT UPDATE(voided_in)",
    "crf_studyevent": CHANGING,
    "crf_verification": "INSERT SELECT UPDATE(dropped_in)",
    "crf_wrongtoken": ALL,
    "django_content_type": "SELECT",
    "django_migrations": "SELECT",
    "django_session": ALL,
    "mfa_authenticator": ALL,
    "outbox_message": CHANGING,
    "pallsoft_cache": ALL,
    "sites_aliveinrecord": "INSERT SELECT UPDATE(ended_in)",
    "sites_assignment": CHANGING,
    "sites_consent": CHANGING,
    "sites_consentoption": CHANGING,
    "sites_contactattempt": "INSERT SELECT",
    "sites_contactchange": "SELECT",
    "sites_death": "INSERT SELECT UPDATE(ended_in)",
    "sites_delegation": CHANGING,
    "sites_erasure": (
        "INSERT SELECT UPDATE(declined_in, exceptions, first_confirmed_at, first_confirmed_by_id, held_by)"
    ),
    "sites_sampletask": CHANGING,
    "sites_screeningentry": CHANGING,
    "sites_site": CHANGING,
    "sites_siteversion": CHANGING,
    "sites_stop": "INSERT SELECT UPDATE(ended_in, lifted_by_id)",
    "sites_subject": CHANGING,
    "trials_ctcaetable": "INSERT SELECT",
    "trials_ctcaeterm": "INSERT SELECT",
    "trials_itemcolumn": "INSERT SELECT",
    "trials_study": CHANGING,
    "trials_studyversion": "INSERT SELECT",
}
TABLES = """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%'
    AND n.nspname NOT IN ('information_schema', 'seed_rows')"""


def tables():
    return {name for schema, name in rows(TABLES) if schema == "public"}


@pytest.mark.req("AUD-05")
def test_every_table_is_trailed_or_exempt_for_a_reason():
    assert tables() == REGULATED | set(EXEMPT)
    assert REGULATED.isdisjoint(EXEMPT)
    assert {schema for schema, _name in rows(TABLES)} == {"public", *OTHER_SCHEMAS}
    assert all(len(reason.split()) > 2 for reason in EXEMPT.values())


@pytest.mark.req("AUD-05")
def test_the_columns_left_out_of_the_trail_are_those_with_a_reason():
    left_out = {table: set(columns) for table, columns in rows("SELECT tbl, excluded FROM audit.regulated") if columns}
    assert left_out == {table: set(columns) for table, columns in UNTRAILED_COLUMNS.items()}


TRIGGERS = """
    SELECT t.tgname, p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = %s::regclass AND NOT t.tgisinternal AND t.tgname LIKE 'trail\\_%%'
    AND t.tgenabled = 'O' AND p.prosecdef AND p.pronamespace = 'audit'::regnamespace
    AND p.proowner = 'pallsoft_owner'::regrole
    AND array_to_string(p.proconfig, ' ') LIKE '%%search_path=pg_catalog, pg_temp%%'
"""


@pytest.mark.req("AUD-05")
@pytest.mark.parametrize("table", sorted(REGULATED))
def test_a_regulated_table_has_all_our_triggers_and_they_are_on(table):
    functions = dict(rows(TRIGGERS, [table]))
    assert functions.pop("trail_once", "refuse_update") == "refuse_update"
    assert functions == {
        "trail_insert": "record_insert",
        "trail_update": "record_update",
        "trail_delete": "refuse",
        "trail_truncate": "refuse",
    }


@pytest.mark.req("AUD-05")
def test_no_trigger_is_switched_off_and_all_belong_to_us():
    off = rows("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgenabled <> 'O'")
    weak = rows("""SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'audit'::regnamespace
        AND p.prorettype = 'trigger'::regtype AND (NOT p.prosecdef OR p.proconfig IS NULL)""")
    assert (off, weak) == ([], [])


def granted():
    whole = rows("""SELECT c.relname, string_agg(a.privilege_type, ' ' ORDER BY a.privilege_type)
        FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.grantee = 'pallsoft_app'::regrole
        GROUP BY c.relname""")
    columns = rows("""SELECT c.relname, a.privilege_type || '(' || string_agg(t.attname, ', ' ORDER BY t.attname) || ')'
        FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid CROSS JOIN LATERAL aclexplode(t.attacl) a
        WHERE c.relnamespace = 'public'::regnamespace AND a.grantee = 'pallsoft_app'::regrole
        GROUP BY c.relname, a.privilege_type""")
    found = dict(whole)
    for table, privilege in columns:
        found[table] = f"{found.get(table, '')} {privilege}".strip()
    return found


@pytest.mark.req("AUD-06")
def test_the_application_has_exactly_these_rights():
    """randomization's tables are listed by its own tests: arm and seq must stay out of reach."""
    assert {t: rights for t, rights in granted().items() if not t.startswith("randomization_")} == GRANTS


@pytest.mark.req("AUD-06", "DAT-14")
def test_no_regulated_table_may_be_deleted_from():
    assert [t for t, rights in granted().items() if t in REGULATED and ("DELETE" in rights or "TRUNC" in rights)] == []


def test_nothing_is_granted_to_everybody():
    public = rows("""SELECT c.oid::regclass::text FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
        WHERE c.relnamespace IN ('public'::regnamespace, 'audit'::regnamespace) AND a.grantee = 0""")
    assert public == []


@pytest.mark.req("AUD-06")
def test_the_application_may_run_only_these_functions_of_the_trail():
    may = rows("""SELECT DISTINCT p.proname FROM pg_proc p WHERE p.pronamespace = 'audit'::regnamespace
        AND has_function_privilege('pallsoft_app', p.oid, 'EXECUTE')""")
    writing = {"begin", "current_change_set", "look_back", "mask", "note_anchor", "record_access", "erase_subject"}
    reading = {"digest", "digest_of", "body_of", "link_hash", "items_of", "replay", "form_data_as_of", "chain_at"}
    reading |= {"value_digest", "item_digest", "consent_digest", "salted_digest"}
    reading |= {"rows_as_of", "touching", "texts_of", "is_left"}
    assert {name for (name,) in may} == writing | reading
    trusted = rows("""SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'audit'::regnamespace AND p.prosecdef
        AND has_function_privilege('pallsoft_app', p.oid, 'EXECUTE')""")
    assert {name for (name,) in trusted} == writing


def test_every_model_change_has_its_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
