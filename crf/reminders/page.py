"""The coordinator's page: what was sent, to which role, when, what failed, and what comes in the next seven days."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.db.models import Case, F, Q, QuerySet, When
from django.utils.translation import gettext as _

from crf.epro.sending import LINK
from crf.models import StudyEvent
from crf.reminders import owed, participants, words
from crf.reminders.holding import are_sent
from crf.reminders.statements import Owed
from crf.selectors.matrix import visit_label
from crf.selectors.secrets import secrets_of
from crf.selectors.visible import Definitions
from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message, State
from sites.clock import database_now, local_today
from sites.models import Site, Subject
from sites.permissions import AnyUser, Permission, at_sites, has_permission, sites_for
from sites.working_days import working_day_from
from trials.definition import Reminder, StudyDef
from trials.models import Study

PAGE, DAYS_AHEAD = 25, 7
KINDS = (owed.KIND, participants.KIND, LINK)
TOLD_FOR = timedelta(days=14)  # what does not reach a participant: nobody can take it up again but the site
CHIPS = {
    State.SENT: "complete",
    State.DUE: "in_progress",
    State.DROPPED: "planned",
    State.CANCELLED: "planned",
    State.DEAD: "overdue",
}


@dataclass
class ToCome:
    """A reminder of one visit that will leave, to each of the roles."""

    label: str
    visit: str
    subject: Subject
    ordinal: int
    held: bool
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """A reminder to one person, as it stands in the outbox; of a participant neither name nor address."""

    message: Message
    label: str
    visit: str
    subject: Subject
    role: str
    person: str
    why: str = ""
    cure: str = ""

    @property
    def is_to_participant(self) -> bool:
        return self.message.kind != owed.KIND

    @property
    def chip(self) -> str:
        return CHIPS[State(self.message.state)]

    @property
    def state(self) -> str:
        return {
            State.SENT: _("Sent"),
            State.DUE: _("Waits"),
            State.DEAD: _("Not delivered"),
        }.get(State(self.message.state), _("No longer needed"))

    @property
    def tried(self) -> int:
        """How often in vain, while it waits."""
        return self.message.attempts if self.message.state == State.DUE else 0

    @property
    def late(self) -> bool:
        """Did it leave after the working day on which it was due?"""
        zone = ZoneInfo(self.subject.site.timezone)
        sent = self.message.sent_at
        return sent is not None and _local(sent, zone) > working_day_from(_local(self.message.due_at, zone))


class Board:
    """What the page shows, of the sites at which the person manages reminders."""

    def __init__(self, user: AnyUser, study: Study) -> None:
        self.user, self.study = user, study
        self.sites = list(sites_for(user, study, Permission.MANAGE_SITES).select_related("study").order_by("city"))
        self.whole_study = has_permission(user, Permission.MANAGE_SITES, study)
        self.are_sent = are_sent(study)

    @cached_property
    def definitions(self) -> Definitions:
        return Definitions(self.study)

    @cached_property
    def rules(self) -> list[dict[str, Any]]:
        """Those of the newest version."""
        study = self.definitions.all[0] if self.definitions.all else None
        return [_rule(study, rule) for rule in study.reminders.rules] if study else []

    @cached_property
    def rows(self) -> QuerySet[Message]:
        subjects = Subject.objects.filter(site__in=self.sites).values("pk")
        found = Message.objects.filter(study_id=self.study.pk, kind__in=KINDS, subject_id__in=subjects)
        return found.exclude(event_id__in=self._hidden.values("pk"))

    @property
    def to_staff(self) -> QuerySet[Message]:
        return self.rows.filter(kind=owed.KIND)

    @cached_property
    def dead(self) -> list[Line]:
        told = Q(kind=owed.KIND) | Q(due_at__gte=database_now() - TOLD_FOR)
        return self.lines(list(self.rows.filter(told, state=State.DEAD).order_by("-due_at", "pk")))

    @cached_property
    def sent_last_week(self) -> int:
        return self.rows.filter(sent_at__gte=database_now() - timedelta(days=7)).count()

    @cached_property
    def to_come(self) -> list[tuple[date, list[ToCome]]]:
        """By the day on which they leave."""
        days: dict[date, dict[tuple[Any, ...], ToCome]] = defaultdict(dict)
        for one in self._owed:
            event, site = self._events[one.event_id], self._sites[one.site_id]
            key = (one.event_id, one.topic, one.ordinal)
            leaves = working_day_from(max(one.day, one.today))
            label, visit = self._named(one.topic, event)
            held = self.study.reminders_paused or site.reminders_paused
            line = days[leaves].setdefault(key, ToCome(label, visit, event.subject, one.ordinal, held))
            if (role := words.recipient(one.role)) not in line.roles:
                line.roles.append(role)
        return sorted((day, list(lines.values())) for day, lines in days.items())

    @cached_property
    def number_to_come(self) -> int:
        return sum(len(lines) for _day, lines in self.to_come)

    def history(self, page: str) -> Any:
        """A page of all that was sent or is no longer needed, the newest first."""
        moment = Case(When(sent_at=None, then=F("due_at")), default=F("sent_at"))
        return Paginator(self.rows.exclude(state=State.DEAD).order_by(moment.desc(), "-pk"), PAGE).get_page(page)

    def lines(self, messages: list[Message]) -> list[Line]:
        events = self._events_of({row.event_id for row in messages if row.event_id})
        people = User.objects.in_bulk({row.recipient_id for row in messages})
        return [self._line(row, events[row.event_id], people.get(row.recipient_id)) for row in messages if row.event_id]

    def _line(self, row: Message, event: StudyEvent, person: User | None) -> Line:
        label, visit = self._named(row.topic, event)
        why, cure = words.failure(row) if row.state == State.DEAD else ("", "")
        name = person.full_name if person else ""
        return Line(row, label, visit, event.subject, words.recipient(row.payload.get("role")), name, why, cure)

    def _named(self, topic: str, event: StudyEvent) -> tuple[str, str]:
        """The words of reminder and visit, also of those that a newer version has no more."""
        named = (str(rule.label) for rule in self._all_rules if rule.oid == topic)
        label = next(named, topic or _("Link to the questionnaire"))
        study = next(one for one in self.definitions.all if one.has_event(event.event_oid))
        return label, visit_label(event, study.event(event.event_oid))

    @cached_property
    def _all_rules(self) -> list[Reminder]:
        return [rule for study in self.definitions.all for rule in study.reminders.rules]

    @cached_property
    def _hidden(self) -> QuerySet[StudyEvent]:
        """The visits that would tell the person the arm."""
        events = StudyEvent.objects.filter(study=self.study, event_oid__in=secrets_of(self.study).events)
        sees = at_sites(self.user, self.study, Permission.VIEW_ARM, "subject__site")
        return events.exclude(**sees) if sees else events.none()

    @cached_property
    def _owed(self) -> list[Owed]:
        hidden = set(self._hidden.values_list("pk", flat=True))
        found = owed.to_come(self.sites, DAYS_AHEAD) + participants.to_come(self.sites, DAYS_AHEAD)
        return [one for one in found if one.event_id not in hidden]

    @cached_property
    def _events(self) -> dict[Any, StudyEvent]:
        return self._events_of({one.event_id for one in self._owed})

    @cached_property
    def _sites(self) -> dict[Any, Site]:
        return {site.pk: site for site in self.sites}

    def _events_of(self, pks: set[Any]) -> dict[Any, StudyEvent]:
        return StudyEvent.objects.select_related("subject__site").in_bulk(pks)


def context_of(board: Board, page: str) -> dict[str, Any]:
    history = board.history(page)
    return {
        "board": board,
        "today": local_today(board.study.timezone),
        "page": history,
        "lines": board.lines(list(history)),
    }


def _rule(study: StudyDef, rule: Reminder) -> dict[str, Any]:
    return {
        "label": rule.label,
        "roles": [words.recipient(role) for role in rule.to],
        "confirm_alive": rule.is_to_participant and rule.confirm_alive,
        "visits": [study.event(oid).label for oid in rule.at],
        "when": words.when(rule),
        "how_often": words.how_often(rule),
        "is_default": rule.source == "default",
    }


def _local(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()
