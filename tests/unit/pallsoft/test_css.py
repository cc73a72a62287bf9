"""The stylesheet: every class exists, every pair of colours can be read, colours live in the tokens."""

import re

import pytest
from django.conf import settings
from fontTools.ttLib import TTFont

from pallsoft import context
from pallsoft.templatetags.ui import STATUSES

CSS = settings.BASE_DIR / "static" / "css"
TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
DYNAMIC = "\x00"
TEXT_PAIRS = [
    *((ink, ground) for ink in ("ink", "muted") for ground in ("canvas", "surface", "sunken", "primary-tint")),
    *((ink, ground) for ink in ("primary", "error") for ground in ("canvas", "surface")),
    ("primary", "primary-tint"), ("primary-hover", "primary-tint"), ("error", "error-tint"), ("ink", "error-tint"),
    ("on-primary", "primary"), ("on-primary", "primary-hover"), ("on-error", "error"), ("on-error", "error-hover"),
    ("nav-text", "nav"), ("nav-text", "nav-active"), ("nav-strong", "nav"), ("nav-strong", "nav-active"),
    ("nav-muted", "nav"), ("nav", "nav-text"), ("test", "test-tint"), ("test", "test-stripe"), ("surface", "planned"),
    ("complete", "canvas"), ("complete", "surface"),
    *((key.replace("_", "-"), f"{key.replace('_', '-')}-tint") for key in STATUSES),
    *(("ink", f"{key}-tint") for key in ("complete", "in-progress", "overdue")),
]  # fmt: skip
SHAPE_PAIRS = [
    *(("control", ground) for ground in ("canvas", "surface")),
    *(("focus", ground) for ground in ("canvas", "surface", "primary-tint")),
    ("primary", "sunken"),
]


def colours(*names):
    text = "".join((CSS / name).read_text(encoding="utf-8") for name in names)
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9A-Fa-f]{6})", text))


THEMES = {"light": colours("tokens.css"), "dark": colours("tokens.css", "dark.css")}


def luminance(colour):
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_stands_out_from_its_ground(theme, text, ground):
    assert contrast(THEMES[theme][text], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("shape", "ground"), SHAPE_PAIRS)
def test_controls_and_focus_stand_out_from_their_ground(theme, shape, ground):
    assert contrast(THEMES[theme][shape], THEMES[theme][ground]) >= 3


def test_dark_names_the_same_colours_as_light():
    assert set(colours("dark.css")) == set(colours("tokens.css"))


def test_colours_live_in_the_tokens():
    """Except on paper, which is always white, and under a QR code, which must be."""
    sheets = {path for path in CSS.glob("*.css") if path.name not in {"tokens.css", "dark.css", "print.css"}}
    literals = {
        (path.name, line.strip())
        for path in sheets
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"#[0-9A-Fa-f]{3,8}\b|rgba?\(", line) and not line.startswith(".qr ")
    }
    assert literals == set()


def defined_classes():
    """Those of the pages, and of the PDFs, whose stylesheets lie beside their templates."""
    sheets = [*CSS.glob("*.css"), *(settings.BASE_DIR / "templates").rglob("*.css")]
    text = "".join(path.read_text(encoding="utf-8") for path in sheets)
    return set(re.findall(r"\.([A-Za-z][\w-]*)", re.sub(r"/\*.*?\*/", "", text, flags=re.S)))


def used_classes(source):
    """Words of class attributes; what a variable fills in is marked."""
    for value in re.findall(r'\sclass="([^"]*)"', source):
        yield from re.sub(r"{{.*?}}", DYNAMIC, re.sub(r"{%.*?%}", " ", value)).split()


def is_defined(name, defined):
    prefix, dynamic, _ = name.partition(DYNAMIC)
    return any(other.startswith(prefix) for other in defined) if dynamic else name in defined


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR / "templates")))
def test_every_class_of_a_template_is_defined(template):
    defined = defined_classes()
    unknown = {name for name in used_classes(template.read_text(encoding="utf-8")) if not is_defined(name, defined)}
    assert unknown == set()


def test_every_status_has_its_colours():
    assert {f"chip-{key.replace('_', '-')}" for key in STATUSES} <= defined_classes()


def test_every_icon_that_is_used_is_in_the_sprite():
    sprite = (settings.BASE_DIR / "static" / "icons" / "sprite.svg").read_text(encoding="utf-8")
    sources = [path.read_text(encoding="utf-8") for path in TEMPLATES]
    used = {icon for source in sources for icon in re.findall(r"sprite\.svg' %}#(\w+)", source)}
    used |= {icon for _, _, icon, _ in context.PAGES}
    assert used <= set(re.findall(r'id="(\w+)"', sprite))


@pytest.mark.parametrize("font", ["inter-variable.woff2", "pdf/Inter-Regular.ttf", "pdf/Inter-SemiBold.ttf"])
def test_the_fonts_write_norwegian_sami_and_the_signs_of_the_chips(font):
    glyphs = TTFont(settings.BASE_DIR / "static" / "fonts" / font).getBestCmap()
    needed = "æøåÆØÅéüöäčđŋšŧžČĐŊŠŦŽ«»–−·≥≤±×µ²→←\u00a0" + "".join(status.sign for status in STATUSES.values())
    assert [character for character in needed if ord(character) not in glyphs] == []
