"""Queries as pages show them: the list of a study, and the threads at one item."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crf.entry.document import Document
from crf.models import FormData, MessageKind, Query, QueryMessage, QueryStatus
from crf.queries import PERMISSION, SAID, STANDING, STORED_IN, TRANSITIONS
from crf.selectors.matrix import visit_label
from crf.selectors.visible import Definitions, visible_queries
from crf.selectors.words import answer_words
from pallsoft.audit.access import record_access
from sites.models import Role
from sites.permissions import AnyUser, Permission, rights_at, roles_held
from sites.selectors import study_for
from trials.definition import FormDef, ItemDef, StudyDef
from trials.models import Study

CHIPS = {QueryStatus.OPEN: "query", QueryStatus.ANSWERED: "answered"}
SETTLED = (QueryStatus.CLOSED, QueryStatus.CANCELLED)
BOXES = ("mine", "waiting", "closed")


@dataclass(frozen=True)
class Step:
    """One message of a thread. `by` is "" for the system."""

    kind: MessageKind
    label: str
    text: str
    at: datetime
    by: str
    role: str


@dataclass
class Thread:
    """A query with what surrounds it. `acts`: the steps that the person may take now."""

    query: Query
    item: str
    form: str
    visit: str
    answer: str
    url: str
    item_url: str
    age: int
    steps: list[Step]
    acts: list[str] = field(default_factory=list)

    @property
    def chip(self) -> str:
        return CHIPS.get(QueryStatus(self.query.status), "planned")

    @property
    def status(self) -> str:
        return str(self.query.get_status_display())

    @property
    def is_standing(self) -> bool:
        return self.query.status in STANDING

    @property
    def is_closable(self) -> bool:
        """May be closed together with others."""
        return self.query.status == QueryStatus.ANSWERED and MessageKind.CLOSE in self.acts

    @property
    def key(self) -> str:
        return str(self.query.pk)

    @property
    def step_url(self) -> str:
        return reverse("query", args=[self.query.subject.study.oid, self.query.pk])

    @property
    def age_words(self) -> str:
        if not self.is_standing and not self.age:
            return _("closed the same day")
        if not self.is_standing:
            return ngettext("stood %(n)s day", "stood %(n)s days", self.age) % {"n": self.age}
        return age_words(self.age)

    @property
    def last(self) -> Step:
        return self.steps[-1]

    @property
    def question(self) -> Step:
        return self.steps[0]


def age_words(days: int) -> str:
    """How long a query has stood."""
    return ngettext("%(n)s day old", "%(n)s days old", days) % {"n": days} if days else _("asked today")


def query_for(user: AnyUser, study_oid: str, query_id: UUID) -> Query:
    """A query that the person may see; a foreign one is Http404. Writes the access log."""
    study = study_for(user, study_oid, Permission.VIEW_SUBJECT)
    query = visible_queries(user, study).select_related("subject__site", "event").filter(pk=query_id).first()
    if query is None:
        raise Http404
    query.study = query.subject.study = query.subject.site.study = study
    query.event.subject = query.subject
    record_access(user=user, subject=query.subject, what=Permission.VIEW_SUBJECT)
    return query


def my_turn(user: AnyUser, study: Study) -> Q:
    """A condition: standing queries of a role that the person holds where the query is."""
    mine = Q(pk=None)
    for held in roles_held(user):
        if held.study == study:
            mine |= Q(assigned_role=held.role) & (Q(subject__site=held.site) if held.site else Q())
    return mine & Q(status__in=STANDING)


def boxes_of(user: AnyUser, study: Study) -> dict[str, Q]:
    """{box: condition} of the list."""
    mine = my_turn(user, study)
    return {"mine": mine, "waiting": Q(status__in=STANDING) & ~mine, "closed": Q(status__in=SETTLED)}


def counts_of(user: AnyUser, study: Study, queries: QuerySet[Query]) -> dict[str, int]:
    return queries.aggregate(**{box: Count("pk", filter=rule) for box, rule in boxes_of(user, study).items()})


def in_order(queries: QuerySet[Query]) -> QuerySet[Query]:
    """The oldest first."""
    return queries.order_by("opened_at", "pk")


def threads_of(queries: Iterable[Query], user: AnyUser, study: Study, now: datetime) -> list[Thread]:
    """With words and messages; a constant number of database queries. `queries`: of `with_thread`."""
    rows = list(queries)
    definitions, answers = Definitions(study), _answers_at(rows)
    return [_thread(query, definitions, answers, user, study, now) for query in rows]


def with_thread(queries: QuerySet[Query]) -> QuerySet[Query]:
    """Everything that `threads_of` reads."""
    messages = QueryMessage.objects.select_related("created_in")
    return queries.select_related("subject__site", "event").prefetch_related(Prefetch("messages", messages))


def item_queries_url(query: Query) -> str:
    event, subject = query.event, query.subject
    address = [subject.study.oid, subject.number, *event.key, query.form_oid, query.repeat_key, query.item_oid]
    return reverse("item-queries", args=address)


def _thread(
    query: Query, definitions: Definitions, answers: dict[Any, FormData], user: AnyUser, study: Study, now: datetime
) -> Thread:
    subject, event = query.subject, query.event
    subject.study = subject.site.study = query.study = study
    event.subject = subject
    definition = definitions.with_item(query.item_oid)
    form, item = definition.form(query.form_oid), definition.item(query.item_oid)
    row = answers.get((query.event_id, query.form_oid, query.repeat_key))
    steps = [_step(message, form) for message in query.messages.all()]
    ended = steps[-1].at if query.status in SETTLED else now
    return Thread(
        query=query,
        item=str(item.label),
        form=_form_title(form, query),
        visit=visit_label(event, definition.event(event.event_oid)),
        answer=_answer(definition, item, row, ZoneInfo(subject.site.timezone)),
        url=item_queries_url(query),
        item_url=_item_url(query),
        age=query.age_in_days(ended),
        steps=steps,
        acts=_acts(query, user, study),
    )


def _form_title(form: FormDef, query: Query) -> str:
    return f"{form.title} {query.repeat_key}" if form.repeating else str(form.title)


def _item_url(query: Query) -> str:
    event, subject = query.event, query.subject
    address = [subject.study.oid, subject.number, *event.key, query.form_oid, query.repeat_key]
    return f"{reverse('form', args=address)}#item-{query.item_oid}"


def _answers_at(queries: list[Query]) -> dict[Any, FormData]:
    events, forms = {query.event_id for query in queries}, {query.form_oid for query in queries}
    rows = FormData.objects.filter(event__in=events, form_oid__in=forms, removed_in=None) if queries else []
    return {(row.event_id, row.form_oid, row.repeat_key): row for row in rows}


def _answer(study: StudyDef, item: ItemDef, row: FormData | None, zone: ZoneInfo) -> str:
    if row is None:
        return _("The form is not saved yet")
    return answer_words(study, item, Document(row.data, row.marks).answer(item.oid), zone)


def _acts(query: Query, user: AnyUser, study: Study) -> list[str]:
    rights = rights_at(user, study, query.subject.site)
    return [kind for kind in TRANSITIONS[QueryStatus(query.status)] if PERMISSION[kind] in rights]


def _step(message: QueryMessage, form: FormDef) -> Step:
    author = message.created_in
    return Step(
        kind=MessageKind(message.kind),
        label=str(message.get_kind_display()),
        text=_said(message, form) if message.by_rule else message.words,
        at=message.at,
        by="" if message.by_rule else author.actor_name,
        role="" if message.by_rule or not author.role else str(Role(author.role).label),
    )


def _said(message: QueryMessage, form: FormDef) -> str:
    """What the system said, in the reader's language; as it was stored when its words have changed since."""
    if message.kind != MessageKind.OPEN:
        return str(SAID[MessageKind(message.kind)])
    same = (check.message for check in form.checks if getattr(check.message, STORED_IN) == message.text)
    return str(next(same, message.text))
