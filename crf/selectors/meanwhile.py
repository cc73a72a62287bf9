"""What others saved while a person typed: their answers beside the person's own."""

from collections.abc import Mapping

from crf.entry.document import Answer, Document
from crf.entry.interruptions import EditConflict, Theirs
from crf.entry.merge import Clash, merge
from crf.models import FormData
from crf.selectors.history import TrailedChange, changes_since, undone
from crf.selectors.place import Place


def changed_by_me(place: Place, given: Mapping[str, Answer], seen_version: int) -> Mapping[str, Answer]:
    """What this person changed. Raises EditConflict where somebody else changed the same meanwhile (DAT-02)."""
    if place.row is None or place.row.version == seen_version:
        return merge(place.current, place.current, given).mine
    later = changes_since(place.row, seen_version)
    seen = undone(place.row, later) if seen_version else Document()
    merged = merge(seen, place.current, given)
    if merged.clashes:
        theirs = [_theirs(place.row, clash, later) for clash in merged.clashes]
        raise EditConflict(theirs, frozenset(merged.mine), place.row.version)
    return merged.mine


def _theirs(row: FormData, clash: Clash, later: list[TrailedChange]) -> Theirs:
    change = next((change for change in later if change.item == clash.item_oid), None)
    if change:
        return Theirs(clash, change.actor_name, change.at)
    return Theirs(clash, row.created_in.actor_name, row.created_in.at)
