"""Measuring two things in turn, so that a machine that changes its speed changes both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Step = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """A measured thing against its floor. `at_most`: the ratio is a cost; else it is a rate that must be reached."""

    name: str
    ours: float
    floor: float
    unit: str
    bound: float
    at_most: bool = True

    @property
    def value(self) -> float:
        return self.ours / self.floor

    @property
    def held(self) -> bool:
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def row(self) -> list[str]:
        sign = "≤" if self.at_most else "≥"
        verdict = "yes" if self.held else "**no**"
        numbers = [f"{number:,.3f} {self.unit}" for number in (self.ours, self.floor)]
        return [self.name, *numbers, f"{self.value:.2f}", f"{sign} {self.bound:g}", verdict]


def in_turn(ours: Step, floor: Step, *, rounds: int, warm_up: int = 5) -> tuple[float, float]:
    """Median milliseconds of each, over `rounds` pairs."""
    for _ in range(warm_up):
        ours(), floor()
    pairs = [(_milliseconds(ours), _milliseconds(floor)) for _ in range(rounds)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def _milliseconds(step: Step) -> float:
    start = time.perf_counter()
    step()
    return (time.perf_counter() - start) * 1000
