"""Scores of one answered questionnaire."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trials.instruments.methods import METHODS
from trials.instruments.structure import Instrument, Scale, instrument_named
from trials.values import EXACT

Answer = int | Decimal | None


@dataclass(frozen=True)
class Score:
    """`value` is None when too few of the `n_items` were answered. Range and direction: see `methods`, by kind."""

    value: Decimal | None
    n_answered: int
    n_items: int
    instrument: str
    version: str


def score(name: str, answers: Mapping[str, Answer]) -> dict[str, Score]:
    """Every settled scale of the instrument `name` by its code.

    Raises LookupError when there is no such instrument, ValueError for an item or an answer that it does not have.
    """
    instrument = instrument_named(name)
    given = _given(instrument, answers)
    return {scale.code: _scored(instrument, scale, given) for scale in instrument.settled}


def score_scale(name: str, code: str, answers: Mapping[str, Answer]) -> Score:
    """One scale. Raises as `score` does, and LookupError for a scale that does not exist or is unsettled."""
    instrument = instrument_named(name)
    return _scored(instrument, instrument.scale(code), _given(instrument, answers))


def _given(instrument: Instrument, answers: Mapping[str, Answer]) -> dict[str, int]:
    for item, answer in answers.items():
        if item not in instrument.limits:
            raise ValueError(f"{instrument.code} scores no item {item}")
        if answer is not None and answer not in instrument.limits[item]:
            limits = instrument.limits[item]
            raise ValueError(
                f"{instrument.code} item {item}: {answer} is not an answer from {limits[0]} to {limits[-1]}"
            )
    return {item: int(answer) for item, answer in answers.items() if answer is not None}


def _scored(instrument: Instrument, scale: Scale, given: Mapping[str, int]) -> Score:
    exact = METHODS[scale.kind](instrument, scale, given)
    value = None if exact is None else EXACT.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    answered = sum(item in given for item in scale.items)
    return Score(value, answered, len(scale.items), instrument.code, instrument.version)
