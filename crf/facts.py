"""A port: what this app must know from the app above it, without being able to import it (allocation concealment).

`randomization` registers "arm" and "randomized_at" when it starts. Rules may use them; a page shows the arm only to
who may see it.
"""

from collections.abc import Callable
from typing import Any

from sites.models import Subject

Provider = Callable[[Subject], Any]
_providers: dict[str, Provider] = {}


def register(name: str, provider: Provider) -> None:
    """`provider(subject)` gives the fact, None as long as there is none."""
    _providers[name] = provider


def facts_for(subject: Subject) -> dict[str, Any]:
    """Every registered fact of a subject that is known."""
    found = {name: provider(subject) for name, provider in _providers.items()}
    return {name: value for name, value in found.items() if value is not None}
