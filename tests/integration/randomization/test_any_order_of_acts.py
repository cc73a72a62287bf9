"""Acts in any order: what was signed, verified, locked and trailed stays true, whatever the next person does."""

import os
import uuid
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from crf.models import FormData, Lock, Meaning, Query, Signature, StudyEvent, Verification
from crf.selectors.definitions import definition_for as definition_of_form
from crf.selectors.locks import Target
from crf.selectors.seen import answer_of, item_digest
from crf.selectors.signature_check import bad_signatures
from crf.selectors.signing import signable_casebook, signable_form, signable_visit
from crf.services import (
    answer_query,
    close_query,
    confirm_eligibility,
    freeze,
    lock,
    raise_query,
    reopen_query,
    unlock,
    verify_items,
    void_form,
)
from crf.services.signing import sign_casebook, sign_form, sign_visit
from crf.services.verification import Seen
from pallsoft.accounts.models import User
from pallsoft.accounts.signing import prove
from pallsoft.audit.verification import findings
from pallsoft.errors import PallsoftError
from sites.models import Death, Subject
from sites.models.participation import DataWish, DeathCause, DeathPlace, StopKind, ToldBy
from sites.services.death import DeathFacts, record_death, undo_death
from sites.services.withdrawal import Withdrawal, end_stop, record_withdrawal
from tests.fixtures import PASSWORD
from tests.fixtures.randomizing import randomized, save_one

LONG = bool(os.environ.get("PALLSOFT_TEST_LONG"))
EXAMPLES, STEPS = (70, 60) if LONG else (8, 25)
FORMS = {"SCORE": ("SCREEN", "SCORE_NRS"), "FIT": ("SCREEN", "FIT_PREGNANT"), "BASE": ("SCREEN", "BASE_TARGET")}
TEXTS = {"SCORE_NRS": ["4", "5", "9"], "FIT_PREGNANT": ["N"], "BASE_TARGET": ["PAIN", "BLEED"]}
ACTS = {
    "save", "save_week_2", "void", "raise_query", "answer_query", "close_query", "reopen_query", "verify",
    "sign_form", "sign_visit", "sign_casebook", "lock_form", "lock_visit", "lock_subject", "freeze_subject", "unlock",
    "confirm", "randomize", "withdraw", "end_stop", "die", "undo_death",
}  # fmt: skip


class Life(RuleBasedStateMachine):
    """The life of one subject. `people` and `make_ready` are set from fixtures; `done` counts what was not refused."""

    people: dict[str, User]
    make_ready = None
    done: Counter = Counter()
    tried = 0

    @initialize()
    def enrol(self):
        self.subject = type(self).make_ready()
        self.values = {}  # {verification: what the form said when it was verified}
        self.under_lock = {}  # {lock: what its forms said when it was set}

    def act(self, name, call):
        """A refusal is an answer too; anything else that goes wrong is a fault."""
        type(self).tried += 1
        try:
            call(Subject.objects.select_related("site", "study").get(pk=self.subject.pk))
        except PallsoftError:
            return
        self.done[name] += 1

    def by(self, role):
        return User.objects.get(pk=self.people[role].pk)

    def forms(self):
        rows = FormData.objects.filter(subject=self.subject, removed_in=None).select_related("event", "study")
        return list(rows.order_by("form_oid", "event__event_oid"))

    def form(self, place):
        """One of the saved forms."""
        rows = self.forms()
        return rows[place % len(rows)] if rows else None

    @rule(form_oid=st.sampled_from(sorted(FORMS)), choice=st.integers(0, 2))
    def save(self, form_oid, choice):
        event_oid, item = FORMS[form_oid]
        value = TEXTS[item][choice % len(TEXTS[item])]
        self.act("save", lambda s: save_one(s, form_oid, {item: value}, self.by("crc"), "kilden sier", event_oid))

    @rule(score=st.integers(0, 10))
    def save_week_2(self, score):
        values = {"SCORE_NRS": str(score)}
        self.act("save_week_2", lambda s: save_one(s, "SCORE", values, self.by("crc"), "kilden sier", "WK2"))

    @rule(place=st.integers(0, 9))
    def void(self, place):
        form = self.form(place)
        if form:
            self.act("void", lambda s: void_form(form=form, by=self.by("crc"), reason="feil pasient"))

    @rule(place=st.integers(0, 9))
    def raise_query(self, place):
        form = self.form(place)
        if form:
            item = sorted(form.data)[0] if form.data else FORMS[form.form_oid][1]
            about = {"event": form.event, "form_oid": form.form_oid, "item_oid": item}
            self.act(
                "raise_query",
                lambda s: raise_query(**about, text="Stemmer dette?", key=uuid.uuid4(), by=self.by("monitor")),
            )

    @rule()
    def take_a_query_on(self):
        """One step further, so that each of them comes: three rules, one a step, left the last ones to chance."""
        query = Query.objects.filter(subject=self.subject).exclude(status="cancelled").order_by("opened_at").first()
        if query is None:
            return
        if query.status == "open":
            self.act("answer_query", lambda s: answer_query(query=query, text="Ja, sjekket", by=self.by("crc")))
        elif query.status == "answered":
            self.act("close_query", lambda s: close_query(query=query, reason="avklart", by=self.by("monitor")))
        else:
            self.act("reopen_query", lambda s: reopen_query(query=query, reason="likevel ikke", by=self.by("monitor")))

    @rule(place=st.integers(0, 9))
    def verify(self, place):
        form = self.form(place)
        if form and form.data:
            marks = [Seen(form.pk, oid, item_digest(form, oid, answer_of(form, oid))) for oid in sorted(form.data)]
            self.act("verify", lambda s: verify_items(subject=s, marks=marks, by=self.by("monitor")))

    def sign(self, name, call, signable):
        def signing(subject):
            proof = prove(user=self.by("pi"), password=PASSWORD)
            call(meaning=Meaning.REVIEWED, seen=signable(subject).seen, by=proof.user, proof=proof)

        self.act(name, signing)

    @rule(place=st.integers(0, 9))
    def sign_form(self, place):
        form = self.form(place)
        if form:
            self.sign("sign_form", lambda **how: sign_form(form=form, **how), lambda s: signable_form(self.of(s, form)))

    @rule(event_oid=st.sampled_from(["SCREEN", "WK2"]))
    def sign_visit(self, event_oid):
        event = StudyEvent.objects.filter(subject=self.subject, event_oid=event_oid).first()
        if event:
            self.sign("sign_visit", lambda **how: sign_visit(event=event, **how), lambda s: signable_visit(event))

    @rule()
    def sign_casebook(self):
        self.sign("sign_casebook", lambda **how: sign_casebook(subject=self.subject, **how), signable_casebook)

    def of(self, subject, form):
        form.subject = form.event.subject = subject
        return form

    def close(self, name, call, target):
        def closing(subject):
            made = call(target=target(subject), by=self.by("data_manager"), reason="datauttrekk")
            self.under_lock[made.pk] = self.said_under(made)

        self.act(name, closing)

    def said_under(self, one):
        """What the forms on the lock's path say."""
        rows = FormData.objects.filter(subject=self.subject)
        rows = rows.filter(event=one.event_id) if one.event_id else rows
        rows = rows.filter(form_oid=one.form_oid) if one.form_oid else rows
        return sorted((str(row.pk), row.data, row.marks, row.removed_in) for row in rows)

    @rule(place=st.integers(0, 9))
    def lock_form(self, place):
        form = self.form(place)
        if form:
            study = definition_of_form(form)
            self.close("lock_form", lock, lambda s: Target(s.study, s.site, s, form.event, study.form(form.form_oid)))

    @rule(event_oid=st.sampled_from(["SCREEN", "WK2"]))
    def lock_visit(self, event_oid):
        event = StudyEvent.objects.filter(subject=self.subject, event_oid=event_oid).first()
        if event:
            self.close("lock_visit", lock, lambda s: Target(s.study, s.site, s, event))

    @rule()
    def lock_subject(self):
        self.close("lock_subject", lock, lambda s: Target(s.study, s.site, s))

    @rule()
    def freeze_subject(self):
        self.close("freeze_subject", freeze, lambda s: Target(s.study, s.site, s))

    @rule(place=st.integers(0, 3))
    def unlock(self, place):
        locks = list(Lock.objects.filter(subject=self.subject, lifted_in=None).order_by("pk"))
        if locks:
            one = locks[place % len(locks)]
            self.act("unlock", lambda s: unlock(lock=one, by=self.by("data_manager"), reason="retting"))

    @rule()
    def confirm(self):
        self.act("confirm", lambda s: confirm_eligibility(subject=s, by=self.by("investigator")))

    @rule()
    def randomize(self):
        self.act("randomize", lambda s: randomized(s, self.by("crc")))

    @rule(consent=st.booleans())
    def withdraw(self, consent):
        kinds = frozenset({StopKind.CONSENT} if consent else {StopKind.QUESTIONNAIRES})
        wish = DataWish.KEEP if consent else None
        said = Withdrawal(kinds=kinds, day="2026-11-02", told_by=ToldBy.PARTICIPANT, data_wish=wish)
        self.act("withdraw", lambda s: record_withdrawal(subject=s, said=said, by=self.by("crc")))

    @rule()
    def end_stop(self):
        stop = self.subject.stops.filter(ended_in=None).first()
        if stop:
            self.act("end_stop", lambda s: end_stop(stop=stop, by=self.by("crc"), reason="feilført"))

    @rule()
    def die(self):
        facts = DeathFacts(day="2026-11", cause=DeathCause.CANCER, place=DeathPlace.HOME, told_by=ToldBy.RELATIVE)
        self.act("die", lambda s: record_death(subject=s, facts=facts, by=self.by("crc")))

    @rule()
    def undo_death(self):
        death = Death.objects.filter(subject=self.subject, ended_in=None).first()
        if death:
            self.act("undo_death", lambda s: undo_death(death=death, by=self.by("crc"), reason="feil pasient"))

    @invariant()
    def what_is_signed_holds(self):
        assert [str(bad) for bad in bad_signatures() if bad.signature.subject_id == self.subject_id] == []

    @property
    def subject_id(self):
        return self.subject.pk if hasattr(self, "subject") else None

    @invariant()
    def what_is_verified_is_what_was_verified(self):
        standing = Verification.objects.filter(subject=self.subject_id, dropped_in=None).select_related("form_data")
        for one in standing.exclude(form_data=None):
            said = (one.form_data.data.get(one.item_oid), one.form_data.removed_in)
            assert self.values.setdefault(one.pk, said) == said

    @invariant()
    def what_is_locked_is_what_was_locked(self):
        for one in Lock.objects.filter(subject=self.subject_id, lifted_in=None):
            assert self.said_under(one) == self.under_lock[one.pk]

    @invariant()
    def one_confirmation_of_eligibility_stands_at_most(self):
        signed = Signature.objects.filter(subject=self.subject_id, meaning=Meaning.ELIGIBILITY, voided_in=None)
        assert signed.count() <= 1

    def teardown(self):
        """Chain valid, and every table what its trail replays to."""
        assert [str(finding) for finding in findings()] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(1800)
@pytest.mark.req("AUD-07", "SIG-04", "DAT-13", "DAT-15")
def test_any_order_of_acts_leaves_what_was_signed_verified_and_locked_true(
    make_ready, sealed_list, crc, investigator, pi, monitor, data_manager
):
    people = {"crc": crc, "investigator": investigator, "pi": pi, "monitor": monitor, "data_manager": data_manager}
    lived = type("Lived", (Life,), {"people": people, "make_ready": staticmethod(make_ready), "done": Counter()})
    run_state_machine_as_test(
        lived,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=not LONG,
            database=None,
            report_multiple_bugs=False,
            phases=[Phase.generate],  # shrinking would take longer than reading the steps
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{lived.tried} acts, not refused: {dict(lived.done)}")
    assert lived.done["save"] and lived.done["lock_subject"] and lived.done["sign_form"] and lived.done["verify"]
    if LONG:
        assert lived.tried >= 2000
        assert ACTS - set(lived.done) == set()
