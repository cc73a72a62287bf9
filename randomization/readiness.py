"""May this subject be randomised now, and on what would it rest? Page and service ask the same function (RND-01)."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from crf.selectors.eligibility import Eligibility, eligibility_of
from crf.selectors.words import fact_words, reference_words
from randomization import places
from randomization.models import Purpose, Stratum
from randomization.strata import UNSTRATIFIED
from sites.models import Subject, SubjectStatus
from sites.policies import can_randomize, consent_in_force
from trials.eligibility import Verdict
from trials.scope import compiled
from trials.subject_rules import SubjectContext, gates_of, stratum_of
from trials.values import UNKNOWN, Maybe


@dataclass(frozen=True)
class Gate:
    """One thing that must hold. `url`: where it can be mended, "" when nobody at the site can.

    `sources`: {reference: (value, words)} of the answers that it rests on, read back beside it.
    """

    oid: str
    sentence: str
    is_open: bool
    url: str = ""
    sources: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Input:
    """A stratification factor or a fact of the definition as it is now; `value` is "" while it is unknown."""

    oid: str
    label: str
    value: str
    words: str


@dataclass(frozen=True)
class Readiness:
    """The gates, what is read back, and the document that is kept with the allocation (RND-09)."""

    gates: tuple[Gate, ...]
    factors: tuple[Input, ...]
    facts: tuple[Input, ...]
    stratum: str | None
    document: dict[str, Any]

    @property
    def closed(self) -> list[Gate]:
        return [gate for gate in self.gates if not gate.is_open]


def readiness_of(subject: Subject, at: datetime | None = None) -> Readiness:
    """Consent, eligibility, the definition's gates and strata, site and list, as they are at this moment.

    `at`: a moment that is past, by whose day in the site's zone rules count and whose consent is asked for: a
    randomisation by telephone is judged by when it happened. All that was entered since counts.
    """
    found = eligibility_of(subject, at and at.astimezone(ZoneInfo(subject.site.timezone)).date())
    stratum = stratum_of(found.study, found.answers.whole)
    stratum = UNSTRATIFIED if stratum == "" else stratum
    factors, facts = tuple(_factors(found)), tuple(_facts(found))
    gates = tuple(_gates(subject, found, factors, stratum, at))
    return Readiness(gates, factors, facts, stratum, _document(found, stratum, factors, facts, gates))


def digest(document: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of the inputs (keys sorted, no white space, UTF-8)."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _gate(oid: str, sentence: str, is_open: bool, mend: Callable[[], str] = str, **more: Any) -> Gate:
    """`mend` is asked only when the gate is closed."""
    return Gate(oid, sentence, is_open, "" if is_open else mend(), **more)


def _gates(
    subject: Subject, found: Eligibility, factors: tuple[Input, ...], stratum: str | None, at: datetime | None
) -> Iterator[Gate]:
    left = found.answers.participation.state if at is None else None  # told afterwards: who left later was there then
    in_screening = subject.status == SubjectStatus.SCREENING and left is None
    yield _gate("IN_SCREENING", _("The subject is in screening."), in_screening)
    yield _gate("OPEN", _("Trial and site are open for randomisation."), can_randomize(subject.study, subject.site))
    yield _consent(subject, found, at)
    yield from _criteria(found)
    yield _confirmation(found)
    for gate, answer in gates_of(found.study, found.answers.whole):
        mend, sources = partial(places.of_rule, found, gate.open_if), _sources(found, gate.open_if)
        yield _gate(gate.oid, str(gate.message), answer.is_true, mend, sources=sources)
    for factor, current in zip(found.study.strata, factors, strict=True):
        mend = partial(places.of_rule, found, factor.expression)
        yield _gate(factor.oid, _known(current), current.value != "", mend)
    if stratum is not None:
        yield _gate("LIST", _("The sealed list is in place and confirmed."), _has_list(subject, stratum))


def _sources(found: Eligibility, rule: str) -> dict[str, tuple[str, str]]:
    """The answers that a rule of the subject asks for, those that there are."""
    expr, world = compiled(found.study, rule), found.answers.whole
    items = [ref for ref in expr.names if not ref.partition(".")[0].islower() and ref not in expr.repeats]
    known = {ref: world.value(ref) for ref in items}
    return {
        ref: (str(value), reference_words(found.answers, ref, found.event))
        for ref, value in known.items()
        if value is not UNKNOWN
    }


def _consent(subject: Subject, found: Eligibility, at: datetime | None) -> Gate:
    is_open = consent_in_force(subject, found.study.consent.required, at)
    mend = partial(places.of_consent, subject)
    return _gate("CONSENT", _("Consent to the trial is given and stands."), is_open, mend)


def _criteria(found: Eligibility) -> Iterator[Gate]:
    """One gate when all is well, else one for each criterion in the way: nobody can waive it."""
    if found.fits:
        yield _gate("CRITERIA", _("Every criterion for inclusion is met."), True)
    elif found.row is None:
        mend = partial(places.of_eligibility, found)
        yield _gate("CRITERIA", _("The criteria are not answered yet."), False, mend)
    else:
        for verdict in [*found.not_met, *found.undecided]:
            mend = partial(places.of_criterion, found, verdict)
            yield _gate(verdict.criterion.oid, _criterion(verdict), False, mend)


def _criterion(verdict: Verdict) -> str:
    values = {"oid": verdict.criterion.oid, "label": verdict.criterion.label}
    if verdict.fits is UNKNOWN:
        return _("Criterion %(oid)s is not answered: %(label)s") % values
    return _("Criterion %(oid)s speaks against inclusion: %(label)s") % values


def _confirmation(found: Eligibility) -> Gate:
    signed = found.signature
    sentence = (
        _("Eligibility is confirmed by %(name)s.") % {"name": signed.printed_name}
        if signed
        else _("A physician with the task must confirm eligibility.")
    )
    return _gate("CONFIRMED", sentence, signed is not None, partial(places.of_eligibility, found))


def _known(factor: Input) -> str:
    if factor.value:
        return _("%(factor)s is known.") % {"factor": factor.label}
    return _("%(factor)s must be known: it decides the stratum.") % {"factor": factor.label}


def _has_list(subject: Subject, stratum: str) -> bool:
    return Stratum.objects.filter(
        study=subject.study, code=stratum, scheme__purpose=Purpose.CENTRAL, scheme__confirmed_at__isnull=False
    ).exists()


def _factors(found: Eligibility) -> Iterator[Input]:
    world = SubjectContext(found.study, found.answers.whole)
    for factor in found.study.strata:
        value = compiled(found.study, factor.expression).evaluate(world)
        yield _input(found, factor.oid, str(factor.label), value, factor.code_list)


def _facts(found: Eligibility) -> Iterator[Input]:
    world = SubjectContext(found.study, found.answers.whole)
    for fact in found.study.facts:
        yield _input(found, fact.oid, str(fact.label), world.value(f"fact.{fact.oid}"), fact.code_list)


def _input(found: Eligibility, oid: str, label: str, value: Maybe, code_list: str | None) -> Input:
    text = "" if value is UNKNOWN else str(value)
    return Input(oid, label, text, fact_words(found.answers, value, code_list))


def _document(
    found: Eligibility,
    stratum: str | None,
    factors: tuple[Input, ...],
    facts: tuple[Input, ...],
    gates: tuple[Gate, ...],
) -> dict[str, Any]:
    return {
        "definition": found.study.version,
        "stratum": stratum,
        "factors": {factor.oid: factor.value for factor in factors},
        "facts": {fact.oid: fact.value for fact in facts},
        "criteria": {verdict.criterion.oid: _word(verdict.fits) for verdict in found.verdicts},
        "gates": {gate.oid: _word(gate.is_open) for gate in gates},
        "answers": {ref: value for gate in gates for ref, (value, _words) in gate.sources.items()},
        "eligibility_sha256": found.signature.sha256 if found.signature else "",
    }


def _word(answer: Maybe) -> str:
    return "unknown" if answer is UNKNOWN else "yes" if answer else "no"
