"""One typed answer → canonical text (ODM lexical form), and canonical text → what the reader sees."""

from collections.abc import Collection
from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from crf.entry import dates, limits, numbers
from trials.definition import ItemDef


def canonical(item: ItemDef, typed: str, *, codes: Collection[str], zone: ZoneInfo) -> str:
    """The text to store for what was typed; "" when nothing was typed.

    `codes`: those the item may take (code, yesno, nrs); `zone`: the clock of the site. Raises Refused.
    """
    if not typed.strip():
        return ""
    stored = typed if item.kind == "text" else _read(item, typed.strip(), zone)
    limits.check(item, stored, codes)
    return stored


def _read(item: ItemDef, answer: str, zone: ZoneInfo) -> str:
    match item.kind:
        case "integer":
            return numbers.integer(answer)
        case "decimal":
            return numbers.decimal(answer, item.decimals or 0)
        case "date":
            return dates.day(answer)
        case "partial_date":
            return dates.partial_day(answer)
        case "time":
            return dates.clock(answer)
        case "datetime":
            return dates.instant(answer, zone)
    return answer


def shown(item: ItemDef, stored: str, *, zone: ZoneInfo) -> str:
    """`stored` as somebody careful would type it: what stands in the field, and reads back to the same text."""
    match item.kind:
        case "decimal":
            return numbers.shown(stored, comma=get_language() != "en")
        case "date" | "partial_date":
            return dates.shown_day(stored)
        case "datetime":
            return dates.shown_instant(stored, zone)
    return stored
