"""What waits for a person, as sentences with a link. Each app adds its own; pallsoft.home shows them all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from pallsoft.accounts.models import User
from trials.models import Study


@dataclass(frozen=True)
class WorkItem:
    """`kind` groups the sentences: overdue, due, confirm, screening …; `due_on` orders them inside."""

    sentence: str
    url: str
    kind: str
    due_on: date | None = None


Provider = Callable[[User, Study], Iterable[WorkItem]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Called from `ready()` of an app: what it has for a person in a study, by that person's permissions."""
    _providers.append(provider)


def work_items(user: User, study: Study) -> list[WorkItem]:
    """Everything that waits, the earliest first; what has no day comes last."""
    items = [item for provider in _providers for item in provider(user, study)]
    return sorted(items, key=lambda item: (item.due_on or date.max, item.sentence))
