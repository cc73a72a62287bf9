"""A document from its template and the style that all share."""

from functools import cache
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import get_language

from pallsoft.pdf import pdf_of


def html_of_template(template: str, context: dict[str, Any]) -> str:
    """In the active language and time zone."""
    return render_to_string(f"crf/paper/{template}.html", context | {"language": get_language()})


def pdf_of_template(template: str, context: dict[str, Any]) -> bytes:
    return pdf_of(html_of_template(template, context), style())


@cache
def style() -> str:
    return (settings.BASE_DIR / "templates" / "crf" / "paper" / "paper.css").read_text(encoding="utf-8")
