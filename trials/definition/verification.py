"""What a monitor compares with the source: always, and a random share of the rest (ICH E6(R3) 3.11.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trials.definition.texts import OID
from trials.reading import FLAG, RULE, WORDS, At, many, may, needs, record, whole


@dataclass(frozen=True, kw_only=True)
class VerificationRule:
    """A form or one item that is always verified: at the events `at` (none = at all), where `when` is not false."""

    form: str | None = may(OID)
    item: str | None = may(OID)
    at: tuple[str, ...] = may(many(OID), ())
    when: str | None = may(RULE)

    @classmethod
    def finish(cls, values: dict[str, Any], raw: Mapping[str, Any], at: At) -> dict[str, Any]:
        if ("form" in raw) == ("item" in raw):
            at.refuse("names a form or an item: one of them")
        return values


@dataclass(frozen=True, kw_only=True)
class VerificationSample:
    """`share` per cent of the other answers. `drawn_with` is mixed into the draw: another text draws anew."""

    share: int = needs(whole(least=0, most=100))
    drawn_with: str = needs(WORDS)


@dataclass(frozen=True, kw_only=True)
class VerificationPlan:
    """Without a plan nothing has to be verified; a monitor may verify any answer all the same."""

    consent: bool = may(FLAG, False)
    always: tuple[VerificationRule, ...] = may(many(record(VerificationRule)), ())
    sample: VerificationSample | None = may(record(VerificationSample))
