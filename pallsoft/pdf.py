"""Accessible PDF from HTML (PDF/UA-1), from nothing but what is handed in: no network, no files, no system fonts.

Needs Pango. Without it `can_make_pdf` says no, and pages offer to be printed instead (decision D11).
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.html import escape
from django.utils.translation import gettext as _

FONTS = {"font:inter-400": "Inter-Regular.ttf", "font:inter-600": "Inter-SemiBold.ttf"}
_FONT_FACES = "".join(
    f"@font-face {{ font-family: Inter; font-weight: {name[-3:]}; src: url({name}) }}\n" for name in FONTS
)


@cache
def can_make_pdf() -> bool:
    """Is Pango, which WeasyPrint draws with, on this machine?"""
    try:
        import weasyprint  # noqa: F401
    except OSError:
        return False
    return True


def pdf_of(html: str, css: str) -> bytes:
    """The pages of `html` styled by `css` (font family Inter, weights 400 and 600).

    Any address that the document names is refused, so a text of a user can fetch nothing (EXP-08). A character that the
    font does not have is written as its number, and the document says so: nothing is lost in a box (PC139).
    """
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fetcher, fonts = _fetcher(), FontConfiguration()
    style = CSS(string=_FONT_FACES + css, url_fetcher=fetcher, font_config=fonts)
    document = HTML(string=_legible(html), url_fetcher=fetcher)
    pdf: bytes = document.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1", pdf_tags=True)
    return pdf


def _legible(html: str) -> str:
    """The same text with [U+1F600] for each character that would print as an empty box; "</body>" ends the document."""
    written, replaced = _unknown().subn(lambda found: f"[U+{ord(found[0]):04X}]", html)
    if not replaced:
        return html
    note = _("A character that the font of this document does not have is written as its number, such as [U+1F600].")
    return written.replace("</body>", f'<p class="unknown-characters">{escape(note)}</p></body>')


@cache
def _unknown() -> re.Pattern[str]:
    """Any character that one of the two fonts lacks, and what turns the direction of a line around unseen."""
    from fontTools.ttLib import TTFont

    covered = {0x9, 0xA, 0xD}
    covered |= set.intersection(*(set(TTFont(_font(name)).getBestCmap()) for name in FONTS))
    covered -= {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F}
    return re.compile(f"[^{re.escape(''.join(map(chr, sorted(covered))))}]")


def _font(name: str) -> Path:
    return Path(settings.BASE_DIR) / "static" / "fonts" / "pdf" / FONTS[name]


def _fetcher() -> Any:
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OwnFontsOnly(URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            if url not in FONTS:
                raise ValueError("a document fetches nothing")
            return URLFetcherResponse(url, body=_font(url).read_bytes(), headers={"Content-Type": "font/ttf"})

    return OwnFontsOnly()
