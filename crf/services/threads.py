"""The steps of a query's thread, for persons and for checks alike; always within a change set of the caller."""

from django.db.models import Max
from django.utils import translation
from django.utils.translation import gettext as _

from crf.models import MessageKind, Query, QueryMessage, QueryStatus
from crf.queries import SAID, STORED_IN, TRANSITIONS
from pallsoft.errors import NotAllowedNow
from sites.models import Role, Site
from sites.permissions import Permission, roles_at, roles_with

K = MessageKind
SITE_ROLES = (Role.STUDY_NURSE, Role.INVESTIGATOR, Role.PRINCIPAL_INVESTIGATOR)  # whose turn it is, in this order


def said(kind: MessageKind) -> str:
    """The system's own sentence of a step, as it is stored."""
    with translation.override(STORED_IN):
        return str(SAID[kind])


def open_query(query: Query, text: str, *, by_rule: bool = False) -> Query:
    """Store a new query with the first message of its thread."""
    query.save(force_insert=True)
    _add(query, 1, K.OPEN, text, by_rule)
    return query


def move(query: Query, kind: MessageKind, text: str, *, by_rule: bool = False) -> None:
    """One allowed step; it becomes the turn of who has to act next.

    Raises NotAllowedNow for a step that the status does not have.
    """
    after = TRANSITIONS[QueryStatus(query.status)].get(kind)
    if after is None:
        raise NotAllowedNow(_("The query cannot take this step now. It is: %(state)s.") % {"state": _state(query)})
    query.status, query.assigned_role = after, _turn_after(query, kind)
    query.save(update_fields=["status", "assigned_role"])
    last = query.messages.aggregate(last=Max("step"))["last"]
    _add(query, last + 1, kind, text, by_rule)


def site_role(site: Site) -> Role:
    """Who at the site is asked when nobody says whom."""
    held = roles_at(site)
    return next((role for role in SITE_ROLES if role in held), SITE_ROLES[0])


def _add(query: Query, step: int, kind: MessageKind, text: str, by_rule: bool) -> None:
    QueryMessage.objects.create(study_id=query.study_id, query=query, step=step, kind=kind, text=text, by_rule=by_rule)


def _state(query: Query) -> str:
    return str(query.get_status_display()).lower()


def _turn_after(query: Query, kind: MessageKind) -> str:
    """An answer goes back to who asked, of a check to the monitor; what is asked again, to who answered last."""
    if kind == K.ANSWER:
        asked_as = query.created_in.role
        return asked_as if asked_as in roles_with(Permission.RAISE_QUERY) else Role.MONITOR
    if kind == K.REOPEN:
        answer = query.messages.filter(kind=K.ANSWER).select_related("created_in").last()
        answered_as = answer.created_in.role if answer else ""
        return answered_as if answered_as in roles_with(Permission.ENTER_DATA) else site_role(query.subject.site)
    return query.assigned_role
