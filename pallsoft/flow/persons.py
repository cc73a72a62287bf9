"""Where each person stands in the flow, and how many stand alike: one statement, however many there are.

Persons, not attempts: who was considered twice and enrolled under one number is one person, and so is who was screened
again. Who is in the screening log and not enrolled is told by the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from crf.selectors.secrets import secret_parts
from pallsoft.recruiting_sites import AFTER_CONSENT
from sites.models import Site
from trials.definition import AnalysisSet, FlowPlan, FlowStep, StudyDef

# Stages of the enrolment, states of the treatment and of the follow-up at the primary time point. One of each holds.
EXCLUDED, CONSIDERED, RANDOMIZED = "excluded", "considered", "randomized"
RECEIVED, NOT_RECEIVED, NOT_RECORDED = "received", "not_received", "not_recorded"
ANSWERED, MISSING, TO_COME = "answered", "missing", "to_come"
DEAD, WITHDRAWN = "dead", "withdrawn"

COLUMNS = ("arm", "stage", "why", "treatment", "treatment_why", "steps", "follow", "follow_why", "within")
SEVERAL = ("steps", "within")  # columns with any number of codes
Where = Mapping[str, tuple[str, ...]]

PERSONS = """
SELECT site_id, NULL::uuid AS subject_id, own_number::text AS number, '' AS arm,
    CASE WHEN outcome IN ('pending', 'consented') THEN 'considered' ELSE 'excluded' END AS stage, reason_code AS why,
    '' AS treatment, '' AS treatment_why, '{{}}'::text[] AS steps, '' AS follow, '' AS follow_why,
    '{{}}'::text[] AS within
FROM sites_screeningentry WHERE subject_id IS NULL AND site_id = ANY(%(sites)s::uuid[])
UNION ALL
SELECT s.site_id, s.id, s.number, {arm},
    CASE WHEN a.id IS NOT NULL THEN 'randomized'
        WHEN d.id IS NOT NULL OR w.id IS NOT NULL OR s.status = 'screen_failure' THEN 'excluded'
        ELSE 'considered' END,
    CASE WHEN a.id IS NOT NULL THEN '' WHEN s.status = 'screen_failure' THEN %(after_consent)s
        WHEN d.id IS NOT NULL THEN 'dead' WHEN w.id IS NOT NULL THEN 'withdrawn' ELSE '' END,
    CASE WHEN a.id IS NULL THEN '' WHEN m.received THEN 'received' WHEN m.not_received THEN 'not_received'
        ELSE 'not_recorded' END,
    CASE WHEN a.id IS NULL OR m.received OR NOT m.not_received THEN '' ELSE coalesce(m.why, '') END,
    CASE WHEN a.id IS NULL THEN '{{}}'::text[] ELSE m.steps END,
    CASE WHEN a.id IS NULL THEN '' WHEN f.data->>%(answer)s IS NOT NULL THEN 'answered'
        WHEN {gone} IS NOT NULL THEN {gone}
        WHEN v.happened_on IS NOT NULL OR v.not_done_reason <> '' OR v.window_to < %(today)s
            OR f.data->>%(not_answered)s IS NOT NULL THEN 'missing'
        ELSE 'to_come' END,
    CASE WHEN a.id IS NULL OR {gone} IS NOT NULL OR f.data->>%(answer)s IS NOT NULL THEN ''
        ELSE coalesce('form:' || (f.data->>%(not_answered)s), 'visit:' || nullif(v.not_done_code, ''),
            CASE WHEN v.not_done_reason <> '' THEN 'visit:' END, '') END,
    CASE WHEN a.id IS NULL THEN '{{}}'::text[] ELSE ARRAY(
        SELECT t FROM unnest(%(sets)s::text[]) t WHERE NOT EXISTS (
            SELECT FROM crf_deviation x LEFT JOIN crf_formdata y ON y.id = x.form_data_id
            JOIN unnest(%(rules)s::text[], %(excluded)s::text[]) r (rule, excluded) ON r.rule = x.rule_oid
            WHERE x.subject_id = s.id AND x.status = 'confirmed' AND y.removed_in IS NULL AND r.excluded = t)) END
FROM sites_subject s
LEFT JOIN randomization_allocation a ON a.subject_id = s.id
LEFT JOIN sites_death d ON d.subject_id = s.id AND d.ended_in IS NULL
LEFT JOIN sites_stop w ON w.subject_id = s.id AND w.ended_in IS NULL AND w.kind = 'consent'
LEFT JOIN crf_studyevent v ON v.subject_id = s.id AND v.event_oid = %(event)s AND v.ordinal = 1
LEFT JOIN crf_formdata f ON f.event_id = v.id AND f.form_oid = %(form)s AND f.removed_in IS NULL
LEFT JOIN LATERAL ({marks}) m ON true {arms}
WHERE s.site_id = ANY(%(sites)s::uuid[])"""
# Why nobody was there to answer: by rule, or by the code of the same name that a person gave.
GONE = """coalesce(nullif(v.closed_for, ''),
    CASE WHEN lower(v.not_done_code) IN ('dead', 'withdrawn', 'stopped', 'lost') THEN lower(v.not_done_code) END)"""
BY_ARM = """LEFT JOIN randomization_arms(ARRAY(SELECT id FROM sites_subject WHERE site_id = ANY(%(sites)s::uuid[]))) r
    ON r.subject_id = s.id"""


@dataclass(frozen=True)
class Standing:
    """Where a person, or everybody who stands alike, is in the flow."""

    arm: str
    stage: str
    why: str
    treatment: str
    treatment_why: str
    steps: tuple[str, ...]
    follow: str
    follow_why: str
    within: tuple[str, ...]  # the analysis sets that no confirmed deviation takes the person out of

    def fits(self, where: Where) -> bool:
        return all(set(self._said(column)) & set(wanted) for column, wanted in where.items())

    def _said(self, column: str) -> tuple[str, ...]:
        said = getattr(self, column)
        return said if isinstance(said, tuple) else (said,)


@dataclass(frozen=True)
class Person:
    """`number`: of the subject, or without one the number in the site's screening log."""

    site_id: UUID
    subject_id: UUID | None
    number: str
    standing: Standing


@dataclass(frozen=True)
class Question:
    """Whose flow is asked for. `with_arm`: what reveals arms may be counted; `by_arm`: each arm is told apart."""

    definition: StudyDef
    plan: FlowPlan
    sites: tuple[Site, ...]
    today: date
    with_arm: bool
    by_arm: bool

    def tells(self, step: FlowStep) -> bool:
        """May who asks know how many there are?"""
        return self.with_arm or not any(self.definition.item(oid).reveals_arm for oid in step.items)

    def lists(self, analysis_set: AnalysisSet) -> bool:
        """May who asks know who is in it? Not when a deviation that takes a person out of it tells the arm."""
        secret = secret_parts(self.definition).rules
        takes_out = (rule.oid for rule in self.definition.deviations if analysis_set.oid in rule.excludes)
        return self.with_arm or secret.isdisjoint(takes_out)


def standings(question: Question) -> list[tuple[Standing, int]]:
    """How many persons stand alike."""
    statement, given = _persons(question)
    listed = ", ".join(COLUMNS)
    rows = _rows(f"SELECT {listed}, count(*) FROM ({statement}) p GROUP BY {listed} ORDER BY {listed}", given)
    return [(_standing(row[:-1]), row[-1]) for row in rows]


def persons(question: Question, where: Where) -> list[Person]:
    """Everybody whose standing fits, in the order of the sites, then by number."""
    statement, given = _persons(question)
    conditions = [f"{_as_array(column)} && %(wanted_{column})s::text[]" for column in where]
    given |= {f"wanted_{column}": list(wanted) for column, wanted in where.items()}
    rows = _rows(
        f"""SELECT site_id, subject_id, number, {", ".join(COLUMNS)} FROM ({statement}) p
        WHERE {" AND ".join(conditions) or "true"}
        ORDER BY array_position(%(sites)s::uuid[], site_id), subject_id IS NULL, length(number), number""",
        given,
    )
    return [Person(row[0], row[1], row[2], _standing(row[3:])) for row in rows]


def _as_array(column: str) -> str:
    return column if column in SEVERAL else f"ARRAY[{column}::text]"


def _persons(question: Question) -> tuple[str, dict[str, Any]]:
    marks, given = _marks(question)
    plan = question.plan
    given |= {
        "sites": [site.pk for site in question.sites],
        "after_consent": AFTER_CONSENT,
        "event": plan.event,
        "form": question.definition.form_of(plan.answer).oid,
        "answer": plan.answer,
        "not_answered": plan.not_answered or "",
        "today": question.today,
        "sets": [one.oid for one in plan.sets],
        "rules": [rule.oid for rule in question.definition.deviations for _set in rule.excludes],
        "excluded": [oid for rule in question.definition.deviations for oid in rule.excludes],
    }
    arm, arms = ("coalesce(r.arm, '')", BY_ARM) if question.by_arm else ("''", "")
    return PERSONS.format(arm=arm, arms=arms, marks=marks, gone=GONE), given


def _marks(question: Question) -> tuple[str, dict[str, Any]]:
    """What the answers of one subject say of the treatment: a statement with one row, and what it is given."""
    given: dict[str, Any] = {}

    def holds(step: FlowStep) -> str:
        given[f"item_{step.oid}"], given[f"codes_{step.oid}"] = step.item, list(step.codes)
        return f"coalesce(bool_or(f.data->>%(item_{step.oid})s = ANY(%(codes_{step.oid})s)), false)"

    plan = question.plan
    received, not_received = (holds(step) if step and question.tells(step) else "false"
                              for step in (plan.received, plan.not_received))  # fmt: skip
    given["why"] = plan.not_received.why if plan.not_received else None
    steps = [f"CASE WHEN {holds(step)} THEN '{step.oid}' END" for step in plan.steps if question.tells(step)]
    columns = f"""{received} AS received, {not_received} AS not_received, max(f.data->>%(why)s) AS why,
        array_remove(ARRAY[{", ".join(steps)}]::text[], NULL) AS steps"""
    return f"SELECT {columns} FROM crf_formdata f WHERE f.subject_id = s.id AND f.removed_in IS NULL", given


def _rows(statement: str, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _standing(columns: tuple[Any, ...]) -> Standing:
    said = dict(zip(COLUMNS, columns, strict=True))
    return Standing(**said | {column: tuple(said[column]) for column in SEVERAL})
