"""Why a save waits for a person: it is refused as it stands, and says what it needs. Nothing is stored meanwhile."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from crf.entry.document import Change, Fired
from crf.entry.merge import Clash
from pallsoft.errors import Conflict, PallsoftError


class AnswersNeeded(PallsoftError):
    """`changes`: stored answers that would change or go, and need one reason (AUD-04); `checks`: what asks why."""

    status = 422

    def __init__(self, changes: list[Change], checks: list[Fired]) -> None:
        super().__init__(_("Answer the questions on the page to save the form."))
        self.changes = changes
        self.checks = checks


@dataclass(frozen=True)
class Theirs:
    """Who changed an item meanwhile, and when."""

    clash: Clash
    by: str
    at: datetime | None


class EditConflict(Conflict):
    """Somebody else changed the same items meanwhile. `mine`: what this person changed; `version`: what stands now."""

    def __init__(self, clashes: list[Theirs], mine: frozenset[str], version: int) -> None:
        super().__init__(_("Somebody else has changed the same answers. Choose which ones to keep."))
        self.clashes = clashes
        self.mine = mine
        self.version = version
