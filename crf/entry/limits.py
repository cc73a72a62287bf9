"""What an item may hold: the service asks this of every value, whatever way it came (DAT-04)."""

from collections.abc import Collection
from decimal import Decimal

from django.utils.translation import gettext as _

from crf.entry import texts
from crf.entry.refusal import Refused
from trials.definition import ItemDef
from trials.values import typed


def check(item: ItemDef, stored: str, codes: Collection[str]) -> None:
    """Raise Refused unless `stored` is a canonical text that the item may hold.

    `codes`: the codes of a code, yesno or nrs item. Clinical limits are edit checks, not this (D7).
    """
    if item.kind == "text":
        texts.check(item, stored)
    elif codes and stored not in codes:
        raise Refused(_("Choose one of the answers on the list."))
    else:
        _check_form(item, stored)
    if item.kind in {"integer", "decimal"}:
        _check_range(item.min, item.max, Decimal(stored))


def _check_form(item: ItemDef, stored: str) -> None:
    try:
        typed(item, stored)
    except ValueError:
        raise Refused(_("This is not a value that the field can hold. Type it again.")) from None
    if item.kind == "decimal" and len(stored.partition(".")[2]) > (item.decimals or 0):
        raise Refused(_("This has more decimals than the field can hold. Type it again."))


def _check_range(low: Decimal | None, high: Decimal | None, number: Decimal) -> None:
    if (low is None or number >= low) and (high is None or number <= high):
        return
    if low is not None and high is not None:
        raise Refused(_("Write a number from %(low)s to %(high)s.") % {"low": low, "high": high})
    if low is not None:
        raise Refused(_("Write a number that is %(low)s or more.") % {"low": low})
    raise Refused(_("Write a number that is %(high)s or less.") % {"high": high})
