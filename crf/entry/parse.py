"""One typed answer → canonical text (ODM lexical form), and canonical text → what the reader sees."""

from zoneinfo import ZoneInfo

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crf.entry import dates, numbers, texts
from crf.entry.refusal import Refused
from trials.definition import ItemDef

NRS_SCORES = [str(score) for score in range(11)]
_NUMBERS = {"integer": numbers.integer, "decimal": numbers.decimal}
_DAYS = {"date": dates.day, "partial_date": dates.partial_day, "time": dates.clock}


def canonical(item: ItemDef, typed: str, *, codes: list[str], zone: ZoneInfo) -> str:
    """The text to store for what was typed; "" when nothing was typed.

    `codes`: those the item may take (code, yesno, nrs); `zone`: the clock of the site. Raises Refused.
    """
    answer = typed.strip()
    if not answer:
        return ""
    if item.kind == "text":
        return texts.text(item, typed)
    if item.kind in _NUMBERS:
        return _NUMBERS[item.kind](item, answer)
    if item.kind in _DAYS:
        return _DAYS[item.kind](answer)
    if item.kind == "datetime":
        return dates.instant(answer, zone)
    if answer not in codes:
        raise Refused(_("Choose one of the answers on the list."))
    return answer


def shown(item: ItemDef, stored: str, *, zone: ZoneInfo) -> str:
    """`stored` as typed by somebody careful: what stands in the field, and reads back to the same text."""
    if item.kind == "decimal":
        return numbers.shown(stored, comma=get_language() != "en")
    if item.kind in {"date", "partial_date"}:
        return dates.shown_day(stored)
    if item.kind == "datetime":
        return dates.shown_instant(stored, zone)
    return stored
