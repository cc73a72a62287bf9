"""What the database refuses at the door of the list, in words (SQLSTATEs of sql/allocate.sql and sql/lists.sql)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError
from django.utils.translation import gettext as _

from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, PallsoftError

WITHOUT_STATE = {"23505": "PR003"}  # the same key or subject in two strata at once: the unique constraints decide


@contextmanager
def refusing() -> Iterator[None]:
    """Raise the refusal behind a database error of our own; any other error passes."""
    try:
        yield
    except DatabaseError as error:
        refusal = _refusal(getattr(error.__cause__, "pgcode", "") or "")
        if refusal is None:
            raise
        raise refusal from error


def _refusal(code: str) -> PallsoftError | None:
    match WITHOUT_STATE.get(code, code):
        case "PR001":
            return NotAllowedNow(_("Randomisation is stopped for the whole trial. Ring the coordinator."))
        case "PR002":
            return NotAllowedNow(_("The site is not open for randomisation. Ring the coordinator."))
        case "PR003":
            return Conflict(_("This page was used for another randomisation. Open the subject again."))
        case "PR004":
            return NotAllowedNow(_("The list has no place left for this stratum. Ring the coordinator."))
        case "PR005":
            return NotAllowedNow(_("No confirmed list is in place for this stratum. Ring the coordinator."))
        case "PR006":
            return InvalidInput({"position": [_("This is not the next slot. Enter the allocations in their order.")]})
    return None
