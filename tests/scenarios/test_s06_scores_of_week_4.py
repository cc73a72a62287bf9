"""The scores of week 4 (S06): computed when the questionnaire is saved, kept with it, and following a correction."""

import re
import uuid

import pytest
from django.urls import reverse

from crf.models import FormData
from pallsoft.audit.models import ItemChange
from sites.models import Sex
from tests.fixtures.by_hand import enter

pytestmark = pytest.mark.django_db
ABOUT = {"QLC_WHO": "ALONE", "QLC_MODE": "PAPER", "QLC_LANG": "NB"}
WORST = {f"QLC_{n:02d}": "4" for n in range(1, 29)} | {"QLC_29": "1", "QLC_30": "1"}


@pytest.fixture
def man(enrol, bodo):
    return enrol(bodo, birth_year=1950, sex=Sex.MALE)


@pytest.fixture
def send(sign_in, crc, man):
    """send({...}): save the questionnaire of week 4 as a nurse types it; the page that follows."""
    page = sign_in(crc, "nb")
    url = reverse("form", args=[man.study.oid, man.number, "W4", 1, "QLC", "1"])

    def type_and_save(typed):
        answer = page.post(url, {"key": str(uuid.uuid4()), "seen_version": "0"} | typed, follow=True)
        return answer.content.decode()

    return type_and_save


def test_a_saved_questionnaire_shows_its_scores_and_their_instrument(send, man):
    html = send(ABOUT | WORST)
    form = FormData.objects.get(subject=man, form_oid="QLC")
    assert (form.data["QLC_PF"], form.data["QLC_FA"], form.data["QLC_SUM"]) == ("0.00", "100.00", "0.00")
    assert "Beregnet (QLQ-C30 3.0)" in html and "Fysisk funksjon (PF)" in html
    shown = re.search(r'id="id_QLC_FA"[^>]*>\s*([\d,.]+)', html)
    assert shown and shown.group(1) == "100,00"
    assert "Beregnet: QLQ-C30 spørsmål 1 … QLQ-C30 spørsmål 27" in re.sub(r"\s+", " ", html)


def test_a_corrected_answer_corrects_its_score_in_the_trail(send, man, crc):
    send(ABOUT | WORST)
    enter(man, crc, "W4", "QLC", {"QLC_10": "1"}, reason="Lest feil på papirskjemaet")
    form = FormData.objects.get(subject=man, form_oid="QLC")
    assert (form.data["QLC_FA"], form.data["QLC_PF"]) == ("66.67", "0.00")
    changed = ItemChange.objects.filter(row_id=form.pk, old__isnull=False, part="data").values_list("item", "new")
    assert dict(changed) == {"QLC_10": "1", "QLC_FA": "66.67", "QLC_SUM": form.data["QLC_SUM"]}


def test_what_the_patient_was_too_ill_to_answer_leaves_its_scale_without_a_score(send, man):
    typed = ABOUT | WORST | {"QLC_06": "", "QLC_08": "", "QLC_06-missing": "ILL", "QLC_08-missing": "ILL"}
    send(typed)
    form = FormData.objects.get(subject=man, form_oid="QLC")
    assert (form.data["QLC_RF"], form.marks["QLC_08"]) == ("0.00", {"missing": "ILL"})
    assert not {"QLC_DY", "QLC_SUM"} & form.data.keys()
