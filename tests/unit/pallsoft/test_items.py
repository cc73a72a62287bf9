"""The controls of CRF items, as a keyboard or a screen reader meets them."""

import re

import pytest
from django.utils.html import escape

from crf.selectors.beside import Beside
from pallsoft.templatetags.items import _drawn, drawn_item

CODES = [("A", "Blære"), ("B", "Endetarm")]
MISSING = [("ND", "Ikke gjort"), ("REF", "Vil ikke svare")]


def item(kind, **changes):
    return {
        "question": object(), "oid": "X", "name": "X", "label": "Spørsmål", "hint": "", "kind": kind, "value": "",
        "missing": "", "missing_choices": MISSING, "codes": [], "unit": "", "anchors": {}, "required": True,
        "derived": False, "source": "", "errors": [], "old": "", "trail_url": "", "hidden": False, "readonly": False,
        "length": 0,
    } | changes  # fmt: skip


def html(kind, **changes):
    return drawn_item(item(kind, **changes))


def controls(text):
    return re.findall(r"<(?:input|select|textarea|output)[^>]*>", text)


def radios(text, name="X"):
    return re.findall(rf'<input type="radio" name="{name}" value="([^"]*)"([^>]*)>', text)


@pytest.mark.parametrize("kind", ["text", "integer", "decimal", "date", "partial_date", "time", "datetime"])
def test_typed_items_are_text_fields_with_label_and_typed_text(kind):
    text = html(kind, value="1.234")
    assert '<label class="item-label" id="label_X" for="id_X">Spørsmål</label>' in text
    assert re.search(r'<input class="form-control[^"]*" type="text"[^>]* id="id_X" name="X" value="1.234"', text)
    assert 'type="number"' not in text


def test_a_long_text_is_a_textarea():
    assert '<textarea class="form-control" id="id_X" name="X" rows="3" maxlength="1000">a &lt; b</textarea>' in html(
        "text", length=1000, value="a < b"
    )


@pytest.mark.parametrize(("kind", "mode"), [("integer", "numeric"), ("decimal", "decimal")])
def test_numbers_bring_up_the_right_keys_and_their_unit(kind, mode):
    text = html(kind, unit="mg")
    assert f'inputmode="{mode}"' in text
    assert '<span class="unit">mg</span>' in text


def test_a_scale_has_eleven_boxes_and_no_default():
    text = html("nrs", anchors={"low": "Ingen smerter", "high": "Verst tenkelige"})
    scores = radios(text)[:11]
    assert [value for value, _ in scores] == [str(score) for score in range(11)]
    assert not any("checked" in rest for _, rest in radios(text))
    assert "0 Ingen smerter" in text
    assert "10 Verst tenkelige" in text


def test_a_score_that_was_given_is_checked_alone():
    assert [value for value, rest in radios(html("nrs", value="10")) if "checked" in rest] == ["10"]


def test_refusing_is_one_radio_of_the_same_group_so_that_it_clears_the_score():
    text = html("nrs", value="", missing="REF")
    assert [value for value, rest in radios(text) if "checked" in rest] == ["missing:REF"]
    assert ("", "") in radios(text)


def test_six_codes_are_radios_and_seven_a_list():
    six = html("code", codes=[(str(n), f"Kode {n}") for n in range(6)], value="5")
    seven = html("code", codes=[(str(n), f"Kode {n}") for n in range(7)], value="5")
    assert 'role="radiogroup" aria-labelledby="label_X"' in six
    assert [value for value, rest in radios(six) if "checked" in rest] == ["5"]
    assert '<select class="form-select" id="id_X" name="X">' in seven
    assert '<option value="5" selected>' in seven


def test_yes_and_no_are_two_radios_without_a_default():
    found = radios(html("yesno", codes=[("Y", "Ja"), ("N", "Nei")], missing_choices=[]))
    assert [value for value, _ in found] == ["Y", "N"]
    assert not any("checked" in rest for _, rest in found)


def test_a_typed_item_says_why_it_is_missing_in_a_list_of_its_own():
    text = html("decimal", missing="ND")
    assert 'name="X-missing"' in text
    assert '<option value="ND" selected>Ikke gjort</option>' in text
    assert '<details class="item-missing" open>' in text


def test_an_item_that_may_not_be_missing_has_no_reasons():
    assert "item-missing" not in html("text", missing_choices=[])


def test_errors_and_hint_are_tied_to_the_control():
    text = html("date", hint="Dato for besøket", errors=["Skriv datoen som 01.09.2026."])
    assert 'aria-describedby="hint_X err_X" aria-invalid="true"' in text
    assert 'id="err_X"><p>Skriv datoen som 01.09.2026.</p>' in text
    assert 'id="hint_X">Dato for besøket' in text
    assert "aria-describedby" not in html("date")


def test_the_first_radio_is_where_the_error_summary_leads():
    assert 'name="X" value="A" id="id_X"' in html("code", codes=CODES, errors=["Velg én."])


def test_an_irrelevant_item_is_hidden_and_posts_nothing():
    text = html("text", hidden=True, value="gammel")
    assert re.search(r'id="item-X" hidden>\s*</div>', text)
    assert controls(text) == []


def test_a_derived_item_shows_its_source_and_posts_nothing():
    text = html("integer", derived=True, value="67", unit="år", source="samtykkeår − fødselsår")
    assert "67 " in text
    assert "samtykkeår − fødselsår" in text
    assert [control[:7] for control in controls(text)] == ["<output"]


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"value": "B", "codes": CODES}, "Endetarm"),
        ({"missing": "ND"}, "Ikke gjort"),
        ({"value": "12,5", "unit": "mg"}, '12,5 <span class="unit">mg</span>'),
    ],
)
def test_a_readonly_item_reads_as_words_and_posts_nothing(changes, shown):
    text = html("code", readonly=True, **changes)
    assert f'<p class="item-value" id="id_X">{shown}</p>' in text
    assert controls(text) == []


def test_the_earlier_value_and_the_history_are_one_press_away():
    text = html("text", old="<gammel>", trail_url="/s/X/trail/")
    assert "<p>&lt;gammel&gt;</p>" in text
    assert re.search(r'<a class="item-trail" href="/s/X/trail/".*Spørsmål</span></a>', text)


def test_only_an_optional_item_says_so():
    assert "item-optional" in html("text", required=False)
    assert "item-optional" not in html("text", required=True)


@pytest.mark.parametrize(
    ("kind", "changes", "texts"),
    [
        ("text", {}, ["Åse skrev dette", "Bjørn <b>skrev</b> det"]),
        ("decimal", {}, ["12,5", "13"]),
        ("integer", {"derived": True}, ["5", "6"]),
        ("text", {"readonly": True}, ["Åse skrev dette", "Bjørn\nskrev det"]),
    ],
)
def test_a_question_is_drawn_once_for_all_texts_and_none_of_them_is_kept(kind, changes, texts):
    asked = {"question": object(), **changes}
    seen = _drawn.cache_info().currsize
    for number, text in enumerate(texts):
        typed = {"value": text, "old": f"før {text}", "trail_url": f"/s/X/BOD-{number}/trail/"}
        shown = html(kind, **asked, **typed)
        assert all(escape(one) in shown for one in typed.values())
        assert "\0" not in shown
    assert _drawn.cache_info().currsize == seen + 1


@pytest.mark.parametrize("kind", ["nrs", "code", "yesno"])
def test_a_question_with_answers_is_drawn_once_for_each_that_it_offers_and_not_for_others(kind):
    asked = {"question": object(), "codes": [] if kind == "nrs" else [("1", "Blære"), ("2", "Endetarm")]}
    seen = _drawn.cache_info().currsize
    for value in ("1", "2", "1", "Åse skrev dette"):
        html(kind, **asked, value=value)
    html(kind, **asked, missing="Åse skrev dette")
    assert _drawn.cache_info().currsize == seen + 2


def test_a_typed_text_that_looks_like_a_mark_is_shown_as_it_is():
    assert 'value="\0trail_url\0"' in html("text", value="\0trail_url\0", trail_url="/s/X/trail/")


def test_what_stands_beside_an_item_is_each_subjects_own():
    asked = {"question": object()}
    assert "beside-X" not in html("text", **asked)
    shown = html("text", **asked, beside=Beside({"query": 2}, "/s/X/BOD-001/queries/"))
    assert 'href="/s/X/BOD-001/queries/"' in shown
    assert "BOD-002" in html("text", **asked, beside=Beside({"query": 2}, "/s/X/BOD-002/queries/"))
