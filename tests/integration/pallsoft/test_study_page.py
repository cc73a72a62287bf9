"""The study description says what is published, and plainly what is ours and not the protocol's."""

import pytest
from django.urls import reverse

from pallsoft.study_page import schedule_rows


@pytest.fixture
def page(sign_in, study, crc):
    def get(language="nb"):
        client = sign_in(crc, language)
        return client.get(reverse("study-description", kwargs={"study_oid": study.oid})).content.decode()

    return get


def test_every_default_is_listed_as_ours(page, definition):
    text = page("en")
    assert "default, not protocol" in text
    assert all(default.oid in text for default in definition.study.defaults())


def test_the_page_speaks_the_language_of_the_reader(page, definition):
    criterion = definition.study.eligibility.criteria[0].label
    assert criterion.nb in page("nb")
    assert criterion.en in page("en")


def test_the_schedule_marks_each_form_at_its_visits(definition):
    study = definition.study
    rows = {row.title: row.cells for row in schedule_rows(study)}
    for form in study.forms:
        at = {event.oid for event in study.events_with(form.oid)}
        if at:
            shown = {event.oid for event, cell in zip(study.events, rows[str(form.title)], strict=True) if cell}
            assert shown == at
