"""What can be masked at an item, and the requests that wait or were decided (AUD-14)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse

from crf.models import ExportJob, ExportState, FormData, MaskRequest, QueryMessage
from crf.models.requests import WITH_VALUES
from crf.selectors.definitions import definition_for
from crf.selectors.loading import secrets_for
from crf.selectors.matrix import visit_label
from crf.selectors.trail import Reader, queries_told
from pallsoft.audit.models import ChangeSet
from pallsoft.audit.selectors import TrailRow, trail_for
from sites.permissions import AnyUser, Permission, at_sites
from sites.selectors import study_for
from trials.definition import ItemDef
from trials.models import Study


@dataclass(frozen=True)
class Place:
    """Something that was typed: a value of the trail (`value` a number) or a message of a query (an id)."""

    value: str
    at: datetime
    by: str
    text: str
    is_message: bool


@dataclass(frozen=True)
class Decision:
    """A request with its end. `where`: visit, form and question; `url`: the form, "" once it is removed.

    `holders`: files made since the value was typed, which may still hold it.
    """

    request: MaskRequest
    where: str
    url: str
    decided_by: str
    decided_at: datetime | None
    reason: str
    may_decide: bool
    holders: list[ExportJob]


def places_of(form: FormData, item_oid: str, user: AnyUser) -> list[Place]:
    """The oldest first: each value that was stored, and each message that a person wrote about the item.

    Only what the person may see.
    """
    study = definition_for(form)
    zone = ZoneInfo(form.subject.site.timezone)
    reader = Reader(study, study.form(form.form_oid), zone, secrets_for(user, form.subject))
    rows = reversed(trail_for(table="crf_formdata", row_id=form.pk, item=item_oid))
    found: dict[int, list[TrailRow]] = {}
    for row in rows:
        if row.new is not None and row.part and reader.shows(row):
            found.setdefault(row.change, []).append(row)
    values = [
        Place(str(change), rows[0].at, rows[0].actor_name, " · ".join(reader.words(row)[2] for row in rows), False)
        for change, rows in sorted(found.items())
    ]
    queries = queries_told(form, reader).filter(item_oid=item_oid)
    messages = QueryMessage.objects.filter(query__in=queries, by_rule=False).select_related("created_in")
    return [*values, *(Place(str(m.pk), m.at, m.created_in.actor_name, m.words, True) for m in messages.order_by("at"))]


def item_to_mask(form: FormData, item_oid: str, user: AnyUser) -> ItemDef:
    """An item of the form that the person may see. Raises Http404."""
    items = {item.oid: item for item in definition_for(form).form(form.form_oid).items}
    item = items.get(item_oid)
    if item is None or item_oid in secrets_for(user, form.subject).items:
        raise Http404
    return item


def mask_request_for(user: AnyUser, study_oid: str, request_id: UUID) -> MaskRequest:
    """A request at a site where the person may mask. Raises Http404."""
    study = study_for(user, study_oid, Permission.MASK)
    found: MaskRequest = get_object_or_404(_requests(user, study), pk=request_id)
    return found


def decisions_for(user: AnyUser, study: Study) -> list[Decision]:
    """Those that wait first, then the newest."""
    requests = list(_requests(user, study))
    ends = ChangeSet.objects.in_bulk([r.confirmed_in or r.refused_in for r in requests if not r.is_waiting])
    files = list(
        ExportJob.objects.filter(
            study=study,
            state=ExportState.DONE,
            kind__in=WITH_VALUES,
        ).select_related("requested_by", "subject")
    )
    found = [_decision(request, ends, files, user) for request in requests]
    return sorted(found, key=lambda decision: not decision.request.is_waiting)


def _decision(request: MaskRequest, ends: dict[Any, ChangeSet], files: Iterable[ExportJob], user: AnyUser) -> Decision:
    row, event = request.form_data, request.form_data.event
    study = definition_for(row)
    form = study.form(row.form_oid)
    address = [request.study.oid, request.subject.number, *event.key, row.form_oid, row.repeat_key]
    end = ends.get(request.confirmed_in or request.refused_in)
    first = row.created_in.at
    holders = [
        job
        for job in files
        if job.requested_at >= first and job.subject_id in (None, request.subject_id)
        if end is None or job.requested_at <= end.at
    ]
    item = next((item for item in form.items if item.oid == request.item_oid), None)
    question = (
        str(item.label) if item and item.oid not in secrets_for(user, request.subject).items else request.item_oid
    )
    return Decision(
        request=request,
        where=" · ".join((visit_label(event, study.event(event.event_oid)), str(form.title), question)),
        url="" if row.removed_in else reverse("form", args=address),
        decided_by=end.actor_name if end else "",
        decided_at=end.at if end else None,
        reason=end.reason if end else "",
        may_decide=request.is_waiting and request.requested_by_id != user.pk,
        holders=holders if request.confirmed_in else [],
    )


def _requests(user: AnyUser, study: Study) -> Any:
    found = MaskRequest.objects.filter(study=study, **at_sites(user, study, Permission.MASK, field="subject__site"))
    return found.select_related("subject__site", "study", "form_data__event", "form_data__created_in", "requested_by")
