"""One visit: its forms in order, and where to go after one of them."""

from crf.selectors.matrix import visit_of
from crf.selectors.place import Place
from sites.permissions import AnyUser


def next_url(place: Place, user: AnyUser) -> str:
    """The next form of the same visit that is not complete yet; "" after the last."""
    cells = list(visit_of(place.answers, user, place.event).cells.values())
    position = next((n for n, cell in enumerate(cells) if cell.form.oid == place.form.oid), len(cells))
    waiting = (cell.url for cell in cells[position + 1 :] if cell.status in {"planned", "overdue", "in_progress"})
    return next(waiting, "")
