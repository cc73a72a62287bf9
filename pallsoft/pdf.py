"""Accessible PDF from HTML (PDF/UA-1), from nothing but what is handed in: no network, no files, no system fonts.

Needs Pango. Without it `can_make_pdf` says no, and pages offer to be printed instead (decision D11).
"""

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

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

    Any address that the document names is refused, so a text of a user can fetch nothing (EXP-08).
    """
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fetcher, fonts = _fetcher(), FontConfiguration()
    style = CSS(string=_FONT_FACES + css, url_fetcher=fetcher, font_config=fonts)
    document = HTML(string=html, url_fetcher=fetcher)
    pdf: bytes = document.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1", pdf_tags=True)
    return pdf


def _fetcher() -> Any:
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OwnFontsOnly(URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            if url not in FONTS:
                raise ValueError("a document fetches nothing")
            body = (Path(settings.BASE_DIR) / "static" / "fonts" / "pdf" / FONTS[url]).read_bytes()
            return URLFetcherResponse(url, body=body, headers={"Content-Type": "font/ttf"})

    return OwnFontsOnly()
