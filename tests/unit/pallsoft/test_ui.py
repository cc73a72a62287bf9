"""Dates, numbers, chips and summaries in both languages."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone, translation

from pallsoft.templatetags import ui

SUMMER = datetime(2026, 9, 1, 12, 32, tzinfo=UTC)
HARD = "\u00a0"


def shown(source, **context):
    return Template("{% load ui %}" + source).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("value", "nb", "en"),
    [
        (date(2026, 9, 1), "1. sep. 2026", "1 Sep 2026"),
        (date(2026, 5, 17), "17. mai 2026", "17 May 2026"),
        (SUMMER, "1. sep. 2026", "1 Sep 2026"),
        ("2026-09-01", "1. sep. 2026", "1 Sep 2026"),
        ("2026-09-01T22:30:00Z", "2. sep. 2026", "2 Sep 2026"),
        ("2026-04", "april 2026", "Apr 2026"),
        ("2026", "2026", "2026"),
        ("ukjent", "ukjent", "ukjent"),
        ("2026-13", "2026-13", "2026-13"),
        (None, "", ""),
    ],
)
def test_dates_are_written_as_people_write_them(value, nb, en):
    with translation.override("nb"):
        assert ui.nb_date(value).replace(HARD, " ") == nb
    with translation.override("en"):
        assert ui.nb_date(value).replace(HARD, " ") == en


@pytest.mark.parametrize(
    ("value", "text"),
    [(date(2026, 9, 1), "01.09.2026"), ("2026-09", "09.2026"), ("2026", "2026"), ("x", "x"), (None, "")],
)
def test_short_dates_are_what_the_fields_take(value, text):
    assert ui.short_date(value) == text


@pytest.mark.parametrize("value", [SUMMER, "2026-09-01T12:32:00Z", "14:32", time(14, 32), datetime(2026, 9, 1, 14, 32)])
def test_the_clock_is_norwegian_in_bokmal_and_british_in_english(value):
    with translation.override("nb"):
        assert ui.clock(value) == "14.32"
    with translation.override("en"):
        assert ui.clock(value) == "14:32"


def test_the_clock_follows_the_active_time_zone_over_the_change_to_winter():
    with translation.override("en"):
        assert ui.clock(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == "02:30"
        assert ui.clock(datetime(2026, 10, 25, 1, 30, tzinfo=UTC)) == "02:30"
        with timezone.override("UTC"):
            assert ui.clock(SUMMER) == "12:32"


def test_what_is_no_time_is_shown_as_it_is():
    assert (ui.clock("sent"), ui.clock("25:99"), ui.clock(None), ui.moment("")) == ("sent", "25:99", "", "")


def test_a_moment_is_date_and_clock():
    with translation.override("nb"):
        assert ui.moment(SUMMER).replace(HARD, " ") == "1. sep. 2026 kl. 14.32"
    with translation.override("en"):
        assert ui.moment(SUMMER).replace(HARD, " ") == "1 Sep 2026, 14:32"


def test_machines_get_iso_in_utc():
    assert ui.iso(timezone.localtime(SUMMER)) == "2026-09-01T12:32:00Z"
    assert (ui.iso(date(2026, 9, 1)), ui.iso("2026-09"), ui.iso(None)) == ("2026-09-01", "2026-09", "")


@pytest.mark.parametrize(
    ("value", "decimals", "nb", "en"),
    [
        (1234567, None, f"1{HARD}234{HARD}567", "1,234,567"),
        (Decimal("12.50"), None, "12,50", "12.50"),
        ("1234.5", None, f"1{HARD}234,5", "1,234.5"),
        (Decimal("-3.14159"), 2, "\u22123,14", "\u22123.14"),
        (2, 1, "2,0", "2.0"),
        ("mye", None, "mye", "mye"),
        (0, None, "0", "0"),
        (None, None, "", ""),
    ],
)
def test_numbers_have_the_marks_of_the_language(value, decimals, nb, en):
    with translation.override("nb"):
        assert ui.number(value, decimals) == nb
    with translation.override("en"):
        assert ui.number(value, decimals) == en


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["complete", "locked", "query"], "locked"),
        (["answered", "overdue", "query"], "query"),
        (["overdue", "answered"], "answered"),
        (["signed", "in_progress"], "in_progress"),
        (["verified", "signed"], "signed"),
        (["complete", "planned"], "complete"),
        ([], "planned"),
    ],
)
def test_the_rolled_up_status_is_the_most_pressing(parts, whole):
    assert ui.rolled_up(parts) == whole


@pytest.mark.parametrize("status", ui.STATUSES)
def test_a_chip_has_sign_and_word(status):
    html = shown("{% chip status %}", status=status)
    assert f'aria-hidden="true">{ui.STATUSES[status].sign}</span>' in html
    assert str(ui.STATUSES[status].word) in html


def test_a_chip_of_queries_counts_them():
    with translation.override("en"):
        assert "2 queries" in shown('{% chip "query" count=2 %}')
        assert "1 query" in shown('{% chip "query" count=1 %}')


def test_a_chip_with_an_address_is_a_link_that_says_where_to():
    html = shown('{% chip "overdue" url="/x/" label="NRS, uke 2" text="Forsinket" %}')
    assert html.startswith('<a class="chip chip-overdue" href="/x/" aria-label="NRS, uke 2: Forsinket">')


class Invitation(forms.Form):
    email = forms.EmailField(label="E-post")

    def clean(self):
        raise forms.ValidationError("Senteret er stengt.")


def test_the_summary_of_a_form_links_to_its_fields():
    html = shown("{% form_error_summary form %}", form=Invitation({"email": "åse"}))
    assert '<a href="#id_email">E-post</a>' in html
    assert "Senteret er stengt." in html
    assert 'role="alert"' in html


def test_a_form_without_errors_has_no_summary():
    assert shown("{% form_error_summary form %}", form=Invitation()) == ""


def test_a_qr_code_is_inline_svg_that_the_content_policy_lets_through():
    svg = shown('{% qr_svg "otpauth://totp/PALLSOFT:åse?secret=ABC" "Kode <1>" %}')
    assert svg.startswith("<svg")
    assert "style=" not in svg
    assert "data:" not in svg
    assert "<title>Kode &lt;1&gt;</title>" in svg


def test_a_kind_of_chip_is_drawn_once_and_each_shows_its_own_texts():
    template = "{% chip 'planned' url=url label=label text=text %}"
    shown(template, url="/x/", label="NRS", text="Senere")
    drawn = ui._chip.cache_info().currsize
    html = shown(template, url="/ø/?a=1&b=2", label="Åses <skjema>", text="Når det trengs")
    assert 'href="/ø/?a=1&amp;b=2"' in html
    assert 'aria-label="Åses &lt;skjema&gt;: Når det trengs"' in html
    assert ui._chip.cache_info().currsize == drawn


def test_what_is_fixed_is_drawn_once_for_each_language_and_sees_nothing_of_the_page():
    template = Template("{% load i18n ui %}{% fixed %}{% translate 'Save' %}{{ name }}{% endfixed %} {{ name }}")
    for language, word in (("en", "Save"), ("nb", "Lagre"), ("en", "Save")):
        with translation.override(language):
            assert template.render(Context({"name": "Åse"})) == f"{word} Åse"
    assert len(template.nodelist.get_nodes_by_type(ui._Fixed)[0].drawn) == 2


def test_a_number_in_a_heading_is_not_broken_and_cannot_bring_markup():
    assert ui.unbroken("OSL-004") == '<span class="nowrap">OSL-004</span>'
    assert "<b>" not in ui.unbroken("<b>")
