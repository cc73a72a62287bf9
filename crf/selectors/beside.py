"""What stands beside each item of a form page: its standing queries, its verification.

Called once for a page, with a constant number of database queries.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from crf.models import Query, QueryStatus
from crf.selectors.place import Place
from sites.permissions import AnyUser

CHIPS = {QueryStatus.OPEN: "query", QueryStatus.ANSWERED: "answered"}  # closed ones stand in the thread alone


@dataclass
class Beside:
    """`queries`: {chip status: how many}, standing ones; `verified`: a sentence, "" when the item is not verified."""

    queries: dict[str, int] = field(default_factory=dict)
    verified: str = ""


def beside(place: Place, user: AnyUser) -> dict[str, Beside]:
    """{item OID: what stands beside it}; the page shows it for the items that the person sees."""
    notes: dict[str, Beside] = defaultdict(Beside)
    for oid, statuses in _standing_queries(place).items():
        notes[oid].queries = {CHIPS[QueryStatus(status)]: count for status, count in sorted(statuses.items())}
    return dict(notes)


def _standing_queries(place: Place) -> dict[str, Counter[str]]:
    if place.event._state.adding:
        return {}
    rows = Query.objects.filter(
        event=place.event, form_oid=place.form.oid, repeat_key=place.repeat_key, status__in=CHIPS
    ).values_list("item_oid", "status")
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for oid, status in rows:
        found[oid][status] += 1
    return found
