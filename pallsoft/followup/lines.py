"""Each questionnaire of each randomised participant, and how it stands: three statements, however many there are.

Expected are those that came and those whose time is over; of these are left out only the ones of the dead and of those
who withdrew. Who wanted no more visits or was lost stays expected, and tells why nothing came.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from crf.answers import SubjectAnswers
from crf.models import FormData, StudyEvent
from crf.selectors.secrets import betrays_arm, event_betrays_arm
from sites.models import Site, Subject
from trials.definition import FormDef, FormRef, StudyDef, StudyEventDef
from trials.scope import compiled
from trials.subject_rules import asked_for, is_shown

RECEIVED, MISSING, OVERDUE, DUE, TO_COME, GONE = "received", "missing", "overdue", "due", "to_come", "gone"
KINDS = {"treatment", "scheduled", "repeating"}
LINES = """
SELECT s.id, s.site_id, s.number, v.event_oid, v.ordinal, q.form_oid, v.window_to, v.happened_on IS NOT NULL,
    CASE WHEN f.data ?| q.items THEN 'received'
        WHEN v.closed_for IN ('dead', 'withdrawn') OR lower(v.not_done_code) IN ('dead', 'withdrawn') THEN 'gone'
        WHEN f.data->>q.not_answered IS NOT NULL OR v.not_done_reason <> '' THEN 'missing'
        WHEN v.window_to < %(today)s THEN 'overdue'
        WHEN v.window_from <= %(today)s THEN 'due' ELSE 'to_come' END,
    CASE WHEN f.data ?| q.items THEN ''
        ELSE coalesce('form:' || (f.data->>q.not_answered), 'closed:' || nullif(v.closed_for, ''),
            'visit:' || nullif(v.not_done_code, ''), CASE WHEN v.not_done_reason <> '' THEN 'visit:' END, '') END,
    (SELECT c.next_on FROM sites_contactattempt c WHERE c.subject_id = s.id ORDER BY c.tried_at DESC LIMIT 1)
FROM randomization_allocation a
JOIN sites_subject s ON s.id = a.subject_id
JOIN crf_studyevent v ON v.subject_id = s.id
JOIN (SELECT event_oid, form_oid, not_answered, ARRAY(SELECT jsonb_array_elements_text(listed::jsonb)) AS items, place
    FROM unnest(%(events)s::text[], %(forms)s::text[], %(not_answered)s::text[], %(items)s::text[]) WITH ORDINALITY
        AS asked (event_oid, form_oid, not_answered, listed, place)) q ON q.event_oid = v.event_oid
LEFT JOIN crf_formdata f ON f.event_id = v.id AND f.form_oid = q.form_oid AND f.removed_in IS NULL
WHERE s.site_id = ANY(%(sites)s::uuid[])
ORDER BY array_position(%(sites)s::uuid[], s.site_id), s.number, q.place, v.ordinal"""


@dataclass(frozen=True)
class Line:
    """One questionnaire at one visit of one participant."""

    subject_id: UUID
    site_id: UUID
    number: str
    event: str
    ordinal: int
    form: str
    until: date | None
    visited: bool
    state: str
    why: str
    next_on: date | None

    @property
    def is_expected(self) -> bool:
        return self.state in (RECEIVED, MISSING, OVERDUE)


@dataclass(frozen=True)
class Asked:
    """A questionnaire that a visit asks for."""

    event: StudyEventDef
    ref: FormRef
    form: FormDef

    @property
    def not_answered(self) -> str:
        return self.form.by_link.not_answered if self.form.by_link else ""

    @property
    def items(self) -> list[str]:
        """What the patient answers: with one of them the questionnaire came."""
        groups = [group for group in self.form.groups if not group.by_staff]
        return [item.oid for group in groups for item in group.items if not item.derived]


def questionnaires(study: StudyDef, *, with_arm: bool) -> list[Asked]:
    """In the order of the schedule; without `with_arm` none whose being there tells the arm."""
    return [
        Asked(event, ref, form)
        for event in study.events
        if event.kind in KINDS and (with_arm or not event_betrays_arm(study, event))
        for ref in event.forms
        if (form := study.form(ref.form)).kind == "patient" and not form.repeating
        if with_arm or not betrays_arm(study, form)
    ]


def lines_of(study: StudyDef, asked: Sequence[Asked], sites: Sequence[Site], today: date) -> list[Line]:
    """By site, participant and visit."""
    given: Mapping[str, Any] = {
        "events": [one.event.oid for one in asked],
        "forms": [one.form.oid for one in asked],
        "not_answered": [one.not_answered for one in asked],
        "items": [json.dumps(one.items) for one in asked],
        "sites": [site.pk for site in sites],
        "today": today,
    }
    with connection.cursor() as cursor:
        cursor.execute(LINES, given)
        lines = [Line(*row) for row in cursor.fetchall()]
    return _asked_of_them(study, asked, lines)


def _asked_of_them(study: StudyDef, asked: Sequence[Asked], lines: Sequence[Line]) -> list[Line]:
    """Without the questionnaires that are not for a participant, such as the module of another cancer."""
    rules = {(one.event.oid, one.form.oid): one.ref for one in asked if one.ref.relevant}
    open_to_doubt = {line.subject_id for line in lines if _key(line) in rules and line.state != RECEIVED}
    known = _known(study, [ref.relevant or "" for ref in rules.values()], open_to_doubt) if open_to_doubt else {}

    def is_asked(line: Line) -> bool:
        ref = rules.get(_key(line))
        if ref is None or line.state == RECEIVED:
            return True
        event = StudyEvent(event_oid=line.event, ordinal=line.ordinal)
        return is_shown(study, ref, known[line.subject_id].at(event))

    return [line for line in lines if is_asked(line)]


def _key(line: Line) -> tuple[str, str]:
    return line.event, line.form


def _known(study: StudyDef, rules: Iterable[str], subjects: set[UUID]) -> dict[UUID, SubjectAnswers]:
    """Of each what the rules ask for, and no more."""
    names = {name for rule in rules for name in compiled(study, rule, at_event=True).names}
    items = {ref for ref in asked_for(study, names) if "." not in ref}
    rows = FormData.objects.filter(subject__in=subjects, removed_in=None).select_related("event")
    forms: dict[UUID, list[FormData]] = defaultdict(list)
    for row in rows.filter(form_oid__in={study.form_of(oid).oid for oid in items}).order_by("repeat_key"):
        forms[row.subject_id].append(row)
    return {
        subject.pk: SubjectAnswers(
            subject, study, events=[form.event for form in forms[subject.pk]], forms=forms[subject.pk]
        )
        for subject in Subject.objects.filter(pk__in=subjects).select_related("site", "study")
    }
