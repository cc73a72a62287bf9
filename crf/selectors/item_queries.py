"""The threads at one item of one form, which may not be saved yet, or be removed again."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, QuerySet, Value, When
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.models import Query, StudyEvent
from crf.policies import can_query
from crf.queries import STANDING
from crf.selectors.crumbs import crumbs
from crf.selectors.loading import event_for, place_for, secrets_for
from crf.selectors.matrix import visit_label
from crf.selectors.place import NEW, Place
from crf.selectors.queries import Thread, threads_of, with_thread
from crf.selectors.visible import Definitions, visible_queries
from crf.selectors.words import answer_words
from sites.clock import database_now
from sites.models import Role, Subject
from sites.permissions import AnyUser, Permission, has_permission, roles_with
from trials.definition import ItemDef, StudyDef


@dataclass(frozen=True)
class ItemQueries:
    """`standing`, then `settled`, the oldest first. `may_raise`: by right, and the form is not locked."""

    address: dict[str, Any]
    event: StudyEvent
    answers: SubjectAnswers
    study: StudyDef
    item: ItemDef
    answer: str
    standing: list[Thread]
    settled: list[Thread]
    is_open: bool
    may_raise: bool
    form_url: str

    @property
    def subject(self) -> Subject:
        return self.event.subject

    @property
    def form_oid(self) -> str:
        return str(self.address["form_oid"])

    @property
    def repeat_key(self) -> str:
        return str(self.address["repeat_key"])

    @property
    def form_title(self) -> str:
        form = self.study.form(self.form_oid)
        return f"{form.title} {self.repeat_key}" if form.repeating else str(form.title)

    @property
    def visit(self) -> str:
        return visit_label(self.event, self.study.event(self.event.event_oid))

    @property
    def url(self) -> str:
        return reverse("item-queries", kwargs=self.address)

    @property
    def back_url(self) -> str:
        return f"{self.form_url}#item-{self.item.oid}" if self.form_url else ""

    @property
    def crumbs(self) -> list[dict[str, Any]]:
        form = (self.form_title, self.back_url) if self.back_url else self.form_title
        return crumbs(self.event, self.study, form, _("Queries"))

    @property
    def counts(self) -> dict[str, int]:
        """{chip status: how many}, of the standing ones, as crf.selectors.beside has them."""
        chips = [thread.chip for thread in self.standing]
        return {chip: chips.count(chip) for chip in dict.fromkeys(chips)}

    @property
    def roles(self) -> list[tuple[str, Any]]:
        """Whom a query can be put to."""
        return [(role.value, Role(role).label) for role in roles_with(Permission.ENTER_DATA)]


def item_queries_for(user: AnyUser, *, item_oid: str, **address: Any) -> ItemQueries:
    """Raises Http404: a foreign subject, no such item, one that would tell the arm, or a form that is not there."""
    event = event_for(user, address["study_oid"], address["number"], address["event_oid"], address["ordinal"])
    subject = event.subject
    queries = _at(event, address, item_oid, visible_queries(user, subject.study))
    threads = threads_of(with_thread(queries), user, subject.study, database_now())
    place = _place(user, address, needed=not threads)
    study = place.study if place and place.study.has_item(item_oid) else Definitions(subject.study).with_item(item_oid)
    item = _item(study, address["form_oid"], item_oid)
    if item_oid in secrets_for(user, subject).items:
        raise Http404
    is_open = can_query(event, address["form_oid"])
    return ItemQueries(
        address={**address, "item_oid": item_oid},
        event=event,
        answers=place.answers if place else SubjectAnswers(subject, study),
        study=study,
        item=item,
        answer=answer_words(study, item, place.current.answer(item_oid), place.zone) if place and place.row else "",
        standing=[thread for thread in threads if thread.query.status in STANDING],
        settled=[thread for thread in threads if thread.query.status not in STANDING],
        is_open=is_open,
        may_raise=bool(place) and address["repeat_key"] != NEW and is_open and _may_raise(user, subject),
        form_url=reverse("form", kwargs=address) if place else "",
    )


def _at(event: StudyEvent, address: dict[str, Any], item_oid: str, queries: QuerySet[Query]) -> QuerySet[Query]:
    if event._state.adding:
        return queries.none()
    there = {"form_oid": address["form_oid"], "repeat_key": address["repeat_key"], "item_oid": item_oid}
    standing = Case(When(status__in=STANDING, then=Value(0)), default=Value(1))
    return queries.filter(event=event, **there).order_by(standing, "opened_at", "pk")


def _place(user: AnyUser, address: dict[str, Any], *, needed: bool) -> Place | None:
    """None for a form that was removed, when threads of it are to be read."""
    try:
        return place_for(user, **address)
    except Http404:
        if needed:
            raise
    return None


def _item(study: StudyDef, form_oid: str, item_oid: str) -> ItemDef:
    if not study.has_item(item_oid) or study.form_of(item_oid).oid != form_oid:
        raise Http404
    return study.item(item_oid)


def _may_raise(user: AnyUser, subject: Subject) -> bool:
    return has_permission(user, Permission.RAISE_QUERY, subject.study, subject.site)
