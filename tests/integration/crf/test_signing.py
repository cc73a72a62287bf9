"""Signing forms, visits and casebooks: who, with what proof, for exactly what was shown, and until anything changes."""

import re
import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from crf.models import FormData, Meaning, Signature, StudyEvent
from crf.selectors.locks import Target
from crf.selectors.signatures import of_form
from crf.selectors.signed_content import differences
from crf.selectors.signing import signable_form, signable_visit
from crf.selectors.to_sign import forms_to_sign
from crf.services import freeze, lock, record_visit_date, signing, void_form
from pallsoft.accounts.models import Profession
from pallsoft.audit.selectors import chain_head, trail_for
from pallsoft.errors import NotAllowedNow, NotPermitted
from sites.clock import local_today
from sites.models import Role, Task
from sites.services import delegate_task, end_delegation
from tests.integration.crf.signing import SCORES, fresh, sign_casebook, sign_form, sign_visit

DOSE = {"DOSE_ON": "2026-09-02", "DOSE_GY": "8"}


@pytest.fixture
def form(save, row):
    """The pain score of week 2, complete."""
    save("WK2", "SCORE", SCORES)
    return fresh(row("WK2", "SCORE"))


@pytest.fixture
def deputy(make_user, delegate, bodo):
    user = make_user("vikar", "Tormod Ødegård", Role.INVESTIGATOR, bodo, Profession.PHYSICIAN)
    delegate(user, Task.SIGN, bodo)
    return user


@pytest.mark.req("SIG-01", "SIG-03")
def test_a_signature_says_who_when_where_and_what_for_and_what_it_is_bound_to(form, pi):
    head = chain_head(form.study_id)
    signature = sign_form(form, pi)
    assert signature.printed_name == "Ragnhild Øvergård"
    assert (signature.meaning, signature.timezone) == (Meaning.REVIEWED, "Europe/Oslo")
    assert signature.seal_n == head.n
    assert [part["version"] for part in signature.manifest] == [form.version]
    (shown,) = of_form(form, pi, "").given
    local = signature.signed_at.astimezone(ZoneInfo("Europe/Oslo"))
    assert f"{local:%H}" in shown.at and shown.at.endswith(f"{local:%Z} (Europe/Oslo)")


@pytest.mark.req("SIG-05")
def test_a_deputy_signs_on_a_named_delegation(form, deputy, pi):
    signature = sign_form(form, deputy)
    assert signature.delegation.delegated_by == pi
    assert "Ragnhild Øvergård" in of_form(form, pi, "").given[0].delegation


@pytest.mark.req("SIG-05")
@pytest.mark.parametrize("who", ["crc", "monitor", "data_manager", "coordinator", "outsider", "investigator"])
def test_nobody_else_signs(request, form, who):
    """The investigator has the role, but only eligibility delegated."""
    with pytest.raises(NotPermitted):
        sign_form(form, request.getfixturevalue(who))
    assert not Signature.objects.exists()


@pytest.mark.req("SIG-05")
def test_the_right_ends_with_the_delegation_and_the_refusal_says_whom_to_ring(form, deputy, pi, bodo):
    today = local_today(bodo.timezone)
    end_delegation(delegation=deputy.delegations.get(), last_day=today - timedelta(days=1), by=pi, reason="tilbake")
    with pytest.raises(NotPermitted, match="Ragnhild Øvergård"):
        sign_form(form, deputy)


@pytest.mark.req("SIG-05", "SIG-09")
def test_nobody_signs_with_the_proof_of_another(form, pi, deputy, proof):
    with pytest.raises(NotPermitted):
        sign_form(form, pi, proof=proof(deputy))


@pytest.mark.req("SIG-10")
@pytest.mark.django_db(transaction=True)
def test_what_changed_since_the_page_was_shown_refuses_the_signature_item_by_item(form, pi, save, crc):
    seen, seal_n = signable_form(form).seen, chain_head(form.study_id).n
    save("WK2", "SCORE", {"SCORE_PAIN": "9"}, reason="Feil tall")
    with pytest.raises(signing.SeenOtherwise) as refused:
        sign_form(form, pi, seen=seen)
    (line,) = differences(refused.value.signables[0], seal_n)
    assert (line.was, line.now, line.by, line.why) == ("6", "9", crc.full_name, "Feil tall")
    assert not Signature.objects.exists()


def test_a_double_click_signs_once_and_two_people_may_both_sign(form, pi, deputy):
    first = sign_form(form, pi)
    assert sign_form(form, pi) == first
    assert sign_form(form, deputy) != first


def test_an_incomplete_form_and_an_empty_visit_are_not_signed(save, row, visit, pi):
    save("WK4", "SCORE", {})
    with pytest.raises(NotAllowedNow):
        sign_form(row("WK4", "SCORE"), pi)
    event = fresh(row("WK4", "SCORE")).event
    with pytest.raises(NotAllowedNow):
        sign_visit(event, pi)


@pytest.mark.req("SIG-04")
def test_a_change_voids_visibly_and_puts_the_form_back_on_the_list(form, pi, save, bodo):
    signature = sign_form(form, pi)
    assert not forms_to_sign([bodo], Meaning.REVIEWED).exists()
    save("WK2", "SCORE", {"SCORE_PAIN": "9"}, reason="Feil tall")
    (shown,) = of_form(fresh(form), pi, "").given
    assert not shown.stands and shown.voided.reason == "Feil tall"
    (waiting,) = forms_to_sign([bodo], Meaning.REVIEWED)
    assert waiting.was_signed
    again = sign_form(form, pi)
    assert {one.signature.pk for one in of_form(fresh(form), pi, "").given} == {signature.pk, again.pk}


@pytest.mark.req("SIG-04")
def test_pc077_a_signed_form_that_lost_an_answer_waits_and_cannot_be_signed(form, pi, save, bodo):
    sign_form(form, pi)
    save("WK2", "SCORE", {"SCORE_PAIN": ""}, reason="Gjaldt en annen")
    (waiting,) = forms_to_sign([bodo], Meaning.REVIEWED)
    assert waiting.status == "incomplete"
    with pytest.raises(NotAllowedNow):
        sign_form(form, pi)


@pytest.mark.req("SIG-04")
@pytest.mark.parametrize("change", ["a form more", "a form removed", "another date"])
def test_whatever_changes_in_a_signed_visit_or_casebook_voids_them(form, pi, crc, save, subject, change):
    save("WK2", "BASE", {"BASE_TEXT": "tatt med"})
    FormData.objects.get(form_oid="BASE")
    extra = fresh(FormData.objects.get(form_oid="BASE"))
    void_form(form=extra, by=crc, reason="Feil besøk")
    visit, casebook = sign_visit(fresh(form).event, pi), sign_casebook(subject, pi)
    if change == "a form more":
        save("WK2", "BASE", {"BASE_TEXT": "ny"})
    elif change == "a form removed":
        void_form(form=fresh(form), by=crc, reason="Feil pasient")
    else:
        yesterday = local_today("Europe/Oslo") - timedelta(days=1)
        record_visit_date(event=fresh(form).event, happened_on=yesterday, by=crc, reason="Feil dag")
    for signature in (visit, casebook):
        signature.refresh_from_db()
        assert signature.voided_in


@pytest.mark.parametrize("close", [freeze, lock])
def test_what_is_closed_can_still_be_signed(form, pi, data_manager, close):
    """A signature changes no data, and a casebook is often signed when it is closed."""
    close(target=Target(form.study, form.subject.site, form.subject), by=data_manager, reason="Datauttrekk")
    assert sign_form(form, pi).voided_in is None
    assert sign_visit(fresh(form).event, pi).voided_in is None


@pytest.mark.req("SIG-03")
def test_verify_signatures_finds_nothing_wrong_with_what_is_right(form, pi, subject, capsys):
    sign_form(form, pi)
    sign_visit(fresh(form).event, pi)
    sign_casebook(subject, pi)
    call_command("verify_signatures", study="PROVE")
    assert "3 stand" in capsys.readouterr().out


@pytest.mark.req("SIG-03")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "tampering",
    [
        'UPDATE crf_formdata SET data = data || \'{"SCORE_PAIN": "1"}\'',
        "UPDATE crf_signature SET printed_name = 'Ola Nordmann'",
        "UPDATE crf_signature SET signed_at = signed_at - interval '1 day'",
        "UPDATE crf_signature SET meaning = 'assessed'",
        "UPDATE crf_signature SET seal_n = seal_n - 1",
        "UPDATE crf_signature SET id = gen_random_uuid()",
        "UPDATE crf_studyevent SET happened_on = happened_on - 1",
        "UPDATE crf_signature SET manifest = '[]' WHERE event_id IS NULL",
    ],
)
def test_tampering_as_the_owner_of_the_tables_is_found(form, pi, subject, superuser, tampering):
    sign_form(form, pi)
    sign_visit(fresh(form).event, pi)
    sign_casebook(subject, pi)
    with superuser.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no trigger stops or sees it
        cursor.execute(tampering)
    with pytest.raises(CommandError, match="signature"):
        call_command("verify_signatures")


@pytest.mark.req("SIG-03")
@pytest.mark.django_db(transaction=True)
def test_two_signatures_swapped_by_sql_are_found(form, pi, save, row, superuser):
    one = sign_form(form, pi)
    save("WK4", "SCORE", SCORES)
    other = sign_form(row("WK4", "SCORE"), pi)
    with superuser.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE crf_signature s SET manifest = o.manifest, sha256 = o.sha256, form_data_id = o.form_data_id,"
            " event_id = o.event_id FROM crf_signature o WHERE s.id = %s AND o.id = %s",
            [str(one.pk), str(other.pk)],
        )
    with pytest.raises(CommandError, match=str(one.pk)):
        call_command("verify_signatures")


class TestAssessment:
    """A score that a nurse typed waits for a physician."""

    @pytest.fixture
    def dose(self, save, row):
        save("TREAT", "DOSE", DOSE, repeat_key="new")
        return fresh(row("TREAT", "DOSE", "1"))

    def test_it_waits_until_a_physician_confirms(self, dose, pi, bodo):
        assert [form.pk for form in forms_to_sign([bodo], Meaning.ASSESSED)] == [dose.pk]
        sign_form(dose, pi, Meaning.ASSESSED)
        assert not forms_to_sign([bodo], Meaning.ASSESSED).exists()
        assert dose.pk in {form.pk for form in forms_to_sign([bodo], Meaning.REVIEWED)}

    def test_what_the_physician_typed_waits_for_nobody(self, save, investigator, bodo):
        save("TREAT", "DOSE", DOSE, repeat_key="new", by=investigator)
        assert not forms_to_sign([bodo], Meaning.ASSESSED).exists()

    def test_a_nurse_with_a_delegation_cannot_confirm(self, dose, make_user, delegate, bodo):
        nurse = make_user("sofie", "Sofie Lør", Role.INVESTIGATOR, bodo, Profession.NURSE)
        delegate(nurse, Task.SIGN, bodo)
        with pytest.raises(NotPermitted):
            sign_form(dose, nurse, Meaning.ASSESSED)

    def test_other_forms_hold_no_assessment(self, form, pi):
        with pytest.raises(NotAllowedNow):
            sign_form(form, pi, Meaning.ASSESSED)


class TestMany:
    def chosen(self, forms):
        return {form.pk: signable_form(fresh(form)).seen for form in forms}

    @pytest.fixture
    def three(self, form, save, row):
        save("WK4", "SCORE", SCORES)
        save("START", "SCORE", SCORES)
        return [form, fresh(row("WK4", "SCORE")), fresh(row("START", "SCORE"))]

    def sign(self, forms, seen, by, proof):
        return signing.sign_many(forms=forms, meaning=Meaning.REVIEWED, seen=seen, by=by, proof=proof(by))

    @pytest.mark.req("SIG-10")
    def test_pc083_each_form_gets_a_signature_of_its_own_in_the_trail(self, three, pi, proof):
        given = self.sign(three, self.chosen(three), pi, proof)
        assert {one.form_data_id for one in given} == {form.pk for form in three}
        for one in given:
            assert trail_for(table="crf_signature", row_id=one.pk)

    @pytest.mark.req("SIG-10")
    def test_one_that_changed_meanwhile_stops_all_and_is_named(self, three, pi, proof, save):
        seen = self.chosen(three)
        save("WK4", "SCORE", {"SCORE_PAIN": "1"}, reason="Feil tall")
        with pytest.raises(signing.SeenOtherwise) as refused:
            self.sign(three, seen, pi, proof)
        assert three[1].pk in {one.form.pk for one in refused.value.signables}
        assert not Signature.objects.exists()


@pytest.mark.req("SIG-07")
def test_without_a_verified_identity_nobody_gets_the_right_or_signs(form, make_user, bodo, pi, definition):
    from pallsoft.errors import InvalidInput

    user = make_user("ny", "Ny Lege", Role.INVESTIGATOR, bodo, Profession.PHYSICIAN, verified=False)
    today = local_today(bodo.timezone)
    with pytest.raises(InvalidInput):
        delegate_task(site=bodo, user=user, task=Task.SIGN, valid_from=today, valid_until=None, by=pi)
    leader = make_user("ny2", "Ny Leder", Role.PRINCIPAL_INVESTIGATOR, bodo, Profession.PHYSICIAN, verified=False)
    with pytest.raises(NotPermitted, match=r"[Ii]dentit"):
        sign_form(form, leader)


def test_the_digest_of_a_visit_names_its_day(form):
    event = fresh(form).event
    before = signable_visit(event).seen
    event.happened_on = event.happened_on + timedelta(days=1)
    assert signable_visit(event).seen != before
    assert re.fullmatch(r"[0-9a-f]{64}", before)
    assert StudyEvent.objects.filter(pk=event.pk).exists() and uuid.UUID(str(event.pk))
