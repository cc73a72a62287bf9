"""The strata that a definition asks for."""

from itertools import product

from trials.definition import StudyDef

UNSTRATIFIED = "ALL"  # the one stratum of a trial without factors


def strata_of(study: StudyDef) -> tuple[str, ...]:
    """Every combination of the codes of the factors, in the order of the definition: "GI|PAIN", "GI|OTHER" …"""
    codes = [study.code_list(factor.code_list).codes for factor in study.strata]
    return tuple("|".join(combination) for combination in product(*codes)) if codes else (UNSTRATIFIED,)


def arms_of(study: StudyDef) -> tuple[tuple[str, int], ...]:
    """(code, ratio) of each arm, in the order of the definition."""
    return tuple((arm.code, arm.ratio) for arm in study.arms)
