"""What the state of a study and of a site allows now: entry until closed out, randomisation only while open."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from pallsoft.errors import NotAllowedNow
from sites.models import TRANSITIONS, Consent, ConsentOption, ScreeningEntry, ScreeningOutcome, Site, Subject
from trials.models import Status, Study

ENTRY_STATES = frozenset({Status.OPEN, Status.PAUSED, Status.CLOSED_TO_RECRUITMENT})


def can_enter(site: Site) -> bool:
    """Screening, consent and data: what has happened is stored until the site is closed out (S24)."""
    return site.status in ENTRY_STATES and site.study.status in ENTRY_STATES


def check_can_enter(site: Site) -> None:
    """Raises NotAllowedNow with the state of what stands in the way."""
    if not can_enter(site):
        raise NotAllowedNow(_("Nothing can be entered for %(site)s now: %(state)s.") % _standing(site, ENTRY_STATES))


def check_not_erased(erased: bool) -> None:
    """Raises NotAllowedNow once the data of the subject are erased."""
    if erased:
        raise NotAllowedNow(_("The data of this subject are erased. Nothing more is recorded under this number."))


def can_randomize(study: Study, site: Site) -> bool:
    """Only in an open study, at an open site, without an emergency stop (RND-01, RND-14)."""
    return study.randomization_open and study.status == Status.OPEN and site.status == Status.OPEN


def check_transition(current: str, to: str) -> None:
    """Raises NotAllowedNow unless a study or site may go from one state to the other."""
    if Status(to) not in TRANSITIONS[Status(current)]:
        raise NotAllowedNow(
            _("From “%(current)s” it cannot become “%(to)s”.")
            % {"current": Status(current).label, "to": Status(to).label}
        )


def check_pending(entry: ScreeningEntry) -> None:
    """Raises NotAllowedNow when the screening entry has already got its outcome."""
    if entry.outcome != ScreeningOutcome.PENDING:
        raise NotAllowedNow(
            _("Screening entry %(number)s is already closed: %(outcome)s.")
            % {"number": entry.own_number, "outcome": entry.get_outcome_display()}
        )


def check_can_withdraw(option: ConsentOption) -> None:
    """Raises NotAllowedNow unless the option was granted and still stands."""
    if not option.granted or option.withdrawn_at or option.consent.is_superseded:
        raise NotAllowedNow(_("This consent is not in force, so it cannot be withdrawn."))


def check_can_correct(consent: Consent) -> None:
    """Raises NotAllowedNow for a consent that a corrected one has superseded."""
    if consent.is_superseded:
        raise NotAllowedNow(_("This consent has been corrected already. Correct the one that stands."))


def _standing(site: Site, allowed: frozenset[Status]) -> dict[str, str]:
    """The state that stands in the way: the study's when it does, else the site's."""
    blocking = site.study if site.study.status not in allowed else site
    return {"site": str(site), "state": blocking.get_status_display()}


def consent_in_force(subject: Subject, required: set[str], at: datetime | None = None) -> bool:
    """Were all `required` options of the newest consent granted and not withdrawn, at an instant or (None) now?"""
    signed = [row for row in _options_of(subject) if at is None or row.signed_at <= at]
    return bool(signed) and required <= {
        one.option for one in signed if one.consent_id == signed[0].consent_id and one.granted and _stood(one, at)
    }


def _options_of(subject: Subject) -> list[Any]:
    """The ticks of the consents that stand, the newest consent first; each with the `signed_at` of its consent."""
    rows = ConsentOption.objects.raw(
        """SELECT o.*, c.signed_at FROM sites_consentoption o JOIN sites_consent c ON c.id = o.consent_id
            WHERE o.subject_id = %s AND NOT EXISTS (SELECT FROM sites_consent n WHERE n.corrects_id = c.id)
            ORDER BY c.signed_at DESC""",
        [subject.pk],
    )
    return list(rows)


def _stood(option: ConsentOption, at: datetime | None) -> bool:
    return option.withdrawn_at is None or (at is not None and option.withdrawn_at > at)
