"""How patients answer questionnaires by a personal link, on their own phones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trials.definition.texts import MISSING_CODES, OID
from trials.reading import FLAG, SOURCE, WORDS, choice, mapping, may, needs, record, whole


@dataclass(frozen=True, kw_only=True)
class LinkPlan:
    """The codes that are stored with answers by link, the same in all forms, and how long a link lasts.

    `mode`: a code of the item that a form names; so `alone`, `helped`, `proxy`: the patient, the patient with help,
    somebody else for the patient; `languages`: {nb: code, en: code}; `refused`,
    `too_ill`: missing codes of single questions; `given_up`: why a form that was not begun is not answered.
    `days_after_window`: how long the link to the last questionnaire lasts; the others last until the next window.
    `call_at`: the NRS from which the site is asked to ring (none: never).
    """

    mode: str = needs(WORDS)
    alone: str = needs(WORDS)
    helped: str = needs(WORDS)
    proxy: str = needs(WORDS)
    languages: Mapping[str, str] = needs(mapping(WORDS))
    refused: str = needs(choice(*MISSING_CODES))
    too_ill: str = needs(choice(*MISSING_CODES))
    given_up: str = needs(WORDS)
    days_after_window: int = may(whole(least=0, most=365), 28)
    call_at: int | None = may(whole(least=0, most=10))
    source: str = needs(SOURCE)

    @property
    def who(self) -> tuple[str, ...]:
        """The codes of who answered, the patient's own answers first."""
        return (self.alone, self.helped, self.proxy)


@dataclass(frozen=True, kw_only=True)
class FirstQuestion:
    """The item that the value of a fact names comes before all others: {code: item}."""

    fact: str = needs(WORDS)
    items: Mapping[str, str] = needs(mapping(OID))


@dataclass(frozen=True, kw_only=True)
class ByLink:
    """A patient's form that can be answered by link: which of its items take how it was answered.

    `placeholder`: the wording is not the instrument's own (licence), so no patient of a live study is asked.
    """

    mode: str = needs(OID)
    who: str = needs(OID)
    language: str = needs(OID)
    day: str | None = may(OID)
    not_answered: str = needs(OID)
    first: FirstQuestion | None = may(record(FirstQuestion))
    placeholder: bool = may(FLAG, False)

    @property
    def items(self) -> tuple[str, ...]:
        """Everything that is told about the answers."""
        return tuple(filter(None, (self.mode, self.who, self.language, self.day, self.not_answered)))
