"""May this visit or form change now? Each refusal is a sentence; pages ask the boolean form of the same function."""

from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _

from crf.models import FormData, FormStatus, Lock, LockKind, StudyEvent
from pallsoft.errors import NotAllowedNow, PallsoftError
from sites.models import Site
from sites.participation import Participation
from sites.policies import check_can_enter
from sites.selectors import definition_at
from trials.definition import FormDef


def check_can_enter_form(event: StudyEvent, form: FormDef, *, consented: bool) -> None:
    """Raises NotAllowedNow. `consented`: whether the subject has given consent."""
    check_can_enter(event.subject.site)
    if not (consented or form.before_consent):
        raise NotAllowedNow(_("Record the consent of the subject first."))
    if event.not_done_reason:
        raise NotAllowedNow(_("The visit is marked as not done. Take that mark away first."))
    if is_locked(event, form.oid):
        raise NotAllowedNow(_("The form is locked. Ask the data manager to unlock it."))


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
    if participation.is_erased:
        raise NotAllowedNow(_("The data of this subject are erased. Nothing more is recorded under this number."))
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


def check_can_change_event(event: StudyEvent) -> None:
    """Raises NotAllowedNow when the visit itself may not be dated, moved or marked as not done."""
    check_can_enter(event.subject.site)
    if is_locked(event, ""):
        raise NotAllowedNow(_("The visit is locked. Ask the data manager to unlock it."))


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
    """Raises NotAllowedNow for a locked form; a frozen one waits for its queries to be answered."""
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
    """Raises NotAllowedNow while there is nothing to sign or something is not finished; locked data can be signed."""
    check_can_enter(site)
    if not forms:
        raise NotAllowedNow(_("There is nothing to sign: no form is saved here yet."))
    if any(form.status != FormStatus.COMPLETE for form in forms):
        raise NotAllowedNow(
            _("Not everything is complete yet. Answer what is missing, or say why it is missing, first.")
        )
    if any(form.removed_in for form in forms):
        raise NotAllowedNow(_("The form has been removed."))


def is_locked(event: StudyEvent, form_oid: str) -> bool:
    """Does a lock on any path cover the form? The database asks the same again at the write (DAT-15)."""
    locks = Lock.objects.filter(study_id=event.study_id, lifted_in=None)
    return any(covers(lock, event, form_oid, event.subject.site_id) for lock in locks)


def covers(lock: Lock, event: StudyEvent, form_oid: str, site_id: UUID) -> bool:
    """Does this lock's path lead to the form, also one that is not there yet (PC073)?"""
    return (
        lock.site_id in (None, site_id)
        and lock.subject_id in (None, event.subject_id)
        and lock.event_id in (None, event.pk)
        and lock.form_oid in ("", form_oid)
    )
