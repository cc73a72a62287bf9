"""How each kind of scale is computed: exact fractions from whole answers; None when too little was answered.

| kind     | method    | range    | better |
|----------|-----------|----------|--------|
| function | `linear`  | 0 to 100 | high   |
| quality  | `linear`  | 0 to 100 | high   |
| symptom  | `linear`  | 0 to 100 | low    |
| summary  | `summary` | 0 to 100 | high   |
| index    | `index`   | its own  | high   |
| rating   | `rating`  | its own  | high   |
| grade    | `grade`   | 0 to 3   | low    |
"""

from collections.abc import Callable, Mapping
from fractions import Fraction

from trials.instruments.structure import Instrument, Scale

Given = Mapping[str, int]  # the items that were answered


def linear(instrument: Instrument, scale: Scale, given: Given) -> Fraction | None:
    """The EORTC rule. 0 to 100; function and quality: high is better, symptom: high is worse.

    Source: EORTC QLQ-C30 Scoring Manual, 3rd edition (2001). RS = mean of the answered items, if at least half of them
    are answered; score = (RS - lowest) / range x 100, and 100 minus that for a function, whose items ask for trouble.
    """
    answers = [given[item] for item in scale.items if item in given]
    if 2 * len(answers) < len(scale.items):
        return None
    limits = instrument.limits[scale.items[0]]
    most = len(answers) * (len(limits) - 1)
    above = sum(answers) - len(answers) * limits[0]
    return Fraction(100 * (most - above if scale.kind == "function" else above), most)


def summary(instrument: Instrument, scale: Scale, given: Given) -> Fraction | None:
    """The QLQ-C30 summary score. 0 to 100; high is better.

    Source: Giesinger 2016, J Clin Epidemiol 69:79-88. The mean of 13 scales (all but global quality of life and
    financial difficulties), symptoms turned so that high is better; only when all 13 have a score.
    """
    total = Fraction(0)
    for part in map(instrument.scale, scale.of):
        value = linear(instrument, part, given)
        if value is None:
            return None
        total += 100 - value if part.kind == "symptom" else value
    return total / len(scale.of)


def index(instrument: Instrument, scale: Scale, given: Given) -> Fraction | None:
    """An EQ-5D-5L index. 1 is full health, 0 as bad as dead, below 0 worse (Norway: down to -0.453); high is better.

    Source: the value set named in the instrument's file. 1 + what the level of each dimension adds (never more than 0);
    only when all five are answered.
    """
    if any(item not in given for item in scale.items):
        return None
    return sum((Fraction(instrument.weights[item][given[item] - 1]) for item in scale.items), Fraction(1))


def rating(instrument: Instrument, scale: Scale, given: Given) -> Fraction | None:
    """The answer itself, such as the EQ VAS: 0 to 100, high is better. Source: EQ-5D-5L user guide (EuroQol)."""
    (item,) = scale.items
    return Fraction(given[item]) if item in given else None


def grade(instrument: Instrument, scale: Scale, given: Given) -> Fraction | None:
    """A PRO-CTCAE composite grade. 0 to 3; high is worse. Not for efficacy.

    Source: Basch 2021, Clin Trials 18(1):104-114; table as in the R package ProAE. The answers to frequency, severity
    and interference, in this order, name the grade. Where the first is 0 the grade is 0: the rest need not be asked.
    """
    if given.get(scale.items[0]) == 0:
        return Fraction(0)
    if any(item not in given for item in scale.items):
        return None
    return Fraction(instrument.tables[scale.table or ""]["".join(str(given[item]) for item in scale.items)])


METHODS: dict[str, Callable[[Instrument, Scale, Given], Fraction | None]] = {
    "function": linear,
    "quality": linear,
    "symptom": linear,
    "summary": summary,
    "index": index,
    "rating": rating,
    "grade": grade,
}
