"""One thing that does not fit."""

from dataclasses import dataclass

from trials.reading import Path


@dataclass(frozen=True)
class Fault:
    """`path`: where; `other`: the place that it does not fit with; a warning does not stop publishing."""

    path: Path
    message: str
    other: Path | None = None
    warning: bool = False
