"""Serious adverse events: which form they are entered in, and how fast the sponsor has to know."""

from __future__ import annotations

from dataclasses import dataclass

from trials.definition.reminders import ROLES
from trials.definition.texts import OID, TEXT, Text
from trials.reading import SOURCE, WORDS, choice, many, may, needs, record, whole


@dataclass(frozen=True, kw_only=True)
class SponsorAssessment:
    """What the sponsor judges of each serious event, besides whether it was expected: its causality, a code of the
    list `causality`. `authority` names whom the sponsor notifies; left out: nobody.
    """

    causality: str = needs(OID)
    authority: Text | None = may(TEXT)
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class SafetyPlan:
    """`form` is the form of adverse events. Its items: `serious` (yes or no), `planned` (yes: an admission that was
    planned, which is not reported; left out: there is no such question), `term` (a text; the terms of the CTCAE of the
    setting `ctcae_version` are offered for it, and their sentences for `grade`), `onset` (a day), `aware` and
    `reported` (instants), `grade`, whose codes `grave` are usually serious, and `outcome`, whose code `fatal` means
    death.

    The site has to report within `hours` of becoming aware; a mail goes to the roles `to` when one is entered, and with
    each report. `assessment` left out: the sponsor judges nothing here.
    """

    form: str = needs(OID)
    serious: str = needs(OID)
    planned: str | None = may(OID)
    term: str | None = may(OID)
    onset: str = needs(OID)
    aware: str = needs(OID)
    reported: str = needs(OID)
    grade: str = needs(OID)
    grave: tuple[str, ...] = may(many(WORDS), ())
    outcome: str = needs(OID)
    fatal: str = needs(WORDS)
    hours: int = needs(whole(least=1, most=720))
    to: tuple[str, ...] = may(many(choice(*ROLES)), ())
    assessment: SponsorAssessment | None = may(record(SponsorAssessment))
    source: str = needs(SOURCE)
