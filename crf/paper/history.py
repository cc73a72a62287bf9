"""The trail of a subject for the appendix of its casebook: oldest first, in the words of the history pages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crf.models import Deviation, FormData, Query, QueryMessage, StudyEvent
from crf.selectors.definitions import definition_for
from crf.selectors.matrix import visit_label
from crf.selectors.secrets import NO_SECRET, Secret, secrets_of
from crf.selectors.trail import Reader, action_words, role_words
from pallsoft.audit.selectors import TrailRow, trail_of_subject
from pallsoft.templatetags.ui import moment, nb_date
from sites.models import Subject
from trials.definition import StudyDef

TABLES = {
    "crf_deviation": gettext_lazy("Deviation"),
    "crf_lock": gettext_lazy("Lock"),
    "crf_query": gettext_lazy("Query"),
    "crf_querymessage": gettext_lazy("Query"),
    "crf_signature": gettext_lazy("Signature"),
    "crf_verification": gettext_lazy("Verification"),
    "sites_consent": gettext_lazy("Consent"),
    "sites_consentoption": gettext_lazy("Consent"),
    "sites_subject": gettext_lazy("Subject"),
}
COLUMNS = {
    "happened_on": gettext_lazy("Day of the visit"),
    "target_on": gettext_lazy("Planned day"),
    "window_from": gettext_lazy("First day of the window"),
    "window_to": gettext_lazy("Last day of the window"),
    "provisional": gettext_lazy("Provisional plan"),
    "not_done_reason": gettext_lazy("Why it was not done"),
    "not_done_code": gettext_lazy("Code of the reason"),
    "status": gettext_lazy("Status"),
    "number": gettext_lazy("Subject number"),
    "birth_year": gettext_lazy("Birth year"),
    "sex": gettext_lazy("Sex"),
    "signed_at": gettext_lazy("Signed at"),
    "withdrawn_at": gettext_lazy("Withdrawn at"),
    "granted": gettext_lazy("Granted"),
    "option": gettext_lazy("Consent"),
    "printed_name": gettext_lazy("Name"),
    "meaning": gettext_lazy("Meaning"),
    "text": gettext_lazy("Message"),
    "explanation": gettext_lazy("Explanation"),
    "rule_oid": gettext_lazy("Kind"),
    "found_by": gettext_lazy("Found by"),
    "source_type": gettext_lazy("Source"),
}
# Names of rows and of change sets: they say nothing to a reader, and stand in the export of the trail.
TECHNICAL = ("_id", "_in", "_key", "sha256", "manifest", "value_digest")
DAY, INSTANT = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
UNTOLD = {"id", "key", "created_in", "version", "event_oid", "ordinal"}


@dataclass(frozen=True)
class TrailLine:
    """`place`: visit and form, or the table."""

    at: datetime
    by: str
    role: str
    action: str
    place: str
    what: str
    old: str
    new: str
    reason: str


def trail_of(subject: Subject, study: StudyDef, zone: ZoneInfo, *, with_arm: bool) -> list[TrailLine]:
    """Without what betrays the arm when the reader may not see it (AUD-11)."""
    return list(_Appendix(subject, study, zone, with_arm).lines())


class _Appendix:
    def __init__(self, subject: Subject, study: StudyDef, zone: ZoneInfo, with_arm: bool) -> None:
        self.subject, self.study, self.zone, self.with_arm = subject, study, zone, with_arm
        rows = subject.forms.select_related("event")
        self.forms: dict[UUID, FormData] = {form.pk: form for form in rows}
        self.events: dict[UUID, StudyEvent] = {event.pk: event for event in subject.events.all()}

    def lines(self) -> Iterator[TrailLine]:
        for row in trail_of_subject(self.subject.pk):
            told = self._form_line(row) if row.table == "crf_formdata" else self._other_line(row)
            if told:
                yield told

    def _form_line(self, row: TrailRow) -> TrailLine | None:
        form = self.forms.get(row.row_id)
        if form is None:
            return None
        study = definition_for(form)
        form_def, event_def = study.form(form.form_oid), study.event(form.event.event_oid)
        if form.form_oid in self._secret.forms or form.event.event_oid in self._secret.events:
            return None
        reader = Reader(study, form_def, self.zone, self._secret)
        if not reader.shows(row):
            return None
        what, old, new = reader.words(row)
        repeat = f" {form.repeat_key}" if form_def.repeating else ""
        return self._line(row, f"{visit_label(form.event, event_def)}, {form_def.title}{repeat}", what, old, new)

    def _other_line(self, row: TrailRow) -> TrailLine | None:
        """Of visits, consents, queries and the like: the columns that say something."""
        if row.item in UNTOLD or row.item.endswith(TECHNICAL) or self._betrays(row):
            return None
        event = self.events.get(row.row_id)
        if event and self.study.has_event(event.event_oid):
            place = visit_label(event, self.study.event(event.event_oid))
        else:
            place = str(TABLES.get(row.table, row.table))
        return self._line(row, place, str(COLUMNS.get(row.item, row.item)), _plain(row.old), _plain(row.new))

    def _betrays(self, row: TrailRow) -> bool:
        return not self.with_arm and row.row_id in self._hidden_rows

    @cached_property
    def _hidden_rows(self) -> set[UUID]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT row_id FROM audit.touching(%s) WHERE form_oid = ANY (%s) OR event_oid = ANY (%s)"
                " OR (tbl <> 'crf_formdata' AND item = ANY (%s))",
                [self.subject.pk, *map(sorted, (self._secret.forms, self._secret.events, self._secret.items))],
            )
            found = {UUID(str(row_id)) for (row_id,) in cursor.fetchall()}
        return found | self._rows_of_secret_checks()

    @cached_property
    def _secret(self) -> Secret:
        return NO_SECRET if self.with_arm else secrets_of(self.subject.study)

    def _rows_of_secret_checks(self) -> set[UUID]:
        """A check may tell the arm at an item that does not: its queries, their threads, its deviations."""
        queries = Query.objects.filter(self._secret.queries, subject=self.subject)
        messages = QueryMessage.objects.filter(query__in=queries).values_list("pk", flat=True)
        deviations = Deviation.objects.filter(self._secret.deviations, subject=self.subject)
        return {*queries.values_list("pk", flat=True), *messages, *deviations.values_list("pk", flat=True)}

    def _line(self, row: TrailRow, place: str, what: str, old: str, new: str) -> TrailLine:
        return TrailLine(
            at=row.at,
            by=row.actor_name,
            role=role_words(row.role),
            action=action_words(row.action),
            place=place,
            what=what,
            old=old,
            new=new,
            reason=row.reason,
        )


def _plain(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, str) and INSTANT.match(value):
        return moment(value)
    return nb_date(value) if isinstance(value, str) and DAY.fullmatch(value) else str(value)
