"""What is known of a subject, as the rules of the definition ask for it (references: trials/scope.py)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from crf.around import Around, around
from crf.facts import facts_for
from crf.models import FormData, StudyEvent
from sites.clock import local_today
from sites.days import value_of
from sites.models import Consent, Subject
from sites.participation import Participation, participation_of
from trials.definition import Contact, StudyDef
from trials.evaluate import settled
from trials.expressions import Context
from trials.scope import ANY, HERE, compiled
from trials.values import UNKNOWN, Maybe, PartialDate, typed


@dataclass(frozen=True)
class Anchor:
    """Day 0, and its instant when the clock time is known."""

    day: date
    at: datetime | None = None


class SubjectAnswers:
    """All saved forms of one subject and the facts around them; each is read from the database once, when asked for."""

    def __init__(
        self,
        subject: Subject,
        study: StudyDef,
        today: date | None = None,
        events: list[StudyEvent] | None = None,
        forms: list[FormData] | None = None,
    ) -> None:
        """`today`: the day that "now" means for rules, when it is told afterwards what happened then.
        `events`, `forms`: `visits_of` and `saved_forms`, when they are read already."""
        self.subject = subject
        self.study = study
        self._today = today
        if events is not None:
            self.events = events
        if forms is not None:
            self.forms = forms

    def at(self, event: StudyEvent, observed_at: datetime | None = None) -> Context:
        """The world outside a form of `event`; `observed_at`: when its answers were observed, where that is told."""
        return _Outside(self, event, observed_at)

    @property
    def whole(self) -> Context:
        """The world of the subject's own rules: strata, gates, facts."""
        return _Outside(self, None)

    @cached_property
    def events(self) -> list[StudyEvent]:
        return visits_of(self.subject)

    @cached_property
    def forms(self) -> list[FormData]:
        """Forms that count: saved and not removed."""
        return saved_forms(self.subject, self.events)

    def put(self, form: FormData) -> None:
        """Let `form` count as it stands now; not at all when it has been removed."""
        self.forms = [one for one in self.forms if one.pk != form.pk] + ([] if form.removed_in else [form])
        if all(event.key != form.event.key for event in self.events):  # it began with this form
            self.events = [*self.events, form.event]
        self.__dict__.pop("anchor", None)

    @cached_property
    def around(self) -> Around:
        return around(self.subject)

    @cached_property
    def facts(self) -> dict[str, Any]:
        return facts_for(self.subject)

    @cached_property
    def today(self) -> date:
        return self._today or local_today(self.study.timezone)

    @cached_property
    def today_at_site(self) -> date:
        """The day that visits are due or overdue by."""
        return local_today(self.subject.site.timezone)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.study.timezone)

    @cached_property
    def anchor(self) -> Anchor | None:
        """The earliest day on which the anchor's condition is true; None as long as there is none."""
        if self.study.anchor.form is None:
            at = self.facts.get("randomized_at")
            return Anchor(at.astimezone(self.zone).date(), at) if at else None
        found = [anchor for form in self._instances(ANY, self.study.anchor.form) if (anchor := self._anchor_in(form))]
        return min(found, key=lambda anchor: (anchor.day, anchor.at is None, anchor.at), default=None)

    def days_of(self, contact: Contact) -> list[date]:
        """The days that a contact of the definition names, over all visits and repeats."""
        forms = self._instances(ANY, contact.form)
        days = [
            self._typed(form, contact.date) for form in forms if not contact.when or self._holds(contact.when, form)
        ]
        return [self._day(day) for day in days if isinstance(day, date)]

    def _day(self, day: date) -> date:
        return day.astimezone(self.zone).date() if isinstance(day, datetime) else day

    def _anchor_in(self, form: FormData) -> Anchor | None:
        rule = self.study.anchor
        day = self._typed(form, rule.date or "")
        if not isinstance(day, date):
            return None
        if rule.when and not self._holds(rule.when, form):
            return None
        if isinstance(day, datetime):
            return Anchor(self._day(day), day)
        clock = self._typed(form, rule.time) if rule.time else UNKNOWN
        return Anchor(day, datetime.combine(day, clock, self.zone) if isinstance(clock, time) else None)

    def _holds(self, rule: str, form: FormData) -> bool:
        context = settled(self.study, form.form_oid, form.data, form.missing_codes, self.at(form.event))
        return compiled(self.study, rule, form.form_oid).evaluate(context) is True

    @cached_property
    def participation(self) -> Participation:
        return participation_of(self.subject) if self.around.left else Participation()

    @cached_property
    def alive_on(self) -> list[date]:
        """The days on which the participant was found alive in the hospital record."""
        return self.around.alive_on

    @property
    def death_on(self) -> date | PartialDate | None:
        death = self.participation.death
        return value_of(death.day) if death and death.day else None

    @property
    def death_at(self) -> datetime | None:
        """The last moment at which the person can have been alive."""
        day = self.participation.last_possible_day
        return datetime.combine(day, time.max, self.zone) if day else None

    @cached_property
    def consents(self) -> list[Consent]:
        """Those that stand, the first one first."""
        rows = Consent.objects.raw(
            """SELECT * FROM sites_consent c WHERE subject_id = %s
                AND NOT EXISTS (SELECT FROM sites_consent n WHERE n.corrects_id = c.id) ORDER BY signed_at""",
            [self.subject.pk],
        )
        return list(rows)

    @property
    def consent(self) -> Consent | None:
        return self.consents[0] if self.consents else None

    @property
    def newest_consent_version(self) -> str:
        return self.consents[-1].version if self.consents else ""

    def known(self, ref: str) -> Any:
        """The value of a `fact.…`, `subject.…` or `now.…` reference; None when there is none."""
        return _KNOWN[ref](self)

    def instance(self, prefix: str, item_oid: str, event: StudyEvent | None) -> FormData | None:
        """The form instance that `PREFIX.ITEM` speaks of."""
        found = self._instances(prefix, self.study.form_of(item_oid).oid, event)
        if prefix == ANY:
            found = [form for form in found if item_oid in form.data or item_oid in form.missing_codes]
        return found[-1] if found else None

    def repeats(self, prefix: str, item_oid: str, event: StudyEvent | None) -> list[Maybe]:
        """The value in each repeat; UNKNOWN for a repeat without one."""
        found = self._instances(prefix, self.study.form_of(item_oid).oid, event)
        return [self._typed(form, item_oid) for form in found]

    def value_in(self, form: FormData | None, item_oid: str) -> Maybe:
        return self._typed(form, item_oid) if form else UNKNOWN

    def _typed(self, form: FormData, item_oid: str) -> Maybe:
        text = form.data.get(item_oid)
        return typed(self.study.item(item_oid), text) if text else UNKNOWN

    def _instances(self, prefix: str, form_oid: str, event: StudyEvent | None = None) -> list[FormData]:
        """Instances of a form in the order of the visits."""
        found = sorted((form for form in self.forms if form.form_oid == form_oid), key=self._visit_order)
        if prefix == ANY:
            return found
        if prefix == HERE:
            return [form for form in found if event and form.event.key == event.key]
        found = [form for form in found if form.event.event_oid == prefix]
        latest = self._latest_attempt(prefix, found, event)
        return [form for form in found if form.event.ordinal == latest]

    def _latest_attempt(self, event_oid: str, found: list[FormData], event: StudyEvent | None) -> int:
        """A new screening attempt begins empty: nothing of an earlier one counts for it (S03)."""
        counted = [form.event for form in found]
        if self.study.event(event_oid).kind == "screening":
            counted = self.events + ([event] if event else [])
        return max((one.ordinal for one in counted if one.event_oid == event_oid), default=0)

    def _visit_order(self, form: FormData) -> tuple[date, int, int]:
        event = form.event
        day = event.happened_on or event.target_on or date.min
        return day, self._event_order.get(event.event_oid, 0), event.ordinal

    @cached_property
    def _event_order(self) -> dict[str, int]:
        return {event.oid: position for position, event in enumerate(self.study.events)}


# In SQL of our own: every page of a subject asks these two, and Django needs longer to make such a statement than
# PostgreSQL to answer it.


def visits_of(subject: Subject) -> list[StudyEvent]:
    """The visits of a subject that are stored."""
    events = list(StudyEvent.objects.raw("SELECT * FROM crf_studyevent WHERE subject_id = %s", [subject.pk]))
    for event in events:
        event.subject = subject
    return events


def saved_forms(subject: Subject, events: Iterable[StudyEvent]) -> list[FormData]:
    """The forms of a subject that count, each with its visit, one of `events`, and who first saved it when.

    One that came with its visit after these were read is left out.
    """
    rows = FormData.objects.raw(
        """SELECT f.*, c.at AS first_saved_at, c.actor_name AS first_saved_by
            FROM crf_formdata f JOIN audit.change_set c ON c.id = f.created_in
            WHERE f.subject_id = %s AND f.removed_in IS NULL ORDER BY f.repeat_key""",
        [subject.pk],
    )
    by_id = {event.pk: event for event in events}
    forms = [form for form in rows if form.event_id in by_id]
    for form in forms:
        form.subject, form.event = subject, by_id[form.event_id]
    return forms


@dataclass(frozen=True)
class _Outside:
    """A Context of trials.expressions: everything but the form instance itself."""

    answers: SubjectAnswers
    event: StudyEvent | None
    observed_at: datetime | None = None

    def value(self, ref: str) -> Maybe:
        prefix, _dot, name = ref.partition(".")
        if not prefix.islower():
            return self.answers.value_in(self.answers.instance(prefix, name, self.event), name)
        found = self._own(prefix, name) if prefix in ("event", "form") else self.answers.known(ref)
        return UNKNOWN if found is None else found

    def reason(self, ref: str) -> str | None:
        prefix, _dot, name = ref.partition(".")
        form = None if prefix.islower() else self.answers.instance(prefix, name, self.event)
        return form.missing_codes.get(name) if form else None

    def values(self, ref: str) -> Sequence[Maybe]:
        prefix, _dot, name = ref.partition(".")
        return self.answers.repeats(prefix, name, self.event)

    def _own(self, prefix: str, name: str) -> Any:
        if self.event is None:
            return None
        if prefix == "form":
            at = self.observed_at or self._end_of_visit()
            return at if name == "observed_at" else _local_day(self.answers, at)
        return self.event.event_oid if name == "oid" else self.event.happened_on

    def _end_of_visit(self) -> datetime | None:
        """Nothing of a visit is observed later than the last moment of its day; one without a day happens today."""
        if self.event is None or self.answers.study.event(self.event.event_oid).kind == "log":
            return None
        day = self.event.happened_on or self.answers.today
        return datetime.combine(day, time.max, self.answers.zone)


def _local_day(answers: SubjectAnswers, at: datetime | None) -> date | None:
    return at.astimezone(answers.zone).date() if at else None


def _yes_no(value: bool | None) -> str | None:
    return None if value is None else "Y" if value else "N"


_KNOWN: dict[str, Callable[[SubjectAnswers], Any]] = {
    "fact.arm": lambda answers: answers.facts.get("arm"),
    "fact.randomized_at": lambda answers: answers.facts.get("randomized_at"),
    "fact.randomized_on": lambda answers: _local_day(answers, answers.facts.get("randomized_at")),
    "fact.anchor_on": lambda answers: answers.anchor and answers.anchor.day,
    "fact.anchor_at": lambda answers: answers.anchor and answers.anchor.at,
    "fact.death_on": lambda answers: answers.death_on,
    "fact.death_at": lambda answers: answers.death_at,
    "subject.sex": lambda answers: answers.subject.sex,
    "subject.birth_year": lambda answers: Decimal(answers.subject.birth_year),
    "subject.adult_at_consent": lambda answers: _yes_no(answers.subject.adult_at_consent),
    "subject.consent_at": lambda answers: answers.consent and answers.consent.signed_at,
    "subject.consent_on": lambda answers: _local_day(answers, answers.consent.signed_at if answers.consent else None),
    "now.date": lambda answers: answers.today,
}
