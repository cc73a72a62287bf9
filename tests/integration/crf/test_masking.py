"""AUD-14: identity typed by mistake goes for good, by two persons; who, when and why stay, and the chain holds."""

import uuid
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.urls import reverse
from django.utils.translation import override

from crf import facts
from crf.models import Draft, MaskRequest, Query, QueryMessage, Request, Verification
from crf.selectors.manifest import form_sha256
from crf.services import answer_query, confirm_masking, raise_query, refuse_masking, request_masking
from pallsoft.audit.context import change_set
from pallsoft.audit.verification import findings, masked
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.models import Role
from sites.services import assign_role
from tests.integration.crf.signing import sign_form

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("AUD-14")]

NAME = "Kari Nordmann, tlf. 90 00 00 00"


@pytest.fixture
def typed(save, row):
    """A name typed into a remark at the first save, and corrected later; the number is harmless."""
    save("START", "BASE", {"BASE_TEXT": NAME, "BASE_WEIGHT": "70"})
    save("START", "BASE", {"BASE_TEXT": "se journal"}, reason="navn skrevet")
    return row("START", "BASE")


def ask(form, by, changes=(0,), messages=(), **more):
    given = {"item_oid": "BASE_TEXT", "reason": "navn i merknaden", "key": uuid.uuid4()} | more
    return request_masking(form=form, changes=changes, messages=messages, by=by, **given)


def everything():
    """Every text of every table that the application may read, the trail included."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND n.nspname IN ('public', 'audit') AND has_table_privilege(c.oid, 'SELECT')"""
        )
        for schema, table in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{schema}"."{table}" t')
            found += [text for (text,) in cursor.fetchall()]
    return "\n".join(found)


def trail(form, item="BASE_TEXT"):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT actor_name, reason, old #>> '{}', new #>> '{}', masked_in IS NOT NULL FROM audit.trail"
            " WHERE row_id = %s AND item = %s ORDER BY change",
            [form.pk, item],
        )
        return cursor.fetchall()


def test_a_name_of_the_first_save_is_nowhere_any_more_and_the_chain_holds(typed, data_manager, coordinator):
    assert NAME in everything()
    emptied = confirm_masking(request=ask(typed, data_manager), by=coordinator)
    assert (emptied, list(findings()), masked()) == (2, [], 2)
    assert "Nordmann" not in everything() and "90 00 00 00" not in everything()
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert "Masked by two persons, and empty: 2 rows of the trail." in out.getvalue()


def test_who_when_and_why_stay_and_so_does_what_was_right(typed, data_manager, coordinator, row):
    confirm_masking(request=ask(typed, data_manager), by=coordinator)
    assert trail(typed) == [
        ("Åse Nordgård", "", None, None, True),
        ("Åse Nordgård", "navn skrevet", None, "se journal", True),
    ]
    assert [new for *_who, new, _masked in trail(typed, "BASE_WEIGHT")] == ["70"]
    assert row("START", "BASE").data["BASE_TEXT"] == "se journal"


def test_what_the_form_still_holds_goes_too_and_the_form_is_settled_without_it(save, row, data_manager, coordinator):
    save("START", "BASE", {"BASE_TEXT": NAME, "BASE_WEIGHT": "70", "BASE_HEIGHT": "180"})
    form = row("START", "BASE")
    confirm_masking(request=ask(form, data_manager), by=coordinator)
    now = row("START", "BASE")
    assert "BASE_TEXT" not in now.data and now.data["BASE_BMI"] == form.data["BASE_BMI"]
    assert now.version == form.version + 1
    assert "Nordmann" not in everything()
    assert list(findings()) == []


def test_the_same_text_in_other_rows_of_the_item_goes_with_it(save, typed, row, data_manager, coordinator):
    save("START", "BASE", {"BASE_TEXT": NAME}, reason="angret")
    save("START", "BASE", {"BASE_TEXT": "borte"}, reason="på nytt")
    confirm_masking(request=ask(typed, data_manager), by=coordinator)
    assert "Nordmann" not in everything()
    assert [new for *_who, new, _masked in trail(typed)] == [None, "se journal", None, "borte"]
    assert list(findings()) == []


def test_queries_and_drafts_lose_it_and_verification_falls(save, visit, row, crc, data_manager, coordinator, monitor):
    save("START", "BASE", {"BASE_TEXT": NAME})
    form = row("START", "BASE")
    asked = {"event": visit("START"), "form_oid": "BASE", "item_oid": "BASE_TEXT"}
    raise_query(**asked, text=f"Hvem er {NAME}?", key=uuid.uuid4(), by=data_manager)
    message = QueryMessage.objects.get()
    Draft.objects.create(
        study=form.study, user=crc, subject=form.subject, event_oid="START", ordinal=1, form_oid="BASE",
        repeat_key="1", base_version=1, raw={"BASE_TEXT": f"{NAME}!", "BASE_HEIGHT": "180"},
    )  # fmt: skip
    confirm_masking(request=ask(form, data_manager, messages=[str(message.pk)]), by=coordinator)
    message.refresh_from_db()
    assert (message.text, Draft.objects.get().raw) == ("[masked]", {"BASE_HEIGHT": "180"})
    assert "Nordmann" not in everything()
    assert not Verification.objects.filter(dropped_in=None).exists()
    assert list(findings()) == []


@pytest.mark.req("SIG-03")
def test_no_hash_is_left_from_which_the_name_could_be_guessed_back(save, row, data_manager, coordinator, pi):
    """Whoever knows the rest of the form could try name after name against it."""
    answers = {"BASE_TEXT": NAME, "BASE_WEIGHT": "70", "BASE_HEIGHT": "180", "BASE_ORGAN": "GUT", "BASE_SMOKES": "N"}
    save("START", "BASE", answers)
    form = row("START", "BASE")
    signature = sign_form(form, pi)
    assert signature.manifest[0]["sha256"] != form_sha256(form, None)
    confirm_masking(request=ask(form, data_manager), by=coordinator)
    signature.refresh_from_db()
    assert signature.voided_in and signature.salt is None
    assert set(Request.objects.values_list("body_sha256", flat=True)) == {""}
    call_command("verify_signatures")
    assert list(findings()) == []


def test_one_person_alone_masks_nothing(typed, data_manager, coordinator):
    request = ask(typed, data_manager)
    with pytest.raises(NotPermitted, match="annen"):
        confirm_masking(request=request, by=data_manager)
    confirm_masking(request=request, by=coordinator)
    with pytest.raises(NotAllowedNow):
        confirm_masking(request=request, by=coordinator)


@pytest.mark.req("AUD-05")
def test_sql_of_the_application_cannot_mask_alone(typed, data_manager, coordinator):
    """The function does what a request asks in the act of another person, and nothing else."""
    request = ask(typed, data_manager)
    call = "SELECT audit.mask(%s)"
    for action, who, confirm in [
        ("audit.mask", data_manager, True),
        ("x", coordinator, True),
        ("audit.mask", coordinator, False),
    ]:
        with (
            pytest.raises((DatabaseError, NotAllowedNow)),
            change_set(study=typed.study, by=who, action=action, reason="x") as act,
            connection.cursor() as cursor,
        ):
            if confirm:
                MaskRequest.objects.filter(pk=request.pk).update(confirmed_in=act)
            cursor.execute(call, [request.pk])
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("UPDATE audit.item_change SET old = NULL")
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        change_set(study=typed.study, by=coordinator, action="audit.mask", reason="x"),
    ):
        QueryMessage.objects.update(text="x")
    assert NAME in everything()


def test_a_masked_row_that_is_altered_afterwards_is_found(typed, data_manager, coordinator, superuser):
    confirm_masking(request=ask(typed, data_manager), by=coordinator)
    cursor = superuser.cursor()
    cursor.execute("SET session_replication_role = replica")
    cursor.execute(
        "UPDATE audit.baseline SET doc = jsonb_set(doc, '{data,BASE_WEIGHT}', '\"99\"') WHERE masked_in IS NOT NULL"
    )
    cursor.execute('UPDATE crf_formdata SET data = data || \'{"BASE_WEIGHT": "99"}\'')
    assert any("baseline" in finding.what for finding in findings())


def test_a_locked_form_is_unlocked_first_and_a_refusal_keeps_everything(typed, data_manager, coordinator):
    request = ask(typed, data_manager)
    with pytest.raises(InvalidInput):
        refuse_masking(request=request, reason=" ", by=coordinator)
    refuse_masking(request=request, reason="dette er legens navn", by=coordinator)
    assert NAME in everything()
    with pytest.raises(NotAllowedNow):
        confirm_masking(request=request, by=coordinator)


def test_nothing_chosen_and_no_reason_are_told(typed, data_manager, crc):
    with pytest.raises(InvalidInput):
        ask(typed, data_manager, changes=())
    with pytest.raises(InvalidInput):
        ask(typed, data_manager, reason="")
    with pytest.raises(NotPermitted):
        ask(typed, crc)


def test_a_double_click_asks_once(typed, data_manager):
    key = uuid.uuid4()
    assert ask(typed, data_manager, key=key).pk == ask(typed, data_manager, key=key).pk
    assert MaskRequest.objects.count() == 1


def test_the_pages_lead_from_the_history_to_the_empty_value(typed, subject, sign_in, data_manager, coordinator):
    place = [subject.study.oid, subject.number, "START", 1, "BASE", "1"]
    client = sign_in(data_manager, "nb")
    history = client.get(reverse("form-trail", args=place), {"item": "BASE_TEXT"})
    page = client.get(history.context["mask_url"])
    first = page.context["places"][0]
    assert (first.value, first.text) == ("0", NAME)
    refused = client.post(history.context["mask_url"], {"reason": "x"})
    assert refused.status_code == 422 and "Velg minst én" in refused.content.decode()
    asked = client.post(history.context["mask_url"], {"chosen": ["0"], "reason": "navn", "key": str(uuid.uuid4())})
    assert asked.status_code == 302
    own = client.get(asked["Location"])
    assert "Venter på en annen person" in own.content.decode() and "Nordmann" not in own.content.decode()
    client = sign_in(coordinator, "nb")
    request = MaskRequest.objects.get()
    done = client.post(reverse("decide-masking", args=[subject.study.oid, request.pk]), {"act": "confirm"}, follow=True)
    assert "2 rader i endringsloggen er tømt" in done.content.decode()
    history = client.get(reverse("form-trail", args=place), {"item": "BASE_TEXT"}).content.decode()
    assert "Maskert" in history and "Nordmann" not in history and "Åse Nordgård" in history


def test_the_request_says_where_and_counts_only_what_there_is(typed, visit, subject, data_manager, sign_in):
    asked = {"event": visit("START"), "form_oid": "BASE", "item_oid": "BASE_TEXT"}
    raise_query(**asked, text=NAME, key=uuid.uuid4(), by=data_manager)
    ask(typed, data_manager, changes=(), messages=[str(QueryMessage.objects.get().pk)])
    html = sign_in(data_manager, "nb").get(reverse("maskings", args=[subject.study.oid])).content.decode()
    assert "BOD-001 · Screening · " in html and "/START-1/forms/BASE/1/" in html
    assert "1 melding" in html and "0 lagrede" not in html


def test_that_a_message_was_masked_is_said_in_the_readers_language():
    message = QueryMessage(text="[masked]")
    with override("nb"):
        assert message.words == "[maskert]"


@pytest.mark.req("ACC-03")
def test_who_may_not_see_the_arm_masks_nothing_of_a_check_that_tells_it(
    save, row, subject, sign_in, crc, data_manager, make_user, monkeypatch
):
    """It stands at an item that is no secret."""
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"arm": "B"}])
    save("START", "SCORE", {"SCORE_PAIN": "10"})
    answer_query(query=Query.objects.get(check_oid="SCORE_C3"), text=NAME, by=crc)
    form, message = row("START", "SCORE"), str(QueryMessage.objects.get(by_rule=False).pk)
    url = reverse("form-mask", args=[subject.study.oid, subject.number, "START", 1, "SCORE", "1"])
    page = sign_in(data_manager, "nb").get(url, {"item": "SCORE_PAIN"})
    assert [place.value for place in page.context["places"]] == ["0"]
    with pytest.raises(InvalidInput):
        ask(form, data_manager, changes=(), messages=[message], item_oid="SCORE_PAIN")
    both = make_user("both", "Gro Ås", Role.DATA_MANAGER)
    assign_role(study=subject.study, user=both, role=Role.MONITOR, site=None, by=None)
    ask(form, both, changes=(), messages=[message], item_oid="SCORE_PAIN")


def test_a_mask_page_of_an_unknown_item_is_not_found(typed, subject, sign_in, data_manager, crc):
    url = reverse("form-mask", args=[subject.study.oid, subject.number, "START", 1, "BASE", "1"])
    assert sign_in(data_manager).get(url, {"item": "NOPE"}).status_code == 404
    assert sign_in(crc).get(url, {"item": "BASE_TEXT"}).status_code == 403
