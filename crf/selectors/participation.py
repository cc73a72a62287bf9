"""The page of a subject's participation: what holds now, what is still to be done, and how it came to this."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.models import Query, QueryStatus
from crf.schedule import VisitState, state_of
from crf.selectors.contacts import contacts_after_death, last_known_alive
from crf.selectors.matrix import visit_label, visit_url
from pallsoft.audit.models import ChangeSet, ItemChange
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.registry import kinds_to_participants
from sites.days import first_day, shown
from sites.models import AliveInRecord, Death, Erasure, Stop, StopKind, Subject
from sites.participation import Participation
from sites.permissions import AnyUser, Permission, has_permission
from sites.reconsent import must_reconsent
from sites.selectors import consents_of
from sites.services.death import CAUSE
from sites.services.lost import attempts_left


@dataclass(frozen=True)
class Step:
    """One line of the history. `day`: when it happened; `recorded`: "name, time" of who wrote it down."""

    day: date
    words: str
    recorded_by: str
    recorded_at: datetime
    note: str = ""
    ended: bool = False
    alive: UUID | None = None  # the sign of life that stands, to take back


@dataclass(frozen=True)
class Standing:
    """Something that holds now, and whether this person may take it back."""

    words: str
    day: str
    row: Death | Stop


def page_of(answers: SubjectAnswers, user: AnyUser) -> dict[str, Any]:
    """Everything that the template shows."""
    subject, participation = answers.subject, answers.participation
    may = {
        "record": has_permission(user, Permission.RECORD_CONSENT, subject.study, subject.site),
        "erase": has_permission(user, Permission.ERASE, subject.study, subject.site),
    }
    return {
        "subject": subject,
        "participation": participation,
        "may_record": may["record"] and not participation.is_erased,
        "may_confirm_samples": may["record"],
        "may_erase": may["erase"],
        "standing": list(standing_now(participation)),
        "last_known_alive": last_known_alive(answers),
        "after_death": _after_death(answers),
        "owed_before": list(_owed_before(answers)),
        "open_queries": Query.objects.filter(
            subject=subject, status__in=[QueryStatus.OPEN, QueryStatus.ANSWERED]
        ).count(),
        "samples": list(subject.sample_tasks.filter(dropped_in=None)),
        "reconsent": next((version for _subject, version in must_reconsent([subject])), ""),
        "erasure": participation.erasure,
        "attempts_left": attempts_left(subject),
        "messages_to_participant": list(_messages(subject)),
        "steps": sorted(_steps(subject), key=lambda step: (step.day, step.recorded_at), reverse=True),
    }


def standing_now(participation: Participation) -> Iterator[Standing]:
    """Death and stops that hold today; none for one who takes part in everything."""
    if participation.death:
        yield Standing(_("Dead"), shown(participation.death.day), participation.death)
    for kind in StopKind:
        if kind in participation.stops:
            stop = participation.stops[kind]
            yield Standing(_stopped_now(stop), shown(stop.day), stop)


def _stopped_now(stop: Stop) -> str:
    if stop.kind == StopKind.LOST:
        return _("Lost to follow-up")
    words = _("Stopped: %(what)s") % {"what": stop.get_kind_display()}
    return f"{words} – {stop.get_data_wish_display()}" if stop.data_wish else words


def _after_death(answers: SubjectAnswers) -> list[date]:
    """Contacts that contradict the recorded death: one of the two is wrong."""
    last = answers.participation.last_possible_day
    return contacts_after_death(answers, last) if last else []


def _owed_before(answers: SubjectAnswers) -> Iterator[dict[str, str]]:
    """Visits that were due before the end and nobody has entered: the staff still owes them."""
    if answers.participation.state is None:
        return
    for event in answers.events:
        if state_of(event, answers.today_at_site) in (VisitState.DUE, VisitState.OVERDUE):
            event.subject = answers.subject
            label = visit_label(event, answers.study.event(event.event_oid))
            yield {"label": label, "url": visit_url(event)}


def _messages(subject: Subject) -> Iterator[dict[str, Any]]:
    """Messages to the participant that were cancelled, and those that went out although the death came before."""
    causes = {CAUSE: _("Dead")} | {kind.value: str(kind.label) for kind in StopKind}
    died = Death.objects.standing().filter(subject=subject).first()
    found = Message.objects.filter(subject_id=subject.pk, kind__in=kinds_to_participants()).order_by("due_at")
    for message in found:
        if message.state == State.CANCELLED:
            yield {"at": message.due_at, "sent": False, "cause": causes.get(message.cause, message.cause)}
        elif died and died.day and message.sent_at and localdate(message.sent_at) >= first_day(died.day):
            yield {"at": message.sent_at, "sent": True, "cause": ""}


def _steps(subject: Subject) -> Iterator[Step]:
    change_sets = _change_sets(subject)
    for consent, options in consents_of(subject):
        note = _("Recorded wrongly, superseded") if consent.is_superseded else ""
        words = _("Signed version %(version)s of the consent form") % {"version": consent.version}
        yield _step(localdate(consent.signed_at), words, change_sets[consent.created_in_id], note, bool(note))
        for shown_option in options:
            withdrawn = change_sets.get(shown_option.option.pk)  # on its own; with a stop the stop says it
            if withdrawn:
                words = _("Withdrawn: %(option)s") % {"option": shown_option.label}
                yield _step(localdate(withdrawn.at), words, withdrawn, withdrawn.reason)
    for death in subject.deaths.all():
        words = _("Died %(day)s · %(cause)s · %(place)s") % {
            "day": shown(death.day),
            "cause": death.get_cause_display(),
            "place": death.get_place_display(),
        }
        yield from _recorded_and_ended(death, words, change_sets)
    for stop in subject.stops.all():
        yield from _recorded_and_ended(stop, _stopped(stop), change_sets)
    for attempt in subject.contact_attempts.all():
        words = f"{attempt.get_way_display()}: {attempt.get_result_display()}"
        yield _step(localdate(attempt.tried_at), words, change_sets[attempt.created_in_id])
    for seen in subject.alive_in_record.all():
        if seen.day:
            yield from _alive_steps(seen, change_sets)
    for task in subject.sample_tasks.exclude(done_on=None):
        words = _("Samples destroyed: %(confirmation)s") % {"confirmation": task.confirmation}
        yield _step(task.done_on or task.due_on, words, change_sets[task.created_in_id])
    for wish in subject.erasures.all():
        yield from _erasure_steps(wish, change_sets)


def _stopped(stop: Stop) -> str:
    if stop.kind == StopKind.LOST:
        return _("Lost to follow-up from %(day)s") % {"day": shown(stop.day)}
    words = _("Stopped from %(day)s: %(what)s") % {"day": shown(stop.day), "what": stop.get_kind_display()}
    return f"{words} – {stop.get_data_wish_display()}" if stop.data_wish else words


def _alive_steps(seen: AliveInRecord, change_sets: dict[UUID, ChangeSet]) -> Iterator[Step]:
    recorded, *ended = _recorded_and_ended(seen, _("Alive in the hospital record"), change_sets)
    yield recorded if ended else replace(recorded, alive=seen.pk)
    yield from ended


def _recorded_and_ended(
    row: Death | Stop | AliveInRecord, words: str, change_sets: dict[UUID, ChangeSet]
) -> Iterator[Step]:
    recorded = change_sets[row.created_in_id]
    day = first_day(str(row.day)) if row.day else localdate(recorded.at)
    note = getattr(row, "told_reason", "")
    yield _step(day, words, recorded, note, ended=bool(row.ended_in))
    if row.ended_in:
        ended = change_sets[row.ended_in]
        again = getattr(row, "lifted_by", None)
        what = _("Taken up again by a new consent: %(what)s") if again else _("Taken back: %(what)s")
        yield _step(localdate(ended.at), what % {"what": words}, ended, ended.reason)


def _erasure_steps(wish: Erasure, change_sets: dict[UUID, ChangeSet]) -> Iterator[Step]:
    recorded = change_sets[wish.created_in_id]
    yield _step(wish.wished_on, _("Asked for erasure of the data"), recorded, ended=bool(wish.declined_in))
    if wish.declined_in:
        declined = change_sets[wish.declined_in]
        yield _step(localdate(declined.at), _("The data are not erased"), declined, declined.reason)
    if wish.erased_at and wish.erased_by:
        words = _("The data were erased")
        yield Step(localdate(wish.erased_at), words, wish.erased_by.full_name, wish.erased_at, wish.exceptions)


def _step(day: date, words: str, recorded: ChangeSet, note: str = "", ended: bool = False) -> Step:
    return Step(day, words, recorded.actor_name, recorded.at, note, ended)


def _change_sets(subject: Subject) -> dict[UUID, ChangeSet]:
    """Who wrote each row and who ended it; and, by consent option, who withdrew it."""
    rows: list[Any] = [*subject.consents.all(), *subject.deaths.all(), *subject.stops.all()]
    rows += [*subject.contact_attempts.all(), *subject.alive_in_record.all()]
    rows += [*subject.sample_tasks.all(), *subject.erasures.all()]
    ends = [getattr(row, name, None) for row in rows for name in ("created_in_id", "ended_in", "declined_in")]
    ids = [end for end in ends if end]
    found = {change.pk: change for change in ChangeSet.objects.filter(pk__in=ids)}
    return found | _withdrawals(subject)


def _withdrawals(subject: Subject) -> dict[UUID, ChangeSet]:
    """{consent option: who withdrew it on its own}"""
    changes = ItemChange.objects.filter(
        tbl="sites_consentoption",
        item="withdrawn_at",
        row_id__in=list(subject.consent_options.exclude(withdrawn_at=None).values_list("pk", flat=True)),
        change_set__action="sites.withdraw_consent_option",
    )
    return {change.row_id: change.change_set for change in changes.select_related("change_set").order_by("pk")}
