"""May this visit or form change now? Each refusal is a sentence; pages ask the boolean form of the same function."""

from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _

from crf.models import EVENT_TRANSITIONS, EventState, FormData, FormStatus, Lock, LockKind, StudyEvent
from crf.selectors.locks import lock_sentence, strongest
from pallsoft.errors import NotAllowedNow, PallsoftError
from pallsoft.request import once
from sites.models import Site, SubjectStatus
from sites.participation import Participation, participation_of
from sites.policies import check_can_enter, check_not_erased
from sites.selectors import definition_at
from trials.definition import FormDef, StudyDef


def check_can_enter_form(event: StudyEvent, form: FormDef, *, consented: bool) -> None:
    """Raises NotAllowedNow. `consented`: whether the subject has given consent."""
    check_can_enter(event.subject.site)
    if not (consented or form.before_consent):
        raise NotAllowedNow(_("Record the consent of the subject first."))
    if event.not_done_reason:
        raise NotAllowedNow(_("The visit is marked as not done. Take that mark away first."))
    if lock := standing_lock(event, form.oid):
        raise NotAllowedNow(lock_words(lock))


def lock_words(lock: Lock) -> str:
    """Why a form is closed: since when, by whom, and whom to ask."""
    return lock_sentence(lock, _("The form is %(state)s, %(day)s by %(name)s. Ask the data manager to unlock it."))


def visit_lock_words(lock: Lock) -> str:
    return lock_sentence(lock, _("The visit is %(state)s, %(day)s by %(name)s. Ask the data manager to unlock it."))


def can_enter_form(event: StudyEvent, form: FormDef, *, consented: bool) -> bool:
    """The yes or no of `check_can_enter_form`."""
    try:
        check_can_enter_form(event, form, consented=consented)
    except PallsoftError:
        return False
    return True


def check_may_collect(event: StudyEvent, participation: Participation, day: date) -> None:
    """Raises NotAllowedNow for what was observed after the consent was withdrawn: nobody may collect it (PRV-03).

    What was observed until then may still be entered and corrected.
    """
    check_not_erased(participation.is_erased)
    definition = definition_at(event.subject.site).event(event.event_oid)
    end = participation.collection_ends(from_registers=definition.from_registers)
    if end and day > end:
        raise NotAllowedNow(
            _(
                "The participant withdrew on %(day)s: nothing observed after that day may be entered. "
                "If it was observed before, write when."
            )
            % {"day": f"{end:%d.%m.%Y}"}
        )


def check_may_be_asked(participation: Participation) -> None:
    """Raises NotAllowedNow for a participant who answers no more questionnaires, or cannot."""
    if not participation.may_be_written_to:
        raise NotAllowedNow(_("The participant answers no more questionnaires. Nothing is handed over."))


def check_can_change_event(event: StudyEvent) -> None:
    """Raises NotAllowedNow when the visit itself may not be dated, moved or marked as not done."""
    check_can_enter(event.subject.site)
    if lock := standing_lock(event, ""):
        raise NotAllowedNow(visit_lock_words(lock))


def check_can_become(event: StudyEvent, to: EventState, study: StudyDef) -> None:
    """Raises NotAllowedNow unless the visit may be recorded as `to` from what it is now."""
    if study.event(event.event_oid).kind == "log":
        raise NotAllowedNow(_("What is entered whenever it happens is no visit: it has no day."))
    if to not in EVENT_TRANSITIONS[event.state]:
        raise NotAllowedNow(
            _("The visit is marked as not done. Take that mark away first.")
            if event.state is EventState.NOT_DONE
            else _("The visit is not marked as not done.")
        )
    if to is EventState.NOT_DONE and event.happened_on and event.forms.filter(removed_in=None).exists():
        raise NotAllowedNow(_("Forms are saved at the visit, so it was done. If they do not belong here, remove them."))


def check_can_add_event(event: StudyEvent, study: StudyDef) -> None:
    """Raises NotAllowedNow unless the visit is of a kind that nobody plans, in a study that has it."""
    if not study.has_event(event.event_oid) or study.event(event.event_oid).kind != "unscheduled":
        raise NotAllowedNow(_("Only a visit that the plan does not have can be added."))
    if event.subject.status != SubjectStatus.RANDOMIZED:
        raise NotAllowedNow(_("Visits are added after randomisation."))
    check_can_change_event(event)


def can_change_event(event: StudyEvent) -> bool:
    """The yes or no of `check_can_change_event`."""
    try:
        check_can_change_event(event)
    except PallsoftError:
        return False
    return True


def check_can_void(form: FormData) -> None:
    """Raises NotAllowedNow for a form that is removed already."""
    check_can_change_event(form.event)
    if form.removed_in:
        raise NotAllowedNow(_("The form has been removed already."))


def check_can_query(event: StudyEvent, form_oid: str) -> None:
    """Raises NotAllowedNow for a locked form and an erased subject; what is frozen waits for its queries."""
    check_not_erased(participation_of(event.subject).is_erased)
    locks = Lock.objects.filter(study_id=event.study_id, lifted_in=None, kind=LockKind.LOCK)
    if any(covers(lock, event, form_oid, event.subject.site_id) for lock in locks):
        raise NotAllowedNow(_("The form is locked, so its queries do not change. Ask the data manager to unlock it."))


def can_query(event: StudyEvent, form_oid: str) -> bool:
    """The yes or no of `check_can_query`."""
    try:
        check_can_query(event, form_oid)
    except PallsoftError:
        return False
    return True


def check_can_sign(site: Site, forms: list[FormData]) -> None:
    """Raises NotAllowedNow while there is nothing to sign or something is not finished. A lock is no hindrance."""
    check_can_enter(site)
    if not forms:
        raise NotAllowedNow(_("There is nothing to sign: no form is saved here yet."))
    if any(form.status != FormStatus.COMPLETE for form in forms):
        raise NotAllowedNow(
            _("Not everything is complete yet. Answer what is missing, or say why it is missing, first.")
        )
    if any(form.removed_in for form in forms):
        raise NotAllowedNow(_("The form has been removed."))


def check_can_follow(form: FormData, title: str) -> None:
    """Raises NotAllowedNow when `form` would change with the one that is saved, and is closed.

    What is computed from another form must not be stale, and what is locked must not change: so the save is refused
    as a whole, and the sentence says which form to have unlocked.
    """
    if lock := standing_lock(form.event, form.form_oid):
        what = _(
            "Nothing was stored: the form “%(title)s” would change with it, and is %(state)s, %(day)s by %(name)s."
        )
        raise NotAllowedNow(lock_sentence(lock, what, title=title))


def check_can_move(events: list[StudyEvent], study: StudyDef) -> None:
    """Raises NotAllowedNow when one of the visits would be planned anew, and is closed."""
    locks = _locks(events[0])
    for event in events:
        if lock := _strongest(locks, event, ""):
            what = _(
                "Nothing was stored: the visit “%(title)s” would move with it, and is %(state)s, %(day)s by %(name)s."
            )
            raise NotAllowedNow(lock_sentence(lock, what, title=study.event(event.event_oid).label))


def standing_lock(event: StudyEvent, form_oid: str) -> Lock | None:
    """The strongest lock on any path to the form. The database asks the same again at the write (DAT-15)."""
    return _strongest(_locks(event), event, form_oid)


def _locks(event: StudyEvent) -> list[Lock]:
    return once(("locks", event.study_id), lambda: standing_locks(event.study_id))


def standing_locks(study: UUID) -> list[Lock]:
    """All of a study. In SQL of our own, as every page asks and there are few."""
    return list(Lock.objects.raw("SELECT * FROM crf_lock WHERE study_id = %s AND lifted_in IS NULL", [study]))


def _strongest(locks: list[Lock], event: StudyEvent, form_oid: str) -> Lock | None:
    return strongest(lock for lock in locks if covers(lock, event, form_oid, event.subject.site_id))


def covers(lock: Lock, event: StudyEvent, form_oid: str, site_id: UUID) -> bool:
    """Does this lock's path lead to the form, also one that is not there yet (PC073)?"""
    return (
        lock.site_id in (None, site_id)
        and lock.subject_id in (None, event.subject_id)
        and lock.event_id in (None, event.pk)
        and lock.form_oid in ("", form_oid)
    )
