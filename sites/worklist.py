"""What waits for a person, as sentences with a link. Each app adds its own; pallsoft.home shows them all."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.db import models
from django.utils.translation import gettext_lazy as _

from pallsoft.accounts.models import User
from trials.models import Study


class Group(models.TextChoices):
    """The headings of a worklist, in the order in which a day is best spent."""

    URGENT = "urgent", _("Urgent and overdue")
    DECIDE = "decide", _("To decide")
    DUE = "due", _("Due now")
    QUERIES = "queries", _("Queries and corrections")
    SIGN = "sign", _("To sign")
    BEGUN = "begun", _("Begun")
    SOON = "soon", _("The next seven days")


Kind = Literal[
    "overdue", "clock", "confirm", "proposal", "due", "query", "changed", "sign", "signed", "screening", "draft", "soon"
]
_GROUPS: dict[Kind, Group] = {
    "overdue": Group.URGENT,
    "clock": Group.URGENT,
    "confirm": Group.DECIDE,
    "proposal": Group.DECIDE,
    "due": Group.DUE,
    "query": Group.QUERIES,
    "changed": Group.QUERIES,
    "sign": Group.SIGN,
    "signed": Group.SIGN,
    "screening": Group.BEGUN,
    "draft": Group.BEGUN,
    "soon": Group.SOON,
}


@dataclass(frozen=True)
class WorkItem:
    """`kind` tells the heading: overdue, due, confirm, screening …; `due_on` orders them under it.

    `minutes`: about how long it takes, where that can be told.
    """

    sentence: str
    url: str
    kind: Kind
    due_on: date | None = None
    minutes: int | None = None

    @property
    def group(self) -> Group:
        return _GROUPS[self.kind]


@dataclass(frozen=True)
class Section:
    """One heading with what stands under it, the earliest first."""

    group: Group
    items: list[WorkItem]

    @property
    def minutes(self) -> int:
        """About how long all of it takes, as far as that can be told."""
        return sum(item.minutes or 0 for item in self.items)


Provider = Callable[[User, Study], Iterable[WorkItem]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Called from `ready()` of an app: what it has for a person in a study, by that person's permissions."""
    _providers.append(provider)


def work_items(user: User, study: Study) -> list[WorkItem]:
    """Everything that waits, the earliest first; what has no day comes last."""
    items = [item for provider in _providers for item in provider(user, study)]
    return sorted(items, key=lambda item: (item.due_on or date.max, item.sentence))


def sections(items: list[WorkItem]) -> Iterator[Section]:
    """The same under their headings; a heading with nothing under it is left out."""
    for group in Group:
        if own := [item for item in items if item.group is group]:
            yield Section(group, own)
