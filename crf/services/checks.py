"""Soft checks and their queries: a check that finds something asks why, and takes the question back when it is right.

Only a true violation opens a query and only true satisfaction closes it; what is unknown leaves it as it is (D7). Runs
in the transaction of the change, under the lock on the subject, so that a check never asks twice.
"""

from collections import defaultdict
from collections.abc import Mapping, Set
from uuid import UUID

from django.utils import translation

from crf.entry.document import Document, Fired, Settled
from crf.models import FormData, MessageKind, Query, QueryStatus
from crf.queries import STANDING, STORED_IN
from crf.services import threads
from sites.models import Subject
from trials.definition import EditCheck, StudyDef
from trials.scope import compiled

K = MessageKind


def follow_checks(row: FormData, study: StudyDef, before: Document, settled: Settled, changed: Set[str]) -> None:
    """Open, answer and close the queries of the form's soft checks, within the present change set.

    `before`: the document as it was; `changed`: the OIDs of its items whose answers changed.
    """
    form = study.form(row.form_oid)
    checks = [check for check in form.checks if check.severity == "soft"]
    fired = {one.oid: one for one in settled.fired}
    if not checks or (row.version == 1 and not any(check.oid in fired for check in checks)):
        return
    told = {key: why for mark in before.marks.values() for key, why in mark.get("checks", {}).items()}
    standing = {query.check_oid: query for query in _standing(row)}
    for check in checks:
        query, found = standing.get(check.oid), fired.get(check.oid)
        if found is None:
            if query and settled.outcome.checks[check.oid] is False:
                threads.move(query, K.CLOSE, threads.said(K.CLOSE), by_rule=True)
            continue
        names = compiled(study, check.violated_if, form.oid).names
        is_new = found.key not in told or not changed.isdisjoint(names)
        if query is None and is_new:
            query = _asked(row, study, check, _stands_at(study, check, settled, changed))
        _explained(query, found, is_new=is_new, is_told=bool(found.why) and told.get(found.key) != found.why)


Place = tuple[UUID, str, str]


def asking_checks(subject: Subject) -> dict[Place, set[str]]:
    """The checks whose queries stand at each saved form of the subject."""
    found: dict[Place, set[str]] = defaultdict(set)
    standing = Query.objects.filter(subject=subject, status__in=STANDING).exclude(check_oid="")
    for event, form_oid, repeat_key, check in standing.values_list("event", "form_oid", "repeat_key", "check_oid"):
        found[event, form_oid, repeat_key].add(check)
    return found


def settles_a_query(row: FormData, settled: Settled, asking: Mapping[Place, set[str]]) -> bool:
    """Is a check satisfied now that asked before and was unknown since? The form itself need not change by that."""
    checks = asking.get((row.event_id, row.form_oid, row.repeat_key), set())
    return any(settled.outcome.checks.get(oid) is False for oid in checks)


def _standing(row: FormData) -> list[Query]:
    """The queries of checks that stand at a form."""
    found = Query.objects.filter(
        event=row.event, form_oid=row.form_oid, repeat_key=row.repeat_key, status__in=STANDING
    ).exclude(check_oid="")
    return list(found.select_related("created_in", "subject__site"))


def _stands_at(study: StudyDef, check: EditCheck, settled: Settled, changed: Set[str]) -> str:
    """Of the items that the check names: the one that a person has just changed, else the first that has an answer."""
    asked = [oid for oid in check.items if oid in settled.outcome.items] or list(check.items)
    typed = [oid for oid in asked if oid in changed and not study.item(oid).derived]
    answered = [oid for oid in asked if settled.document.answer(oid)]
    return (typed or answered or asked)[0]


def _asked(row: FormData, study: StudyDef, check: EditCheck, item_oid: str) -> Query:
    with translation.override(STORED_IN):
        text = str(check.message)
    query = Query(
        study=row.study,
        subject=row.subject,
        event=row.event,
        form_oid=row.form_oid,
        repeat_key=row.repeat_key,
        item_oid=item_oid,
        form_data=row,
        check_oid=check.oid,
        check_version=study.version,
        assigned_role=threads.site_role(row.subject.site),
    )
    return threads.open_query(query, text, by_rule=True)


def _explained(query: Query | None, found: Fired, *, is_new: bool, is_told: bool) -> None:
    """An explanation given with the save is the answer; one that was of earlier answers does not count any more."""
    if query is None:
        return
    if found.why and (is_new or is_told):
        threads.move(query, K.ANSWER, found.why)
    elif is_new and not found.why and query.status == QueryStatus.ANSWERED:
        threads.move(query, K.REOPEN, threads.said(K.REOPEN), by_rule=True)
