"""The table of deviations: which kinds the study knows, how grave each is, and what it takes a person out of."""

from __future__ import annotations

from dataclasses import dataclass

from trials.definition.texts import OID, TEXT, Text
from trials.reading import SOURCE, choice, many, may, needs, record, whole


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An answer that a visit should bring: `item`, once at `event`."""

    event: str = needs(OID)
    item: str = needs(OID)
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class Unanswered(Asked):
    """Missing when it is not there `days` after the visit's window."""

    days: int = may(whole(least=0, most=365), 0)


@dataclass(frozen=True, kw_only=True)
class DeviationRule:
    """A kind of departure from the protocol; a person may enter one of any kind.

    The system proposes it when one of `checks` finds something, when there is no answer to `unanswered` though the
    participant takes part, or when the day that `outside` asks for is not within the visit's window. One that is
    confirmed takes the participant out of the analysis sets `excludes`. A minor one is listed and asks nobody to act.
    """

    oid: str = needs(OID)
    label: Text = needs(TEXT)
    weight: str = needs(choice("minor", "major"))
    excludes: tuple[str, ...] = may(many(OID), ())
    checks: tuple[str, ...] = may(many(OID), ())
    unanswered: Unanswered | None = may(record(Unanswered))
    outside: Asked | None = may(record(Asked))
    source: str = needs(SOURCE)
