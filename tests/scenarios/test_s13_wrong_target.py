"""S13 and S14: the target symptom or the cancer group was wrong; both values stay, the allocation is not touched."""

import uuid

import pytest
from django.urls import reverse

from crf.exports.dataset import Scope
from crf.models import FormData
from crf.selectors.queries import item_queries_url
from crf.services import answer_query, close_query, raise_query, save_form
from pallsoft.errors import NotAllowedNow
from randomization.corrections import correctable
from randomization.exports import randomization_table
from randomization.facts import arm_code
from randomization.models import Allocation
from randomization.receipt import allocation_of, receipt_for
from randomization.selectors import findings, misstratified
from randomization.services import decide_correction, randomize, request_correction
from sites.worklist import work_items
from tests.fixtures.ready_for_pallsoft import pallsoft_list, screened  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("RND-08")]


@pytest.fixture
def patient(screened, crc):  # noqa: F811
    subject = screened("GYN", "PAIN")
    randomize(subject=subject, key=uuid.uuid4(), by=crc, typed_number=subject.number)
    subject.refresh_from_db()
    return subject


def as_stored(subject, user):
    return Allocation.objects.values().get(), arm_code(subject), receipt_for(user, subject, allocation_of(subject))


def exported(study):
    _name, header, rows = randomization_table(study, Scope(("BOD",), False))
    return [dict(zip(header, row, strict=True)) for row in rows]


def change(subject, form_oid, by, values, reason):
    row = FormData.objects.select_related("event").get(subject=subject, form_oid=form_oid, event__event_oid="SCREEN")
    row.event.subject = subject
    answers = {"event": row.event, "form_oid": form_oid, "values": values, "seen_version": row.version, "by": by}
    return save_form(**answers, key=uuid.uuid4(), reason=reason)


def test_s13_the_target_was_bleeding(patient, crc, pi, coordinator, study):
    before = as_stored(patient, crc)
    change(patient, "TS", crc, {"TS_TARGET": "BLEED"}, "Pasientens skjema sier blødning")
    pointed_out = {one.oid for one in correctable(patient) if one.differs}
    assert pointed_out == {"target_symptom", "TARGET_GROUP"}
    for factor, value in (("target_symptom", "BLEED"), ("TARGET_GROUP", "OTHER")):
        asked = request_correction(
            subject=patient, factor=factor, value=value, source="nettbrettskjema", reason="feil overført", by=pi
        )
        decide_correction(correction=asked, confirmed=True, by=coordinator)
    assert as_stored(patient, crc) == before
    (row,) = exported(study)
    assert (row["TARGET_SYMPTOM"], row["TARGET_SYMPTOM_ACTUAL"]) == ("PAIN", "BLEED")
    assert (row["TARGET_GROUP"], row["TARGET_GROUP_ACTUAL"]) == ("PAIN", "OTHER")
    assert not any(one.differs for one in correctable(patient))


def test_s13_nobody_is_randomised_again(patient, crc, pi):
    with pytest.raises(NotAllowedNow, match=r"allerede randomisert|already randomised"):
        randomize(subject=patient, key=uuid.uuid4(), by=crc, typed_number=patient.number)
    with pytest.raises(NotAllowedNow):
        randomize(subject=patient, key=uuid.uuid4(), by=pi, typed_number=patient.number)
    assert Allocation.objects.count() == 1


def test_s14_the_tumour_was_urothelial(patient, screened, crc, pi, coordinator, study, pallsoft_list):  # noqa: F811
    before = as_stored(patient, crc)
    asked = request_correction(
        subject=patient, factor="CANCER_GROUP", value="URO", source="histologi", reason="urotelialt karsinom", by=pi
    )
    decide_correction(correction=asked, confirmed=True, by=coordinator)
    assert as_stored(patient, crc) == before
    (row,) = exported(study)
    assert (row["CANCER_GROUP"], row["CANCER_GROUP_ACTUAL"]) == ("GYN", "URO")
    assert [one.subject for one in misstratified(study)] == [patient]
    others = [screened("GYN", "PAIN"), screened("URO", "PAIN")]
    for one in others:
        randomize(subject=one, key=uuid.uuid4(), by=crc, typed_number=one.number)
    assert [arm_code(one) for one in (patient, others[0])] == pallsoft_list["GYN|PAIN"][:2]
    assert arm_code(others[1]) == pallsoft_list["URO|PAIN"][0]  # the corrected one took no slot there
    assert all(findings(scheme) == [] for scheme in study.schemes.all())


def test_s13_it_begins_with_a_query_of_the_monitor_and_ends_with_its_answer(
    patient, crc, pi, coordinator, monitor, sign_in, study
):
    """Found at week 4: the tablet says bleeding, the entry pain. The query never changes the answer; people do."""
    before = as_stored(patient, crc)
    screening = patient.events.get(event_oid="SCREEN")
    screening.subject = patient
    ask = {"event": screening, "form_oid": "TS", "item_oid": "TS_TARGET", "key": uuid.uuid4(), "by": monitor}
    query = raise_query(**ask, text="Nettbrettskjemaet sier blødning, registreringen smerte. Hva er riktig?")
    stored = FormData.objects.get(subject=patient, form_oid="TS")
    assert stored.data["TS_TARGET"] == "PAIN"
    waiting = [item.url for item in work_items(crc, study)]
    assert reverse("queries", args=[study.oid]) in waiting
    change(patient, "TS", crc, {"TS_TARGET": "BLEED"}, "Query: pasientens skjema sier blødning")
    query.refresh_from_db()
    assert query.status == "open", "a corrected answer closes nothing that a person asked"
    query = answer_query(query=query, text="Blødning er riktig. Korreksjon er bedt om.", by=crc)
    asked = request_correction(
        subject=patient, factor="target_symptom", value="BLEED", source="nettbrettskjema", reason="feil overført", by=pi
    )
    decide_correction(correction=asked, confirmed=True, by=coordinator)
    query = close_query(query=query, reason="Sett i kilden og i korreksjonen", by=monitor)
    assert as_stored(patient, crc) == before
    page = sign_in(monitor).get(item_queries_url(query)).content.decode()
    assert "Blødning er riktig" in page and "Sett i kilden" in page
