"""Queries: raised at an item, answered by the site, closed by who watches over the data. None changes an answer."""

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from crf.entry.refusal import Refused
from crf.entry.texts import note
from crf.models import FormData, MessageKind, Query, QueryStatus, StudyEvent
from crf.policies import check_can_query
from crf.queries import PERMISSION, STANDING
from crf.selectors.place import NEW, place_of
from crf.services import replays, threads
from crf.services.visits import explained, lock_subject, lock_subjects, stored
from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.acting import acting
from sites.permissions import Permission, roles_with

K = MessageKind


def raise_query(
    *,
    event: StudyEvent,
    form_oid: str,
    repeat_key: str = "1",
    item_oid: str,
    text: str,
    key: uuid.UUID,
    by: User,
    assigned_role: str = "",
) -> Query:
    """Ask the site about an item, also of a form that nobody has saved, or one without an answer.

    `assigned_role`: whose turn it is, "" for who usually answers at the site. `key`: the same one gives
    the same query again. Raises InvalidInput, NotPermitted, NotAllowedNow.
    """
    text = _told(text, _("Write what you ask about."))
    site = event.subject.site
    body = replays.digest([event.subject_id, event.key, form_oid, repeat_key, item_oid, text, assigned_role])
    with acting(Permission.RAISE_QUERY, study=event.study, by=by, action="crf.raise_query", site=site):
        event.subject = lock_subject(event.subject)
        answer = replays.answered(key=key, by=by, body_sha256=body)
        if answer is not None:
            return Query.objects.get(pk=answer["query"])
        place = place_of(event, form_oid, repeat_key)
        check_can_query(place.event, form_oid)
        if repeat_key == NEW or item_oid not in place.form.item_oids:
            raise InvalidInput({"item": [_("The form has no such question. Open the form again.")]})
        query = threads.open_query(
            Query(
                study=place.event.study,
                subject=place.subject,
                event=stored(place.event),
                form_oid=form_oid,
                repeat_key=repeat_key,
                item_oid=item_oid,
                form_data=place.row,
                assigned_role=_role(assigned_role) or threads.site_role(site),
            ),
            text,
        )
        replays.remember(key=key, by=by, body_sha256=body, response={"query": str(query.pk)})
    return query


def answer_query(*, query: Query, text: str, by: User) -> Query:
    """The site's answer. Raises InvalidInput without one, NotPermitted, NotAllowedNow."""
    text = _told(text, _("Write an answer."))
    return _step(query, K.ANSWER, text, by)


def close_query(*, query: Query, reason: str, by: User) -> Query:
    """Settle a query; no answer changes by it. Raises InvalidInput without a reason, NotPermitted, NotAllowedNow."""
    return _step(query, K.CLOSE, explained(reason, _("Say why the query is closed.")), by)


def reopen_query(*, query: Query, reason: str, by: User) -> Query:
    """Ask again. Raises as close_query, and when the same check asks anew already."""
    return _step(query, K.REOPEN, explained(reason, _("Say why the query is opened again.")), by)


def cancel_query(*, query: Query, reason: str, by: User) -> Query:
    """Take back a query that should not have been asked. Raises as close_query."""
    return _step(query, K.CANCEL, explained(reason, _("Say why the query is taken back.")), by)


def close_queries(*, queries: Sequence[Query], reason: str, by: User) -> list[Query]:
    """Close answered queries together, each in a change set of its own; all or none.

    Raises as close_query, and NotAllowedNow when one of them is not answered.
    """
    reason = explained(reason, _("Say why the queries are closed."))
    with transaction.atomic():
        lock_subjects(query.subject for query in queries)
        return [_step(query, K.CLOSE, reason, by, answered=True) for query in queries]


def cancel_queries_of(row: FormData) -> None:
    """A form that is removed takes its standing queries along, within the present change set."""
    standing = Query.objects.filter(
        event=row.event, form_oid=row.form_oid, repeat_key=row.repeat_key, status__in=STANDING
    )
    for query in standing:
        threads.move(query, K.CANCEL, threads.said(K.CANCEL), by_rule=True)


def _step(query: Query, kind: MessageKind, text: str, by: User, *, answered: bool = False) -> Query:
    subject = query.subject
    reason = "" if kind == K.ANSWER else text
    action = f"crf.{kind}_query"
    with acting(PERMISSION[kind], study=query.study, by=by, action=action, reason=reason, site=subject.site):
        subject = lock_subject(subject)
        query = Query.objects.select_related("event", "study", "created_in").get(pk=query.pk)
        query.subject = query.event.subject = subject
        check_can_query(query.event, query.form_oid)
        if answered and query.status != QueryStatus.ANSWERED:
            raise NotAllowedNow(_("One of the queries is not answered any more. Look at the list again."))
        if kind == K.REOPEN:
            _check_not_asked_anew(query)
        threads.move(query, kind, text)
    return query


def _told(text: str, ask: str) -> str:
    try:
        told = note(text)
    except Refused as refusal:
        raise InvalidInput({"text": [refusal.sentence]}) from None
    if not told:
        raise InvalidInput({"text": [ask]})
    return told


def _role(given: str) -> str:
    if given and given not in roles_with(Permission.ENTER_DATA):
        raise InvalidInput({"assigned_role": [_("Choose one of the roles on the list.")]})
    return given


def _check_not_asked_anew(query: Query) -> None:
    """Of one check at one place only one query stands (query_of_check_once)."""
    place = {"event": query.event, "form_oid": query.form_oid, "repeat_key": query.repeat_key}
    standing = Query.objects.filter(**place, check_oid=query.check_oid, status__in=STANDING).exclude(pk=query.pk)
    if query.check_oid and standing.exists():
        raise NotAllowedNow(_("The check asks about it anew already. Go on in that query."))
