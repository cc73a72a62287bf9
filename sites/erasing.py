"""A port: which files outside the database still hold a subject's values when they are erased (S18)."""

from collections.abc import Callable

from sites.models import Subject

Provider = Callable[[Subject], list[dict[str, str]]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Called from `ready()` of an app: `provider(subject)` gives {"file", "made_at", "sha256"} of each file."""
    _providers.append(provider)


def held_by(subject: Subject) -> list[dict[str, str]]:
    return [file for provider in _providers for file in provider(subject)]
