"""Template tags of the look: status chips, dates, numbers, error summaries, QR codes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import segno
from django import template
from django.forms import BaseForm
from django.http import HttpRequest
from django.template.base import Node, NodeList, Parser, Token
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext, pgettext_lazy

from pallsoft.drawing import filled, mark

register = template.Library()


@dataclass(frozen=True)
class Status:
    """How one status looks: a sign (shape), a word, and through its key a colour."""

    sign: str
    word: Any


# In order of precedence: a rolled-up chip shows the first of these that applies to any part.
STATUSES: dict[str, Status] = {
    "locked": Status("■", pgettext_lazy("status", "Locked")),
    "query": Status("?", pgettext_lazy("status", "Query")),
    "answered": Status("?", pgettext_lazy("status", "Answered query")),
    "frozen": Status("□", pgettext_lazy("status", "Frozen")),
    "overdue": Status("!", pgettext_lazy("status", "Overdue")),
    "in_progress": Status("◐", pgettext_lazy("status", "In progress")),
    "signed": Status("✓", pgettext_lazy("status", "Signed")),
    "verified": Status("◆", pgettext_lazy("status", "Verified")),
    "complete": Status("●", pgettext_lazy("status", "Complete")),
    "planned": Status("○", pgettext_lazy("status", "Planned")),
}


def rolled_up(statuses: Iterable[str]) -> str:
    """The one status that stands for several; "planned" for none."""
    order = list(STATUSES)
    return min(statuses, key=order.index, default="planned")


@register.simple_tag
def chip(status: str, text: str = "", count: int = 0, url: str = "", label: str = "") -> SafeString:
    """A status chip. `text` replaces the word, `label` names the link for a screen reader."""
    if not text and status == "query" and count:
        text = ngettext("%(n)s query", "%(n)s queries", count) % {"n": count}
    texts = {"text": text or STATUSES[status].word, "url": url, "label": label}
    return filled(_chip(status, linked=bool(url), named=bool(label)), texts)


@lru_cache(maxsize=256)
def _chip(status: str, *, linked: bool, named: bool) -> str:
    """A page of a subject has a hundred chips: each kind is drawn once."""
    context = {"sign": STATUSES[status].sign, "css": status.replace("_", "-"), "text": mark("text")}
    context |= {"url": mark("url") if linked else "", "label": mark("label") if named else ""}
    return render_to_string("_components/chip.html", context)


# Norwegian abbreviates only the months that are longer than five letters (Språkrådet).
MONTHS = {
    "nb": ("jan.", "feb.", "mars", "april", "mai", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "des."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
PARTIAL = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")
CLOCK = re.compile(r"\d\d:\d\d(:\d\d)?")


def _language() -> str:
    return "nb" if (get_language() or "en").startswith("nb") else "en"


def _local(value: datetime) -> datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


def _moment_of(value: Any) -> Any:
    """A datetime or time from canonical text ("2026-09-01T12:32:00Z", "14:32"); other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        if CLOCK.fullmatch(value):  # only then: time.fromisoformat reads "2026-04" as 20:26 at UTC-4
            return time.fromisoformat(value)
        return datetime.fromisoformat(value) if "T" in value else value
    except ValueError:
        return value


def _date_parts(value: Any) -> tuple[int, int | None, int | None] | None:
    """(year, month, day) of a date, an instant or canonical text; unknown parts are None."""
    value = _moment_of(value)
    if isinstance(value, datetime):
        value = _local(value)
    if isinstance(value, date):
        return value.year, value.month, value.day
    match = PARTIAL.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 1 <= int(match[2] or 1) <= 12:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    return year or 0, month, day


@register.filter
def nb_date(value: Any) -> str:
    """1. sep. 2026 in bokmål, 1 Sep 2026 in English; partial dates keep what is known."""
    parts = _date_parts(value)
    if parts is None:
        return str(value or "")
    year, month, day = parts
    if month is None:
        return str(year)
    month_name = MONTHS[_language()][month - 1]
    if day is None:
        return f"{month_name} {year}"
    dot = "." if _language() == "nb" else ""
    return f"{day}{dot}\u00a0{month_name}\u00a0{year}"


@register.filter
def short_date(value: Any) -> str:
    """01.09.2026 in both languages: what the fields take and give back."""
    parts = _date_parts(value)
    if parts is None:
        return str(value or "")
    year, *rest = parts
    return ".".join([*(f"{part:02}" for part in reversed(rest) if part), f"{year:04}"])


@register.filter
def clock(value: Any) -> str:
    """14.32 in bokmål, 14:32 in English, on the clock of the active time zone (the site's)."""
    value = _moment_of(value)
    if isinstance(value, datetime):
        value = _local(value)
    if not isinstance(value, datetime | time):
        return str(value or "")
    return value.strftime("%H.%M" if _language() == "nb" else "%H:%M")


@register.filter
def moment(value: Any) -> str:
    """Date and clock: 1. sep. 2026 kl. 14.32 / 1 Sep 2026, 14:32."""
    joint = "\u00a0kl.\u00a0" if _language() == "nb" else ", "
    return f"{nb_date(value)}{joint}{clock(value)}" if value else ""


@register.filter
def moment_in_own_zone(value: datetime) -> str:
    """The same on the clock that the value itself carries: the zone in which a signature was given."""
    with timezone.override(value.tzinfo):
        return moment(value)


@register.filter
def iso(value: Any) -> str:
    """What a <time datetime> attribute takes; instants in UTC."""
    value = _moment_of(value)
    if isinstance(value, datetime) and timezone.is_aware(value):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date | time) else str(value or "")


@register.filter
def number(value: Any, decimals: int | None = None) -> str:
    """12 345,6 in bokmål (hard space, comma), 12,345.6 in English; `decimals` rounds or pads."""
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return str(value if value is not None else "")
    shown = f"{exact:,f}" if decimals is None else f"{exact:,.{decimals}f}"
    if _language() == "nb":
        shown = shown.translate({ord(","): "\u00a0", ord("."): ","})
    return shown.replace("-", "\u2212")


@register.filter
def unbroken(value: Any) -> SafeString:
    """The number of a subject or a telephone, which no narrow line breaks."""
    return format_html('<span class="nowrap">{}</span>', value)


@register.inclusion_tag("_components/error_summary.html")
def form_error_summary(form: BaseForm) -> dict[str, Any]:
    """The errors of a Django form, each with a link to its field."""
    of_form = [{"text": text} for text in form.non_field_errors()]
    of_fields = [
        {"target": field.id_for_label or field.auto_id, "label": field.label, "text": text}
        for field in form
        for text in field.errors
    ]
    return {"errors": of_form + of_fields}


@register.tag
def fixed(parser: Parser, token: Token) -> Node:
    """What is the same on every page is drawn once for each language: `{% fixed %}…{% endfixed %}`. It sees nothing of
    the page."""
    nodes = parser.parse(("endfixed",))
    parser.delete_first_token()
    return _Fixed(nodes)


class _Fixed(Node):
    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self.drawn: dict[str | None, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        language = get_language()
        if language not in self.drawn:
            self.drawn[language] = self.nodelist.render(context.new())
        return self.drawn[language]


@register.filter
def typed_answers(request: HttpRequest) -> str:
    """The answers of a form that was sent and that its person may not open any more, to be copied (PC023).

    Names of questions are in capitals; no password or key is among them.
    """
    sent = request.POST.items() if request.method == "POST" and request.resolver_match else ()
    return "\n".join(f"{name}: {text}" for name, text in sent if re.fullmatch(r"[A-Z][A-Z0-9_]*", name) and text)


@register.simple_block_tag
def drawn(content: SafeString) -> SafeString:
    """What stands twice on a page is drawn once: `{% drawn as menu %}…{% enddrawn %}`, then `{{ menu }}`."""
    return content


@register.simple_tag
def qr_svg(text: str, title: str) -> SafeString:
    """A QR code as inline SVG: `img-src 'self'` blocks the data: image that others use."""
    code = segno.make(text, error="m", micro=False)
    return mark_safe(code.svg_inline(border=4, omitsize=True, svgclass="qr", lineclass=None, title=title))
