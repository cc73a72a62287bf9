"""What a freeze and a lock reach besides forms and visits, and who may lift them: asked of the database alone."""

import uuid

import pytest

from crf.models import Deviation, Lock, Query, QueryMessage, Signature, Verification
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from sites.models import Consent, ConsentOption, Site, Subject
from tests.integration.audit.small_trial import make_trial, rows
from tests.integration.audit.verified import digest, verify

pytestmark = pytest.mark.django_db

PATHS = {
    "study": lambda t: {},
    "site": lambda t: {"site": t.site},
    "subject": lambda t: {"subject": t.subject},
    "visit": lambda t: {"subject": t.subject, "event": t.event},
    "form": lambda t: {"subject": t.subject, "event": t.event, "form_oid": "NRS"},
}


def close(trial, kind="lock", **path):
    with change_set(study=trial.study, by=trial.user, action=f"crf.{kind}"):
        return Lock.objects.create(study=trial.study, kind=kind, **path)


def make_query(trial, form):
    return Query.objects.create(
        study=trial.study, subject=trial.subject, event=trial.event, form_oid="NRS", item_oid="NRS_PAIN",
        form_data=form, assigned_role="study_nurse",
    )  # fmt: skip


def sign(trial, form):
    Signature.objects.create(
        study=trial.study, subject=trial.subject, form_data=form, meaning="reviewed", signed_by=trial.user,
        printed_name="Åse", manifest=[], sha256="0" * 64,
    )  # fmt: skip


ACTS = {
    "a query": lambda t, f, q: make_query(t, f),
    "its status": lambda t, f, q: Query.objects.update(status="closed"),
    "a message": lambda t, f, q: QueryMessage.objects.create(study=t.study, query=q, step=1, kind="answer", text="Ja"),
    "a verification": lambda t, f, q: verify(t, f, digest(f, "value", "7")),
    "its end": lambda t, f, q: rows("UPDATE crf_verification SET dropped_in = audit.current_change_set()"),
    "a deviation": lambda t, f, q: Deviation.objects.create(
        study=t.study, subject=t.subject, event=t.event, form_data=f, check_oid="C2", check_version=1, message={}
    ),
    "its judgement": lambda t, f, q: Deviation.objects.update(status="confirmed"),
}


@pytest.fixture
def findings(trial, form, writing):
    """A query, a verification and a deviation that are there before anything is locked."""
    verify(trial, form, digest(form, "value", "71.5", "WEIGHT"), "WEIGHT")
    with writing():
        Deviation.objects.create(
            study=trial.study, subject=trial.subject, event=trial.event, form_data=form, check_oid="C1",
            check_version=1, message={},
        )  # fmt: skip
        return make_query(trial, form)


@pytest.mark.req("DAT-15")
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_under_a_lock_nothing_is_asked_verified_or_judged(trial, form, findings, writing, path):
    close(trial, **path(trial))
    for act in ACTS.values():
        with pytest.raises(NotAllowedNow), writing("why"):
            act(trial, form, findings)


@pytest.mark.req("DAT-15")
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_under_a_freeze_the_cleaning_of_data_goes_on(trial, form, findings, writing, act):
    close(trial, "freeze", **PATHS["form"](trial))
    with writing("why"):
        act(trial, form, findings)


@pytest.mark.req("DAT-15")
def test_a_lock_elsewhere_stops_nothing(trial, form, findings, writing):
    close(trial, subject=trial.subject, event=trial.event, form_oid="QLQ")
    for act in ACTS.values():
        with writing("why"):
            act(trial, form, findings)
        Verification.objects.all()


@pytest.mark.parametrize("kind", ["freeze", "lock"])
def test_what_is_closed_can_still_be_signed(trial, form, writing, kind):
    close(trial, kind, subject=trial.subject)
    with writing():
        sign(trial, form)


FACTS = {
    "year of birth": lambda t: Subject.objects.update(birth_year=1951),
    "a new consent": lambda t: Consent.objects.create(
        study=t.study, subject=t.subject, version="1.1", signed_at="2026-09-03T08:15:00Z", language="nb",
        informed_by=t.user, copy_given=True,
    ),
    "a changed consent": lambda t: Consent.objects.update(language="en"),
    "a new option": lambda t: ConsentOption.objects.create(
        study=t.study, subject=t.subject, consent=Consent.objects.earliest("signed_at"), option="BIOBANK", granted=1
    ),
    "a changed option": lambda t: ConsentOption.objects.update(granted=False),
}  # fmt: skip


@pytest.mark.req("DAT-15")
@pytest.mark.parametrize("kind", ["freeze", "lock"])
@pytest.mark.parametrize("path", ["study", "site", "subject"])
def test_the_facts_of_a_closed_subject_do_not_change(trial, consent, writing, kind, path):
    close(trial, kind, **PATHS[path](trial))
    for act in FACTS.values():
        with pytest.raises(NotAllowedNow), writing("corrected"):
            act(trial)


@pytest.mark.req("DAT-15")
@pytest.mark.parametrize("way", ["out of", "into"])
def test_no_subject_moves_out_of_a_locked_site_or_into_one(trial, writing, way):
    with writing():
        other = Site.objects.create(study=trial.study, code="1002", name="Sykehuset i Ø", city="Ø")
    close(trial, site={"out of": trial.site, "into": other}[way])
    with pytest.raises(NotAllowedNow), writing("moved"):
        Subject.objects.update(site=other)


@pytest.mark.parametrize("table", ["sites_consent", "sites_consentoption"])
def test_a_consent_stays_with_its_subject(trial, consent, writing, table):
    with writing():
        other = Subject.objects.create(
            study=trial.study, site=trial.site, number="1001-002", birth_year=1950, sex="F", request_key=uuid.uuid4()
        )
    with pytest.raises(NotAllowedNow), writing("moved"):
        rows(f"UPDATE {table} SET subject_id = %s", [other.pk])


def test_an_option_stays_with_its_consent(trial, consent, writing):
    with writing():
        other = Consent.objects.create(
            study=trial.study, subject=trial.subject, version="1.1", signed_at="2026-09-03T08:15:00Z", language="nb",
            informed_by=trial.user, copy_given=True,
        )  # fmt: skip
    with pytest.raises(NotAllowedNow), writing("moved"):
        ConsentOption.objects.update(consent=other)


@pytest.mark.req("DAT-15")
def test_a_withdrawal_is_stored_under_any_lock_and_a_locked_form_leaves_the_facts_open(trial, consent, writing):
    close(trial, **PATHS["form"](trial))
    for act in FACTS.values():
        with writing("corrected"):
            act(trial)
    close(trial)
    with writing("withdrawn"):
        ConsentOption.objects.update(withdrawn_at="2026-09-04T08:00:00Z")
        Subject.objects.update(status="withdrawn")


@pytest.mark.req("DAT-15")
@pytest.mark.parametrize("path", ["study", "site"])
def test_pc074_no_subject_is_added_to_a_locked_site(trial, writing, path):
    close(trial, **PATHS[path](trial))
    with pytest.raises(NotAllowedNow), writing():
        Subject.objects.create(
            study=trial.study, site=trial.site, number="1001-002", birth_year=1950, sex="F", request_key=uuid.uuid4()
        )


@pytest.mark.req("DAT-15")
def test_a_lock_names_a_place_of_its_own_study(trial):
    other = make_trial("ANNEN")
    for path in [{"site": other.site}, {"subject": other.subject}, {"event": other.event}]:
        with pytest.raises(NotAllowedNow):
            close(trial, **path)


@pytest.mark.req("DAT-15")
def test_the_places_that_a_lock_names_lie_in_each_other(trial, writing):
    with writing():
        site = Site.objects.create(study=trial.study, code="1002", name="Sykehuset i Ø", city="Ø")
        subject = Subject.objects.create(
            study=trial.study, site=site, number="1002-001", birth_year=1950, sex="F", request_key=uuid.uuid4()
        )
    for path in [{"site": site, "subject": trial.subject}, {"subject": subject, "event": trial.event}]:
        with pytest.raises(NotAllowedNow):
            close(trial, **path)


@pytest.mark.req("DAT-15")
@pytest.mark.parametrize("path", ["study", "site"])
def test_lifting_a_lock_of_a_site_or_the_study_takes_two_persons(trial, writing, path):
    other = make_trial("ANNEN").user
    close(trial, **PATHS[path](trial))
    with pytest.raises(NotAllowedNow), writing("x") as current:
        Lock.objects.update(lifted_in=current)
    with pytest.raises(NotAllowedNow), writing("x") as current:
        Lock.objects.update(lift_requested_in=current, lifted_in=current)
    with writing("late result") as current:
        Lock.objects.update(lift_requested_in=current)
    for who in (trial.user, None):
        with (
            pytest.raises(NotAllowedNow),
            change_set(study=trial.study, by=who, action="x", reason="x") as current,
        ):
            Lock.objects.update(lifted_in=current)
    with change_set(study=trial.study, by=other, action="x", reason="agreed") as current:
        Lock.objects.update(lifted_in=current)
    assert Lock.objects.get().lifted_in == current


@pytest.mark.req("DAT-15")
def test_only_who_asked_for_the_lifting_takes_it_back(trial, writing):
    other = make_trial("ANNEN").user
    close(trial, site=trial.site)
    with writing("late result") as current:
        Lock.objects.update(lift_requested_in=current)
    for who in (other, None):
        with pytest.raises(NotAllowedNow), change_set(study=trial.study, by=who, action="x", reason="x"):
            Lock.objects.update(lift_requested_in=None)
    with pytest.raises(NotAllowedNow), writing("x") as current:
        Lock.objects.update(lift_requested_in=None, lifted_in=current)
    with pytest.raises(NotAllowedNow), writing("x") as current:
        Lock.objects.update(lift_requested_in=current)
    with writing("another subject's result"):
        Lock.objects.update(lift_requested_in=None)
    assert Lock.objects.get().lift_requested_in is None
