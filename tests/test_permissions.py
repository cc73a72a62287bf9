"""Every address × every role × own and other site, from one table. An address that does not stand here fails.

A new page: add one line to ACCESS, and to `address` what its placeholders stand for.
"""

import re
import uuid

import pytest
from django.urls import URLResolver, get_resolver, reverse

from crf.models import FormData, StudyEvent
from crf.services import log_monitoring_visit, raise_query, record_alive, save_form
from pallsoft.accounts.models import Profession
from pallsoft.audit.models import ChangeSet
from pallsoft.outbox.models import Message
from sites import services
from sites.clock import local_today
from sites.models import (
    AgeBand,
    Assignment,
    DataWish,
    DeathCause,
    DeathPlace,
    Delegation,
    Role,
    Sex,
    StopKind,
    ToldBy,
)  # fmt: skip

R = Role
SITE = {R.STUDY_NURSE, R.INVESTIGATOR, R.PRINCIPAL_INVESTIGATOR}
READERS = SITE | {R.COORDINATOR, R.DATA_MANAGER, R.MONITOR, R.INSPECTOR}
ALL = set(Role)
COORDINATOR, ADMIN, PI = {R.COORDINATOR}, {R.USER_ADMINISTRATOR}, {R.PRINCIPAL_INVESTIGATOR}
EXPORTERS, HOLDER, NOBODY = {R.DATA_MANAGER, R.UNBLINDED_STATISTICIAN}, {R.UNBLINDED_STATISTICIAN}, set()
RAISERS = {R.COORDINATOR, R.DATA_MANAGER, R.MONITOR}
MASKERS = {R.COORDINATOR, R.DATA_MANAGER}
CRA, LOCKER, LOCKERS = {R.MONITOR}, {R.DATA_MANAGER}, {R.DATA_MANAGER, R.COORDINATOR}
AT_ONE_SITE = SITE | {R.MONITOR}

# Without signing in, and with no more than that.
PUBLIC = {
    "healthz", "readyz", "set_language", "account_login", "account_logout", "account_inactive",
    "account_reset_password", "account_reset_password_done", "account_reset_password_from_key",
    "account_reset_password_from_key_done", "mfa_authenticate",
    "link", "link-question", "link-hand-in", "link-pause", "link-stop", "link-none", "link-lost",
}  # fmt: skip
SIGNED_IN = {
    "worklist", "account_reauthenticate", "account_change_password", "mfa_index", "mfa_reauthenticate",
    "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes", "screen-lock",
}  # fmt: skip
# {name: (roles that may read, roles that may post)}
ACCESS = {
    "study": (ALL, NOBODY),
    "study-description": (ALL, NOBODY),
    "recruitment": (ALL - ADMIN, NOBODY),
    "recruitment-csv": (ALL - ADMIN, NOBODY),
    "flow": (ALL - ADMIN, NOBODY),
    "flow-csv": (ALL - ADMIN, NOBODY),
    "flow-pdf": (ALL - ADMIN, NOBODY),
    "flow-rows": (ALL - ADMIN, NOBODY),
    "flow-rows-csv": (ALL - ADMIN, NOBODY),
    "follow-up": (ALL - ADMIN, NOBODY),
    "follow-up-csv": (ALL - ADMIN, NOBODY),
    "follow-up-rows": (ALL - ADMIN, NOBODY),
    "follow-up-rows-csv": (ALL - ADMIN, NOBODY),
    "export": (EXPORTERS | {R.INSPECTOR}, EXPORTERS),
    "documents": (ALL, ALL),
    "casebook": (NOBODY, READERS),
    "export-download": (NOBODY, NOBODY),  # the file is for who asked for it: tests/integration/crf
    "api-subjects": (READERS, NOBODY),
    "api-forms": (READERS, NOBODY),
    "subject-list": (READERS, NOBODY),
    "screening": (READERS, NOBODY),
    "screening-csv": (READERS, NOBODY),
    "log-screening": (SITE, SITE),
    "close-screening": (SITE, SITE),
    "enrol": (SITE, SITE),
    "consent": (READERS, NOBODY),
    "further-consent": (SITE, SITE),
    "withdraw-consent-option": (SITE, SITE),
    "contact": (SITE, SITE),
    "correct-subject": (SITE, SITE),
    "correct-consent": (SITE, SITE),
    "sites": (ALL, NOBODY),
    "site-status": (COORDINATOR, COORDINATOR),
    "site-phone": (COORDINATOR, COORDINATOR),
    "approve-version": (COORDINATOR, COORDINATOR),
    "study-status": (COORDINATOR, COORDINATOR),
    "going-live": (COORDINATOR, COORDINATOR),
    "stop-randomization": (COORDINATOR, COORDINATOR),
    "resume-randomization": (COORDINATOR, COORDINATOR),
    "users": (PI | COORDINATOR | ADMIN | {R.MONITOR, R.INSPECTOR}, NOBODY),
    "invite-user": (ADMIN, ADMIN),
    "invite-again": (NOBODY, ADMIN),
    "close-account": (ADMIN, ADMIN),
    "assign-role": (ADMIN, ADMIN),
    "end-role": (ADMIN, ADMIN),
    "delegate-task": (PI, PI),
    "end-delegation": (PI, PI),
    "subject": (READERS, NOBODY),
    "participation": (READERS, NOBODY),
    "record-death": (SITE, SITE),
    "undo-alive": (SITE, SITE),
    "undo-death": (SITE, SITE),
    "record-withdrawal": (SITE, SITE),
    "end-stop": (SITE, SITE),
    "record-lost": (SITE, SITE),
    "confirm-destroyed": (SITE, SITE),
    "erasure": (READERS, {R.COORDINATOR, R.DATA_MANAGER}),
    "scores": (READERS, NOBODY),
    "eligibility": (READERS, SITE),
    "add-visit": (SITE, SITE),
    "visit": (READERS, SITE),
    "link-card": (SITE, SITE),
    "form-list": (NOBODY, NOBODY),  # of repeating forms only: tests/integration/crf
    "form": (READERS, SITE),
    "form-preview": (NOBODY, READERS),  # stores nothing
    "form-draft": (SITE, SITE),
    "form-draft-discard": (NOBODY, SITE),
    "form-next": (READERS, NOBODY),
    "form-patient": (SITE, SITE),
    "form-thanks": (READERS, NOBODY),
    "form-trail": (READERS, NOBODY),
    "form-mask": (NOBODY, NOBODY),  # of one question: tests/integration/crf/test_masking.py
    "maskings": (MASKERS, NOBODY),
    "decide-masking": (NOBODY, NOBODY),  # nothing waits here: likewise
    "reminders": (COORDINATOR, COORDINATOR),
    "survival-check": (SITE, SITE),
    "messages-waiting": (SITE, SITE),
    "safety": (RAISERS, NOBODY),
    "record-deviation": (SITE | COORDINATOR | {R.MONITOR}, SITE | COORDINATOR | {R.MONITOR}),
    "deviations": (READERS, NOBODY),
    "deviations-csv": (READERS, NOBODY),
    "judge-deviation": (NOBODY, NOBODY),  # nothing waits here: tests/integration/crf/test_deviation_log.py
    "event-reports": (NOBODY, NOBODY),  # no serious event stands here: tests/integration/safety
    "serious-event-paper": (NOBODY, NOBODY),  # likewise
    "access-log": (PI | COORDINATOR | {R.INSPECTOR}, NOBODY),
    "form-void": (SITE, SITE),
    "form-migrate": (NOBODY, NOBODY),  # no form of an older version: tests/scenarios/test_s21
    "queries": (READERS, RAISERS),
    "item-queries": (READERS, RAISERS),
    "query": (READERS, SITE),  # who raised it closes it: tests/integration/crf/test_thread.py
    "form-sign": (PI, PI),  # and to whom the task is delegated
    "visit-sign": (PI, PI),
    "casebook-sign": (PI, PI),
    "to-sign": (PI | {R.INVESTIGATOR}, PI | {R.INVESTIGATOR}),
    "verify-identity": (ADMIN, ADMIN),
    "amendment": (COORDINATOR, NOBODY),
    "form-copy": (READERS, NOBODY),
    "verification": (CRA, NOBODY),
    "log-monitoring-visit": (CRA, CRA),
    "monitoring-visit": (CRA, NOBODY),
    "edit-monitoring-visit": (CRA, CRA),
    "subject-verification": (CRA, CRA),
    "take-back": (NOBODY, NOBODY),  # no verification stands here: tests/integration/crf
    "locking": (LOCKERS, NOBODY),
    "lock-study": (LOCKERS, LOCKER),
    "lock-site": (LOCKERS, LOCKER),
    "lock-subject": (LOCKERS, LOCKER),
    "lock-visit": (LOCKERS, LOCKER),
    "lock-form": (LOCKERS, LOCKER),
    "lift-lock": (NOBODY, NOBODY),  # nothing is locked here: tests/integration/crf
    "randomize": (READERS, PI),  # and to whom the task is delegated
    "randomization-receipt": (NOBODY, NOBODY),  # nobody is randomised here: tests/integration/randomization
    "report-late-randomization": (SITE, SITE),
    "corrections": (READERS, PI),
    "decide-correction": (NOBODY, NOBODY),  # no correction waits here: tests/integration/randomization
    "randomization-lists": (HOLDER, NOBODY),
    "confirm-late-randomization": (NOBODY, NOBODY),  # likewise
}
# What must be posted for the permission to be asked; elsewhere it is asked before the form is read.
POSTED = {
    "documents": {"kind": "schedule"},
    "eligibility": {"act": "fail", "reason": "test"},
    "add-visit": {"happened_on": "01.09.2026"},
    "visit": {"act": "not-done", "reason": "test"},
    "query": {"act": "answer", "text": "test"},
    "lock-form": {"act": "freeze"},
    "lock-visit": {"act": "freeze"},
    "lock-subject": {"act": "freeze"},
    "lock-site": {"act": "freeze"},
    "lock-study": {"act": "freeze"},
    "randomize": {"key": str(uuid.uuid4()), "typed_number": "BOD-001"},
}
REFUSED = {403, 404}


def all_addresses(resolver=None, placeholders=frozenset()):
    """(name, placeholders) of every address that the product answers."""
    for pattern in (resolver or get_resolver()).url_patterns:
        names = placeholders | set(pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            yield from all_addresses(pattern, names)
        else:
            yield pattern.name, names


NAMES = dict(all_addresses())


@pytest.mark.req("ACC-01")
def test_every_address_stands_in_the_table_once():
    listed = [*PUBLIC, *SIGNED_IN, *ACCESS]
    assert sorted(listed) == sorted(name or "an address without a name" for name, _ in all_addresses())


def the_role(role, make_user, site, prefix=""):
    """A person with the role at `site`, or for all sites when the role is the sponsor's."""
    place = site if role in AT_ONE_SITE else None
    physician = Profession.PHYSICIAN if role in PI | {R.INVESTIGATOR} else Profession.OTHER
    return make_user(f"{prefix}{role}", f"{role.label}", role, place, physician)


@pytest.fixture
def address(study, bodo, subject, crc, monitor, make_user, definition):
    """What each placeholder stands for: records of Bodø that are there."""
    entry = services.log_screening(
        site=bodo,
        screened_in=subject.consents.get().signed_at.date(),
        age_band=AgeBand.FROM_50,
        sex=Sex.MALE,
        key=uuid.uuid4(),
        by=crc,
    )
    form = a_saved_form(subject, definition.study, crc)
    asked = a_query(form, definition.study, monitor)
    (alive,) = record_alive(site=bodo, subjects=[subject], day=local_today(bodo.timezone), by=crc)
    death, stop = a_leaving(subject, crc)
    return {
        "study_oid": study.oid,
        "number": subject.number,
        "code": bodo.code,
        "entry_id": entry.pk,
        "consent_id": subject.consents.get().pk,
        "option_id": subject.consent_options.filter(granted=True).first().pk,
        "user_id": make_user("ny", "Ny Person").pk,
        "assignment_id": Assignment.objects.get(user=monitor).pk,
        "delegation_id": Delegation.objects.get(user=crc).pk,
        "event_oid": form.event.event_oid,
        "ordinal": 1,
        "form_oid": form.form_oid,
        "repeat_key": "1",
        "request_id": uuid.uuid4(),
        "deviation_id": uuid.uuid4(),
        "form_id": form.pk,
        "item_oid": asked.item_oid,
        "query_id": asked.pk,
        "visit_id": a_monitoring_visit(bodo, monitor).pk,
        "verification_id": uuid.uuid4(),
        "lock_id": uuid.uuid4(),
        "alive_id": alive.pk,
        "death_id": death.pk,
        "stop_id": stop.pk,
        "task_id": stop.sample_task.pk,
        "job_id": uuid.uuid4(),
        "correction_id": uuid.uuid4(),
        "uidb36": "x",
        "token": "x" * 22,
        "n": 1,
        "rest": "x",
        "key": "y",
        "table": "sites",
    }


def a_monitoring_visit(site, by):
    return log_monitoring_visit(site=site, visited_on=local_today(site.timezone), key=uuid.uuid4(), by=by)


def a_saved_form(subject, study, by):
    screening = next(event for event in study.events if event.kind == "screening")
    oid = next(ref.form for ref in screening.forms if study.form(ref.form).kind == "patient")
    event = StudyEvent(study=subject.study, subject=subject, event_oid=screening.oid, ordinal=1)
    save_form(event=event, form_oid=oid, values={}, missing={}, seen_version=0, key=uuid.uuid4(), by=by)
    return FormData.objects.select_related("event").get(subject=subject)


def a_query(form, study, by):
    item = study.form(form.form_oid).items[0].oid
    key = uuid.uuid4()
    return raise_query(event=form.event, form_oid=form.form_oid, item_oid=item, text="Hvorfor?", key=key, by=by)


def a_leaving(subject, by):
    """A death, and a withdrawal with samples and a wish to be erased."""
    said = services.Withdrawal(
        kinds=frozenset({StopKind.CONSENT, StopKind.SAMPLES}),
        day=str(local_today("Europe/Oslo")),
        told_by=ToldBy.PARTICIPANT,
        data_wish=DataWish.ERASE,
    )
    services.record_withdrawal(subject=subject, said=said, by=by)
    facts = services.DeathFacts(
        day=str(local_today("Europe/Oslo")), cause=DeathCause.CANCER, place=DeathPlace.HOME, told_by=ToldBy.RELATIVE
    )
    death = services.record_death(subject=subject, facts=facts, by=by)
    return death, subject.stops.get(kind=StopKind.SAMPLES)


def url_of(name, address):
    return reverse(name, kwargs={key: address[key] for key in NAMES[name]})


def outcome(response, allowed):
    """'' when the answer is the one that the table asks for."""
    if response.status_code >= 500:
        return "broke"
    refused = response.status_code in REFUSED | {405}
    return "" if refused is not allowed else f"{response.status_code}, table says {'yes' if allowed else 'no'}"


@pytest.mark.req("ACC-01", "ACC-14")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", Role)
def test_each_role_reaches_what_the_table_says_and_nothing_else(sign_in, make_user, bodo, address, role):
    user = the_role(role, make_user, bodo, "w_")
    client = sign_in(user)
    changes, mails = ChangeSet.objects.count(), Message.objects.count()
    wrong = {
        f"GET {name}": outcome(client.get(url_of(name, address)), role in may_read)
        for name, (may_read, _) in ACCESS.items()
    }
    assert (ChangeSet.objects.count(), Message.objects.count()) == (changes, mails), "reading changed something"
    for name, (_, may_post) in ACCESS.items():
        response = client.post(url_of(name, address), {"csrfmiddlewaretoken": "x"} | POSTED.get(name, {}))
        wrong[f"POST {name}"] = outcome(response, role in may_post)
    assert {what: problem for what, problem in wrong.items() if problem} == {}


BOUND_TO_A_SITE = {"number", "code", "entry_id", "delegation_id", "query_id", "visit_id"}


def without_what_differs(response):
    """The body without request number, CSRF token and the address that was asked for."""
    body = response.content.replace(response.wsgi_request.path.encode(), b"")
    return re.sub(rb"[A-Za-z0-9]{64}|[0-9a-f]{32}", b"", body)


@pytest.mark.req("ACC-02", "AUD-11")  # the history of a form is one of the addresses
@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", sorted(AT_ONE_SITE))
def test_what_belongs_to_another_site_is_not_found_like_what_is_not_there(sign_in, make_user, tromso, address, role):
    client = sign_in(the_role(Role(role), make_user, tromso, "t_"))
    nowhere = address | {
        "number": "NOS-999",
        "code": "NOS",
        "entry_id": uuid.uuid4(),
        "delegation_id": uuid.uuid4(),
        "query_id": uuid.uuid4(),
        "visit_id": uuid.uuid4(),
    }
    for name, (may_read, may_post) in ACCESS.items():
        if not NAMES[name] & BOUND_TO_A_SITE or role not in may_read | may_post:
            continue
        for method in (client.get, client.post):
            theirs, nobodys = method(url_of(name, address)), method(url_of(name, nowhere))
            assert (name, theirs.status_code) == (name, nobodys.status_code)
            assert theirs.status_code in {404, 405}
            assert without_what_differs(theirs) == without_what_differs(nobodys)


@pytest.mark.req("ACC-02")
def test_a_study_without_a_role_in_it_is_not_found(sign_in, make_user, address):
    client = sign_in(make_user("uten", "Uten Rolle"))
    assert {client.get(url_of(name, address)).status_code for name in ACCESS} <= {404, 405}


@pytest.mark.req("ACC-01")
def test_who_has_not_signed_in_is_sent_to_sign_in(client, address):
    for name in SIGNED_IN | set(ACCESS):
        for method in (client.get, client.post):
            response = method(url_of(name, address))
            sent = response.status_code == 302 and response["Location"].startswith("/accounts/login/")
            assert sent or response.status_code in {401, 403}, name


@pytest.mark.req("ACC-01")
def test_what_is_public_shows_no_name_and_no_number(client, address, subject, crc):
    for name in PUBLIC:
        body = client.get(url_of(name, address)).content.decode()
        assert subject.number not in body and crc.full_name not in body, name


@pytest.mark.req("ACC-11")
@pytest.mark.parametrize("who", ["nobody", "crc"])
def test_every_answer_carries_the_protecting_headers(request, client, sign_in, address, who):
    if who == "crc":
        sign_in(request.getfixturevalue("crc"))
    for name in PUBLIC | SIGNED_IN | set(ACCESS):
        response = client.get(url_of(name, address))
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, name
        assert "unsafe" not in policy and "data:" not in policy, name
        assert response["X-Content-Type-Options"] == "nosniff", name
        assert response["X-Frame-Options"] == "DENY", name
        assert response["Referrer-Policy"] == "same-origin", name
        assert response["Cross-Origin-Opener-Policy"] == "same-origin", name
        if who == "crc" and name not in PUBLIC:
            assert "no-store" in response["Cache-Control"], name
