"""What an instrument is made of: items with their answers, and scales over items. Read from `data/*.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path

from trials.loader import parse
from trials.reading import NUMBER, WORDS, At, choice, many, mapping, matching, may, needs, record, whole

DATA = Path(__file__).parent / "data"
UNSETTLED = "unsettled"
KINDS = ("function", "symptom", "quality", "summary", "index", "rating", "grade", UNSETTLED)  # see methods.py

ITEM = matching(r"[A-Z0-9]{1,8}", "an item such as 12, 9A or MO")
CODE = matching(r"[A-Z0-9]{1,8}", "a scale such as PF or 9")


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The whole numbers that may answer these items."""

    items: tuple[str, ...] = needs(many(ITEM, least=1))
    lowest: int = needs(whole())
    highest: int = needs(whole())


@dataclass(frozen=True, kw_only=True)
class Scale:
    """`of`: the scales that a summary is the mean of; `table`: the grades of a grade; `why` it is unsettled."""

    code: str = needs(CODE)
    kind: str = needs(choice(*KINDS))
    items: tuple[str, ...] = needs(many(ITEM, least=1))
    of: tuple[str, ...] = may(many(CODE), ())
    table: str | None = may(WORDS)
    why: str | None = may(WORDS)


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """`weights`: what each level adds to an index, by item; `tables`: grades by the answers in the items' order."""

    code: str = needs(matching(r"[A-Z0-9-]{2,20}", "the code of an instrument"))
    version: str = needs(matching(r"[A-Za-z0-9.-]{1,20}", "a version"))
    source: str = needs(WORDS)
    answers: tuple[Answers, ...] = needs(many(record(Answers), least=1))
    scales: tuple[Scale, ...] = needs(many(record(Scale), least=1))
    weights: Mapping[str, tuple[Decimal, ...]] = may(mapping(many(NUMBER)), {})
    tables: Mapping[str, Mapping[str, int]] = may(mapping(mapping(whole(least=0))), {})

    def scale(self, code: str) -> Scale:
        """Raises LookupError with a sentence when there is no such scale, or it cannot be scored."""
        found = self._scales.get(code)
        if found is None:
            raise LookupError(f"is not a scale of {self.code} {self.version}: it has {', '.join(self._scales)}")
        if found.kind == UNSETTLED:
            raise LookupError(f"cannot be scored yet: {found.why}")
        return found

    @property
    def settled(self) -> list[Scale]:
        return [scale for scale in self.scales if scale.kind != UNSETTLED]

    @cached_property
    def limits(self) -> Mapping[str, range]:
        """The answers of each item."""
        return {item: range(one.lowest, one.highest + 1) for one in self.answers for item in one.items}

    @cached_property
    def _scales(self) -> Mapping[str, Scale]:
        return {scale.code: scale for scale in self.scales}


def instruments() -> list[str]:
    """The names of all instruments, "QLQ-C30 3.0"."""
    return sorted(_files())


@lru_cache(maxsize=64)
def instrument_named(name: str) -> Instrument:
    """Raises LookupError with a sentence when there is no such instrument in that version."""
    path = _files().get(name)
    if path is None:
        raise LookupError(f"is not an instrument: known are {', '.join(instruments())}")
    problems: list[tuple[tuple[str | int, ...], str]] = []
    found: Instrument = record(Instrument)(parse(path.read_text(encoding="utf-8"), path.name).plain(), At(problems))
    if problems:
        raise ValueError(f"{path.name}: {problems}")
    return found


@lru_cache(maxsize=1)
def _files() -> Mapping[str, Path]:
    return {path.stem.replace("_", " "): path for path in DATA.glob("*.yaml")}
