"""New forms of a subject in one go, as a paper casebook is entered afterwards (S25): one author, one change set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.entry.document import Document
from crf.models import FormData, StudyEvent
from crf.policies import check_can_enter_form
from crf.selectors.place import NEW, Place, new_row
from crf.services.following import follow_form
from crf.services.planning import moves_day_0, place_events
from crf.services.recalculation import recalculate, write
from crf.services.saving import check_collected, check_observed, check_settled, checked, date_visit, settle
from crf.services.visits import lock_subject
from pallsoft.accounts.models import User
from pallsoft.errors import NotAllowedNow
from sites.acting import acting
from sites.models import Subject
from sites.permissions import Permission
from sites.selectors import version_at
from trials.definition import definition_of
from trials.models import StudyVersion


@dataclass(frozen=True)
class Entry:
    """A form that does not exist yet. `values`: {item OID: canonical text}; `observed_at`: aware."""

    event_oid: str
    form_oid: str
    values: Mapping[str, str]
    observed_at: datetime
    ordinal: int = 1


def save_new_forms(*, subject: Subject, entries: Sequence[Entry], by: User, why: str = "") -> list[FormData]:
    """Store the entries in their order; each passes what `save_form` asks of a new form, or none is stored.

    A repeating form gets the next repeat. `why` explains whatever soft check finds something. Raises InvalidInput,
    AnswersNeeded (a check asks and there is no `why`), NotPermitted, NotAllowedNow (entry is closed, or a form is
    there already: changing one is for `save_form`).
    """
    site = subject.site
    with acting(Permission.ENTER_DATA, study=subject.study, by=by, action="crf.save_new_forms", site=site):
        subject = lock_subject(subject)
        version = version_at(site)
        batch = _Batch(SubjectAnswers(subject, definition_of(version)), version, why)
        for entry in entries:
            batch.add(entry)
        batch.follow(by)
    return batch.stored


class _Batch:
    """What is stored so far, and what follows from it in the end."""

    def __init__(self, answers: SubjectAnswers, version: StudyVersion, why: str) -> None:
        self.answers, self.version, self.why = answers, version, why
        self.stored: list[FormData] = []
        self.times: set[datetime] = set()
        self.open: set[tuple[str, int]] = set()
        self.changed: set[str] = set()

    def add(self, entry: Entry) -> None:
        place = self._place(entry)
        self._check_time(place, entry.observed_at)
        check_collected(place, entry.observed_at)
        row, given = new_row(place), checked(place, entry.values, {}, {})
        settled = settle(place, row, given, {})
        if settled.fired and self.why:
            settled = settle(place, row, given, {check.oid: self.why for check in settled.fired})
        changes = place.rules.changes(place.current, settled.document)
        check_settled(place, settled, changes, "")
        self.changed |= {change.item.oid for change in changes} | date_visit(place, entry.observed_at)
        write(row, settled)
        row.observed_at, row.version = entry.observed_at, 1
        row.save(force_insert=True)
        follow_form(row, place.study, Document(), settled, {change.item.oid for change in changes})
        self.answers.put(row)
        self.stored.append(row)

    def follow(self, by: User) -> None:
        """Visits move with day 0, other forms are settled again: once, for all that was stored."""
        if any(moves_day_0(self.answers, row.form_oid, self.changed) for row in self.stored):
            place_events(self.answers, by)
            self.changed |= {"fact.anchor_on", "fact.anchor_at"}
        recalculate(self.answers, self.changed, by)

    def _place(self, entry: Entry) -> Place:
        event = self._event(entry)
        form = self.answers.study.form(entry.form_oid)
        if event.key not in self.open:  # a lock on a single form is left to the database (DAT-15)
            check_can_enter_form(event, form, consented=self.answers.consent is not None)
            self.open.add(event.key)
        if not form.repeating and any(self._is_there(one, event, form.oid) for one in self.answers.forms):
            raise NotAllowedNow(_("The form %(form)s is there already. Open it to change it.") % {"form": form.title})
        key = NEW if form.repeating else "1"
        return Place(event, form, key, None, self.version, self.answers, entry.observed_at)

    def _check_time(self, place: Place, at: datetime) -> None:
        if at not in self.times:
            check_observed(place, at)
            self.times.add(at)

    def _event(self, entry: Entry) -> StudyEvent:
        """The visit as it is known so far; a new one counts for the rules from now on."""
        subject = self.answers.subject
        wanted = StudyEvent(study=subject.study, subject=subject, event_oid=entry.event_oid, ordinal=entry.ordinal)
        event = next((one for one in self.answers.events if one.key == wanted.key), None)
        if event is None:
            self.answers.events.append(event := wanted)
        event.subject, event.study = subject, subject.study
        return event

    @staticmethod
    def _is_there(row: FormData, event: StudyEvent, form_oid: str) -> bool:
        return row.form_oid == form_oid and row.event.key == event.key
