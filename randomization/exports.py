"""The table RANDOMIZATION.csv: one row for each subject, values as randomised and as they truly were."""

from collections.abc import Iterator
from datetime import UTC, datetime

from crf.exports.dataset import Scope
from crf.exports.extra import Rows
from randomization.corrections import coded
from randomization.facts import arm_codes
from randomization.models import Allocation, Correction
from trials.definition import definition_of
from trials.models import Study
from trials.selectors import live_version


def randomization_table(study: Study, scope: Scope) -> Rows:
    """`<FACTOR>` as randomised, `<FACTOR>_ACTUAL` after confirmed corrections; ARM only where the asker may see it."""
    names = [oid for oid, _label, _codes in coded(definition_of(live_version(study)))]
    header = ["SUBJECT", "SITE", "RANDOMIZED_AT", "ENTERED_AT", "PURPOSE"]
    header += [column for name in names for column in (name.upper(), f"{name.upper()}_ACTUAL")]
    return "RANDOMIZATION.csv", header + ["ARM"] * scope.with_arm, _rows(study, scope, names)


def _rows(study: Study, scope: Scope, names: list[str]) -> Iterator[list[str]]:
    allocations = (
        Allocation.objects.filter(study=study, site__code__in=scope.sites)
        .select_related("subject", "site", "stratum__scheme")
        .order_by("subject__number")
    )
    corrected = _corrected(study)
    arms = arm_codes(allocations.values_list("subject_id", flat=True)) if scope.with_arm else {}
    for allocation in allocations:
        row = [
            allocation.subject.number,
            allocation.site.code,
            _instant(allocation.happened_at or allocation.at),
            _instant(allocation.at),
            allocation.stratum.scheme.purpose,
        ]
        randomized = allocation.values
        actual = randomized | corrected.get(allocation.subject_id, {})
        row += [value for name in names for value in (randomized.get(name, ""), actual.get(name, ""))]
        yield row + ([arms[allocation.subject_id]] if scope.with_arm else [])


def _corrected(study: Study) -> dict[object, dict[str, str]]:
    """{subject id: {factor: newest confirmed value}}"""
    found: dict[object, dict[str, str]] = {}
    for correction in Correction.objects.filter(study=study, confirmed=True):
        found.setdefault(correction.subject_id, {})[correction.factor] = correction.value_corrected
    return found


def _instant(at: datetime) -> str:
    """UTC as ISO 8601 with its zone."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
