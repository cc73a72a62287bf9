"""What stands beside each item of a form page: its standing queries, its verification.

Called once for a page, with a constant number of database queries.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from crf.models import QueryStatus, Verification
from crf.selectors.place import NEW, Place
from crf.selectors.queries import CHIPS
from crf.selectors.visible import visible_queries
from pallsoft.templatetags.ui import short_date
from sites.permissions import AnyUser, Permission, rights_at


@dataclass
class Beside:
    """`queries`: {chip status: how many}, standing ones; `url`: the threads; `verified`: a sentence, "" when it is not.

    `may_raise`: the person can ask about the item.
    """

    queries: Mapping[str, int] = field(default_factory=dict)
    url: str = ""
    may_raise: bool = False
    verified: str = ""


def beside(place: Place, user: AnyUser, *, looking_back: bool = False) -> dict[str, Beside]:
    """{item OID: what stands beside it}; the page shows it for the items that the person sees.

    `looking_back`: the page shows an earlier time, so nothing is asked or answered from it.
    """
    subject = place.subject
    if place.repeat_key == NEW:
        return {}
    may_raise = not looking_back and Permission.RAISE_QUERY in rights_at(user, subject.study, subject.site)
    asked = _standing_queries(place, user)
    notes: dict[str, Beside] = defaultdict(Beside)
    for oid in place.form.item_oids if may_raise else asked:
        counts = sorted(asked.get(oid, {}).items(), reverse=True)
        chips = {CHIPS[QueryStatus(status)]: count for status, count in counts}
        notes[oid] = Beside(chips, "" if looking_back else _url(place, oid), may_raise)
    for mark in [] if looking_back else _verifications(place):
        told = {"name": mark.verified_by.full_name, "day": short_date(mark.verified_at.astimezone(place.zone))}
        notes[mark.item_oid].verified = _("Verified %(day)s by %(name)s") % told
    return dict(notes)


def _verifications(place: Place) -> list[Verification]:
    if place.row is None or not place.answers.around.verifications:
        return []
    return list(Verification.objects.filter(form_data=place.row, dropped_in=None).select_related("verified_by"))


def _standing_queries(place: Place, user: AnyUser) -> dict[str, Counter[str]]:
    if place.event._state.adding or not place.answers.around.queries:
        return {}
    rows = visible_queries(user, place.subject.study).filter(
        event=place.event, form_oid=place.form.oid, repeat_key=place.repeat_key, status__in=CHIPS
    )
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for oid, status in rows.values_list("item_oid", "status"):
        found[oid][status] += 1
    return found


def _url(place: Place, item_oid: str) -> str:
    subject, event = place.subject, place.event
    return reverse(
        "item-queries",
        args=[subject.study.oid, subject.number, *event.key, place.form.oid, place.repeat_key, item_oid],
    )
