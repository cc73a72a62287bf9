"""A port: what this app must know from the app above it, without being able to import it (allocation concealment).

`randomization` registers "arm" and "randomized_at" when it starts. Rules may use them; a page shows the arm only to
who may see it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sites.models import Subject

Provider = Callable[[Subject], Mapping[str, Any]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """`provider(subject)` gives facts by name; None for one that is not known yet."""
    _providers.append(provider)


def facts_for(subject: Subject) -> dict[str, Any]:
    """Every registered fact of a subject that is known."""
    found = [fact for provider in _providers for fact in provider(subject).items()]
    return {name: value for name, value in found if value is not None}
