"""The JavaScript of the look, on a page served from memory: no server, no database, the real content policy."""

import mimetypes
from urllib.parse import parse_qsl, urlsplit

import pytest
from csp.utils import build_policy
from django.conf import settings
from django.template import Context, Template
from django.utils import translation

ADDRESS = "http://look.test"
STATIC = settings.BASE_DIR / "static"
YES_NO = [("Y", "Ja"), ("N", "Nei")]
REFUSED = [("REF", "Vil ikke svare")]
PAGE = """{% extends base %}{% load items %}
{% block title %}Kontroller{% endblock %}
{% block content %}<h1>Målsymptom</h1>
{% include "_components/error_summary.html" %}
<form method="post" data-save data-enter-moves-on>
<section class="group">{% for item in items %}{% drawn_item item %}{% endfor %}</section>
<button class="btn btn-primary" type="submit" name="act" value="save">Lagre</button>
</form>{% endblock %}"""


def item(name, kind, label, **changes):
    return {
        "question": object(), "oid": name, "name": name, "label": label, "kind": kind, "value": "", "missing": "",
        "codes": [], "errors": [], "old": "", "trail_url": "", "hidden": False, "readonly": False, "derived": False,
        "missing_choices": REFUSED, "anchors": {"low": "Ingen smerter", "high": "Verst tenkelige"}, "required": True,
    } | changes  # fmt: skip


def page_of(items, base):
    errors = [
        {"target": f"id_{item['name']}", "label": item["label"], "text": text}
        for item in items
        for text in item["errors"]
    ]
    with translation.override("nb"):
        return Template(PAGE).render(Context({"items": items, "base": base, "errors": errors}))


def static_file(url):
    path = STATIC / urlsplit(url).path.removeprefix("/static/")
    return {"body": path.read_bytes(), "content_type": mimetypes.guess_type(path.name)[0] or "font/woff2"}


def answer(route, items, posts, base):
    request = route.request
    if "/static/" in request.url:
        return route.fulfill(**static_file(request.url))
    if request.method == "POST":
        posts.append(dict(parse_qsl(request.post_data, keep_blank_values=True)))
    policy = {"Content-Security-Policy": build_policy()}
    return route.fulfill(body=page_of(items, base), content_type="text/html; charset=utf-8", headers=policy)


@pytest.fixture
def show(browser):
    """`show(*items, …)` → (page, posts): a page with these items and what was sent from it, in order."""
    contexts, complaints = [], []

    def show(*items, width=1440, base="base_plain.html", **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page, posts = context.new_page(), []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        context.route("**/*", lambda route: answer(route, items, posts, base))
        page.goto(ADDRESS)
        return page, posts

    yield show
    for context in contexts:
        context.close()
    assert complaints == []


PAIN = item("PAIN", "nrs", "Hvor sterk smerte har du hatt det siste døgnet?")
PAUSE = item("PAUSE", "yesno", "Er behandlingen satt på pause?", codes=YES_NO)
DOSE = item("DOSE", "decimal", "Morfin siste døgn", unit="mg")
WRONG = item("WRONG", "code", "Teknikk", codes=[("A", "3D-CRT"), ("B", "VMAT")], errors=["Velg én."])


@pytest.mark.parametrize(("keys", "score"), [("7", "7"), ("0", "0"), ("10", "10"), ("4", "4")])
def test_digits_answer_a_scale(show, keys, score):
    page, _ = show(PAIN)
    page.locator("#id_PAIN").focus()
    type_at_once(page, keys)
    assert page.locator("input[name=PAIN]:checked").input_value() == score


def type_at_once(page, keys):
    """With no time between them: a busy machine would make two numbers of 10."""
    page.evaluate(
        """keys => { for (const key of keys) document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })) }""",
        list(keys),
    )


def test_one_and_later_zero_is_zero(show):
    page, _ = show(PAIN)
    page.locator("#id_PAIN").focus()
    page.keyboard.press("1")
    page.wait_for_timeout(600)
    page.keyboard.press("0")
    assert page.locator("input[name=PAIN]:checked").input_value() == "0"


def test_a_zero_on_the_next_scale_is_zero_however_fast(show):
    page, _ = show(PAIN, item("BLEED", "nrs", "Hvor plagsom har blødningen vært?"))
    page.locator("#id_PAIN").focus()
    for key in ("1", "Enter", "0"):
        page.keyboard.press(key)
    assert page.locator("input[name=PAIN]:checked").input_value() == "1"
    assert page.locator("input[name=BLEED]:checked").input_value() == "0"


def test_enter_moves_on_one_question_and_sends_nothing(show):
    page, posts = show(PAIN, PAUSE, DOSE)
    page.locator("#id_PAIN").focus()
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "PAUSE"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "DOSE"
    assert posts == []


def test_ctrl_s_sends_the_form_with_its_button(show):
    page, posts = show(DOSE)
    page.locator("#id_DOSE").fill("12,5")
    with page.expect_navigation():
        page.keyboard.press("Control+s")
    assert posts == [{"DOSE": "12,5", "DOSE-missing": "", "act": "save"}]


def test_three_presses_send_one_form_and_keep_the_button_value(show):
    page, posts = show(DOSE)
    with page.expect_navigation():
        page.evaluate("for (let i = 0; i < 3; i++) document.querySelector('form[data-save] button').click()")
    page.wait_for_timeout(300)
    assert [post["act"] for post in posts] == ["save"]


def test_the_wheel_changes_no_number(show):
    page, _ = show(item("DOSE", "decimal", "Dose", value="12,5"))
    page.locator("#id_DOSE").click()
    page.mouse.wheel(0, 300)
    assert page.locator("#id_DOSE").input_value() == "12,5"


def test_the_error_summary_has_the_focus_and_leads_to_the_question(show):
    page, _ = show(PAIN, WRONG)
    assert page.evaluate("document.activeElement.hasAttribute('data-error-summary')")
    page.locator("[data-error-summary] a").click()
    assert page.evaluate("document.activeElement.id") == "id_WRONG"


@pytest.mark.parametrize("javascript", [True, False])
def test_refusing_replaces_the_score_also_without_javascript(show, javascript):
    page, posts = show(PAIN, java_script_enabled=javascript)
    page.get_by_role("radio", name="6", exact=True).check()
    page.get_by_role("radio", name="Vil ikke svare").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Lagre").click()
    assert posts == [{"PAIN": "missing:REF", "act": "save"}]


def test_the_chosen_theme_stays_and_paper_stays_light(show):
    page, _ = show(DOSE, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("[data-theme-value=dark]").click()
    page.wait_for_function(f"{ground} !== '{light}'")
    page.reload()
    assert page.evaluate(ground) == "rgb(15, 27, 32)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


def test_without_javascript_no_theme_switch_is_offered(show):
    page, _ = show(DOSE, java_script_enabled=False)
    assert not page.locator("[data-theme-switch]").is_visible()


def test_a_scale_has_eleven_boxes_of_27_by_58_in_one_row_on_a_small_phone(show):
    page, _ = show(PAIN, width=360, base="base.html")
    boxes = [box.bounding_box() for box in page.locator(".nrs-box").all()]
    assert len(boxes) == 11
    assert len({box["y"] for box in boxes}) == 1
    assert min(box["width"] for box in boxes) >= 27
    assert min(box["height"] for box in boxes) >= 58


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_controls_are_accessible(show, accessible, scheme, width):
    page, _ = show(PAIN, PAUSE, DOSE, WRONG, width=width, color_scheme=scheme)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
