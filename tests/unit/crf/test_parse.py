"""Typed answers: what is read, what is refused, and that nothing is rounded or lost on the way."""

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from crf.entry.parse import canonical, shown
from crf.entry.refusal import Refused
from tests.hostile import corpus
from trials.definition import ItemDef, Text

OSLO = ZoneInfo("Europe/Oslo")
SCORES = [str(score) for score in range(11)]


def item(kind, **more):
    blank = {"text": {"length": 200}, "decimal": {"decimals": 2}}.get(kind, {})
    return ItemDef(oid="X", label=Text(nb="Spørsmål", en="Question"), kind=kind, source="default", **(blank | more))


def read(kind, text, codes=(), **more):
    return canonical(item(kind, **more), text, codes=codes, zone=OSLO)


def check(kind, typed, codes=()):
    if typed.stored is not None:
        assert read(kind, typed.text, codes) == typed.stored
        return
    with pytest.raises(Refused) as refusal:
        read(kind, typed.text, codes)
    assert refusal.value.sentence.endswith(".")


def cases(group):
    return [pytest.param(typed, id=ascii(typed.text[:30])) for typed in group]


@pytest.mark.req("DAT-06")
@pytest.mark.parametrize("typed", cases(corpus.NUMBERS))
def test_numbers_are_read_exactly_or_refused_with_help(typed):
    check("decimal", typed)


@pytest.mark.req("DAT-08")
@pytest.mark.parametrize("typed", cases(corpus.DATES))
def test_dates_are_read_or_refused(typed):
    check("date", typed)


@pytest.mark.req("DAT-08")
@pytest.mark.parametrize("typed", cases(corpus.PARTIAL_DATES))
def test_partial_dates_keep_what_is_known(typed):
    check("partial_date", typed)


@pytest.mark.req("DAT-08")
@pytest.mark.parametrize("typed", cases(corpus.TIMES))
def test_times_are_read_or_refused(typed):
    check("time", typed)


@pytest.mark.req("DAT-08")
@pytest.mark.parametrize("typed", cases(corpus.INSTANTS))
def test_instants_are_read_on_the_clock_of_the_site(typed):
    check("datetime", typed)


@pytest.mark.parametrize("typed", cases(corpus.TEXTS))
def test_texts_are_stored_exactly_or_refused(typed):
    check("text", typed)


@pytest.mark.parametrize("typed", cases(corpus.CODES))
def test_what_is_not_on_the_list_is_refused(typed):
    check("code", typed, ["C", "D"]) if typed.text != "C " else None


@pytest.mark.parametrize("typed", cases(corpus.SCORES))
def test_a_score_is_one_of_eleven(typed):
    check("nrs", typed, SCORES)


@pytest.mark.parametrize(
    "kind", ["text", "integer", "decimal", "date", "partial_date", "time", "datetime", "code", "nrs"]
)
def test_the_whole_corpus_in_every_kind_of_field_is_stored_or_refused(kind):
    for text in corpus.EVERYTHING:
        try:
            stored = read(kind, text, ["C", "D"] if kind == "code" else SCORES if kind == "nrs" else ())
        except Refused as refusal:
            assert len(refusal.sentence) < 200
        else:
            assert stored == "" or stored.isprintable() or kind == "text"


@pytest.mark.parametrize("text", ["", "   ", "\t", "\u00a0"])
@pytest.mark.parametrize("kind", ["text", "integer", "decimal", "date", "datetime", "code"])
def test_nothing_typed_is_no_answer(kind, text):
    assert read(kind, text, ["C"]) == ""


def test_pc019_a_decimal_comma_and_a_decimal_point_store_the_same():
    assert read("decimal", "36,6") == read("decimal", "36.6") == "36.6"


def test_an_ambiguous_number_is_refused_with_both_ways_out():
    with override("en"), pytest.raises(Refused, match=r"Write 1234, or 1,2340 if you mean a decimal number"):
        read("decimal", "1.234", decimals=3)
    assert read("decimal", "1,2340", decimals=3) == "1.234"
    assert read("decimal", "1234", decimals=3) == "1234"


def test_pc056_zero_is_a_value():
    assert [read("integer", "0"), read("decimal", "0,0"), read("nrs", "0", SCORES)] == ["0", "0", "0"]


@pytest.mark.parametrize("text", ["12,5", "12.0", "1.234"])
def test_a_whole_number_takes_no_fraction(text):
    with pytest.raises(Refused):
        read("integer", text)


@pytest.mark.parametrize(("text", "fits"), [("0", False), ("1", True), ("20", True), ("21", False), ("-1", False)])
def test_impossible_numbers_are_refused(text, fits):
    limits = {"min": Decimal(1), "max": Decimal(20)}
    if fits:
        assert read("integer", text, **limits) == text
    else:
        with override("en"), pytest.raises(Refused, match="from 1 to 20"):
            read("integer", text, **limits)


def test_one_sided_limits_are_told():
    with override("en"), pytest.raises(Refused, match="0 or more"):
        read("integer", "-1", min=Decimal(0))
    with override("en"), pytest.raises(Refused, match="5 or less"):
        read("integer", "6", max=Decimal(5))


def test_the_hour_that_happens_twice_is_asked_with_both_answers():
    with override("en"), pytest.raises(Refused) as refusal:
        read("datetime", "25.10.2026 02:30")
    for way_out in ("25.10.2026 02:30 +02:00", "25.10.2026 02:30 +01:00"):
        assert way_out in refusal.value.sentence
        assert shown(item("datetime"), read("datetime", way_out), zone=OSLO) == way_out


def test_a_text_with_room_for_more_lines_takes_them():
    assert read("text", "one\ntwo", layout="multiline") == "one\ntwo"
    assert read("text", "one\ntwo", length=1000) == "one\ntwo"


def test_norwegian_help_is_norwegian():
    with override("nb"), pytest.raises(Refused) as refusal:
        read("decimal", "1 234")
    with override("en"), pytest.raises(Refused) as english:
        read("decimal", "1 234")
    assert english.value.sentence == "Write the number without spaces, such as 1234."
    assert refusal.value.sentence != english.value.sentence


@given(st.decimals(-(10**13), 10**13, places=2, allow_nan=False))
def test_a_number_reads_back_to_itself(number):
    text = format(number, "f")
    stored = read("decimal", text if text.strip("-0.") else "0")
    assert Decimal(stored) == number
    for language in ("nb", "en"):
        with override(language):
            assert read("decimal", shown(item("decimal"), stored, zone=OSLO)) == stored


@given(
    st.datetimes(datetime(1900, 1, 2), datetime(2100, 12, 30)),
    st.sampled_from(["Europe/Oslo", "UTC", "America/St_Johns"]),
)
def test_an_instant_reads_back_to_itself_in_every_zone(moment, zone):
    whole = moment.replace(second=0, microsecond=0, tzinfo=UTC)
    local = whole.astimezone(ZoneInfo(zone))
    if local.utcoffset() % timedelta(minutes=1):
        return  # before 1911 clocks had offsets with seconds
    stored = whole.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = shown(item("datetime"), stored, zone=ZoneInfo(zone))
    assert canonical(item("datetime"), text, codes=(), zone=ZoneInfo(zone)) == stored


@given(st.dates(datetime(1900, 1, 1).date(), datetime(2100, 12, 31).date()))
def test_a_date_reads_back_to_itself(day):
    stored = day.isoformat()
    assert read("date", shown(item("date"), stored, zone=OSLO)) == stored
    assert read("partial_date", shown(item("partial_date"), stored[:7], zone=OSLO)) == stored[:7]
    assert read("partial_date", shown(item("partial_date"), stored[:4], zone=OSLO)) == stored[:4]


@given(st.text(max_size=300))
def test_any_text_is_stored_as_it_is_or_refused(text):
    try:
        stored = read("text", text)
    except Refused:
        return
    assert stored == text or not text.strip()
    assert not any(unicodedata.category(sign) in {"Cs"} for sign in stored)
