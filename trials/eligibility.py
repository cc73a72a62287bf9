"""Which criteria of eligibility a subject fulfils (pure; the confirmation by a physician is in crf)."""

from collections.abc import Mapping
from dataclasses import dataclass

from trials.definition import Criterion, StudyDef
from trials.evaluate import settled
from trials.expressions import Context
from trials.scope import compiled
from trials.subject_rules import decide
from trials.values import UNKNOWN, Maybe


@dataclass(frozen=True)
class Verdict:
    """`fits`: True = this criterion speaks for inclusion, False = against, UNKNOWN = undecided for want of `unknown`.

    `sources`: the references that the answer was found from, shown beside a computed criterion.
    """

    criterion: Criterion
    fits: Maybe
    unknown: tuple[str, ...]
    sources: tuple[str, ...]


def verdicts(
    study: StudyDef, answers: Mapping[str, str], missing: Mapping[str, str], outside: Context
) -> list[Verdict]:
    """One verdict per criterion, in order. `answers`, `missing`: those of the eligibility form."""
    form_oid = study.eligibility.form
    context = settled(study, form_oid, answers, missing, outside)
    return [_verdict(study, criterion, context) for criterion in study.eligibility.criteria]


def may_be_randomized(found: list[Verdict]) -> bool:
    """Every criterion that blocks randomisation is decided in favour; nobody can waive one."""
    return all(verdict.fits is True for verdict in found if verdict.criterion.blocks_randomization)


def _verdict(study: StudyDef, criterion: Criterion, context: Context) -> Verdict:
    expr = compiled(study, criterion.met_if, study.eligibility.form)
    answer = decide(expr, context)
    fits = answer.value
    if criterion.kind == "exclusion" and fits is not UNKNOWN:
        fits = not fits
    return Verdict(criterion, fits, answer.unknown, expr.names)
