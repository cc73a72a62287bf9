"""Eligibility: confirmed by a delegated physician, or failed. No role can waive a criterion."""

from django.utils.translation import gettext as _

from crf.models import Meaning, Signature
from crf.selectors.eligibility import Eligibility, eligibility_of
from crf.selectors.signing import Signable
from crf.services.signing import write_signature
from crf.services.visits import explained, lock_subject
from pallsoft.accounts.models import User
from pallsoft.audit.anchors import anchor
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from sites.acting import acting
from sites.models import Subject, SubjectStatus, Task
from sites.permissions import Permission, require, require_task
from sites.policies import check_can_enter
from sites.services import forget_contact
from trials.eligibility import Verdict


def confirm_eligibility(*, subject: Subject, by: User) -> Signature:
    """The physician's signature under the criteria as they stand; asking again gives the one that stands.

    It binds the eligibility form and every form that a computed criterion was found from; the database voids it when
    one of them changes. Raises NotPermitted with whom to ring, NotAllowedNow with the criteria in the way.
    """
    site = subject.site
    delegation = require_task(by, Task.CONFIRM_ELIGIBILITY, site)
    role = require(by, Permission.CONFIRM_ELIGIBILITY, subject.study, site)
    with change_set(study=subject.study, by=by, action="crf.confirm_eligibility", role=role, site=site):
        subject = lock_subject(subject)
        check_can_enter(subject.site)
        found = eligibility_of(subject)
        if found.signature:
            return found.signature
        _check_fits(found)
        signable = Signable(subject, found.event, found.row, found.source_rows, [])
        anchor(subject.study, "signature")
        return write_signature(signable, meaning=Meaning.ELIGIBILITY, by=by, delegation=delegation)


def record_screen_failure(*, subject: Subject, by: User, reason: str = "") -> Subject:
    """End the screening attempt. The criteria that are not met are the reason; without one, `reason` must say it.

    Raises NotAllowedNow for a subject who is not in screening, InvalidInput without any reason.
    """
    not_met = [_named(verdict) for verdict in eligibility_of(subject).not_met]
    ask = "" if not_met else _("No criterion speaks against: say why the screening ends.")
    told = "; ".join([*not_met, explained(reason, ask)]).removesuffix("; ")
    with acting(
        Permission.ENTER_DATA,
        study=subject.study,
        by=by,
        action="crf.record_screen_failure",
        reason=told,
        site=subject.site,
    ):
        subject = lock_subject(subject)
        check_can_enter(subject.site)
        if subject.status != SubjectStatus.SCREENING:
            raise NotAllowedNow(_("The subject is not in screening."))
        subject.status = SubjectStatus.SCREEN_FAILURE
        subject.save(update_fields=["status"])
        forget_contact(subject)
    return subject


def _check_fits(found: Eligibility) -> None:
    if found.answers.subject.status != SubjectStatus.SCREENING:
        raise NotAllowedNow(_("The subject is not in screening."))
    if found.row is None or found.undecided:
        names = ", ".join(verdict.criterion.oid for verdict in found.undecided)
        raise NotAllowedNow(_("Not every criterion is answered yet: %(criteria)s.") % {"criteria": names})
    if found.not_met:
        names = ", ".join(verdict.criterion.oid for verdict in found.not_met)
        raise NotAllowedNow(
            _("The subject cannot be included: %(criteria)s. Nobody can waive a criterion.") % {"criteria": names}
        )


def _named(verdict: Verdict) -> str:
    return f"{verdict.criterion.oid} {verdict.criterion.label}"
