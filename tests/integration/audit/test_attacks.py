"""What a stolen password of the application's login, or injected SQL, can do to the data; a superuser to the trail."""

import uuid

import psycopg2
import pytest
from django.db import connection

from crf.models import FormData, Lock, Signature, StudyEvent
from pallsoft.audit.context import change_set
from pallsoft.audit.verification import findings
from pallsoft.errors import NotAllowedNow
from sites.models import Subject
from tests.integration.audit.small_trial import make_form, make_trial
from trials.models import ItemColumn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def locked(trial, form, writing):
    with writing():
        return Lock.objects.create(study=trial.study, kind="lock", subject=trial.subject)


@pytest.fixture
def elsewhere(trial, writing):
    """A visit of another subject, free of locks."""
    with writing():
        subject = Subject.objects.create(
            study=trial.study, site=trial.site, number="1001-002", birth_year=1950, sex="F", request_key=uuid.uuid4()
        )
        return StudyEvent.objects.create(study=trial.study, subject=subject, event_oid="W2")


def test_a_locked_form_is_not_moved_out_of_its_lock(locked, form, elsewhere, writing):
    with pytest.raises(NotAllowedNow), writing("moved"):
        FormData.objects.filter(pk=form.pk).update(event=elsewhere, subject=elsewhere.subject, repeat_key="2")


def test_a_locked_visit_is_not_moved_out_of_its_lock(locked, trial, elsewhere, writing):
    with pytest.raises(NotAllowedNow), writing("moved"):
        StudyEvent.objects.filter(pk=trial.event.pk).update(subject=elsewhere.subject, ordinal=2)


def test_a_form_is_not_moved_away_from_its_signature(trial, form, elsewhere, writing):
    """Moved, changed and moved back, it would be another than the one that was signed."""
    with writing():
        Signature.objects.create(
            study=trial.study, subject=trial.subject, form_data=form, meaning="eligibility", signed_by=trial.user,
            printed_name="Åse", manifest=[{"form_data": str(form.pk), "version": 1}], sha256="0" * 64,
        )  # fmt: skip
    with pytest.raises(NotAllowedNow), writing("moved"):
        FormData.objects.filter(pk=form.pk).update(subject=elsewhere.subject)


def test_a_lock_is_not_passed_by_under_the_name_of_another_study(locked, trial):
    other = make_trial("OTHER")
    trial.study, trial.user, trial.version = other.study, other.user, other.version
    with pytest.raises(psycopg2.errors.ForeignKeyViolation) as refused:
        raise_cause(lambda: make_form(trial, {"NRS_PAIN": "1"}, repeat_key="2"))
    assert refused.value.diag.constraint_name == "form_of_event"


def raise_cause(act):
    try:
        act()
    except Exception as error:
        raise error.__cause__ from error


def test_a_lock_that_a_snapshot_does_not_show_still_holds(trial, form, writing):
    """Under REPEATABLE READ the write sees no lock; its seal sees that the chain went on, and refuses."""
    login = psycopg2.connect(**connection.get_connection_params())
    cursor = login.cursor()
    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    cursor.execute("SELECT FROM crf_lock")
    with writing():
        Lock.objects.create(study=trial.study, kind="lock", subject=trial.subject)
    begin = "SELECT audit.begin(%s, %s, 'Åse', '', NULL, 'x', 'x', '', '')"
    cursor.execute(begin, [str(trial.study.pk), str(trial.user.pk)])
    cursor.execute("UPDATE crf_formdata SET data = '{}'")
    with pytest.raises(psycopg2.errors.SerializationFailure):
        login.commit()
    login.close()


@pytest.mark.req("AUD-05")
def test_the_change_set_that_a_row_came_with_is_never_rewritten(form, writing):
    with writing("first") as first:
        pass
    with pytest.raises(NotAllowedNow), writing("rewritten"):
        FormData.objects.filter(pk=form.pk).update(created_in=first)


def test_the_number_of_a_subject_is_kept_for_life(trial, writing):
    with pytest.raises(NotAllowedNow), writing("renumbered"):
        Subject.objects.filter(pk=trial.subject.pk).update(number="1001-777")


@pytest.mark.req("DAT-07")
def test_a_published_version_gets_no_further_item(trial, writing):
    with pytest.raises(NotAllowedNow), writing("one more"):
        ItemColumn.objects.create(version=trial.version, form_oid="NRS", item_oid="FAKE", kind="text", length=20)


@pytest.fixture
def tampered(form, trial, superuser):
    """Runs a statement with every trigger of the cluster switched off; {mask}: some sealed change set."""

    def run(statement):
        with change_set(study=trial.study, by=trial.user, action="test.correct", reason="read again") as correction:
            FormData.objects.update(data=form.data | {"NRS_PAIN": "6"})
        assert list(findings()) == []
        cursor = superuser.cursor()
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement.format(mask=correction))
        assert cursor.rowcount > 0

    return run


@pytest.mark.req("AUD-07", "AUD-14")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.item_change SET old = NULL, new = NULL, salt = NULL, masked_in = '{mask}'",
        "UPDATE audit.item_change SET new = '\"0\"', salt = NULL, masked_in = '{mask}'",
        "UPDATE audit.baseline SET doc = NULL, salt = NULL, masked_in = '{mask}' WHERE tbl = 'crf_formdata'",
        "UPDATE audit.change_set SET actor_name = 'Ola', salt = NULL WHERE action = 'test.correct'",
    ],
)
def test_a_change_dressed_up_as_masking_is_found(tampered, statement):
    tampered(statement)
    assert list(findings())


@pytest.mark.req("AUD-07")
@pytest.mark.parametrize("column", ["definition", "source_files"])
def test_a_published_definition_that_was_rewritten_is_found(tampered, column):
    tampered(f"UPDATE trials_studyversion SET {column} = jsonb_build_object('x', 'y')")
    assert [f"{column} is not what the trail says" in str(found) for found in findings()] == [True]
