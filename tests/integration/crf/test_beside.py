"""What stands beside an item of a form page."""

import pytest
from django.urls import reverse

from crf.models import Query
from pallsoft.audit.context import change_set
from sites.models import Role


@pytest.mark.req("DAT-12")
def test_a_standing_query_is_shown_beside_its_item_and_not_to_the_patient(save, row, sign_in, crc):
    save("START", "SCORE", {"SCORE_PAIN": "6"})
    form = row("START", "SCORE")
    with change_set(study=form.study, by=None, action="test"):
        Query.objects.create(
            study=form.study, subject=form.subject, event=form.event, form_oid="SCORE", item_oid="SCORE_PAIN",
            form_data=form, assigned_role=Role.STUDY_NURSE,
        )  # fmt: skip
    address = [form.study.oid, form.subject.number, "START", 1, "SCORE", "1"]
    client = sign_in(crc)
    assert "chip-query" in client.get(reverse("form", args=address)).content.decode()
    assert "chip-query" not in client.get(reverse("form-patient", args=address)).content.decode()
