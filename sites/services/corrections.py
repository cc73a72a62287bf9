"""Facts of enrolment that were recorded wrongly. They are facts: also corrected after randomisation, which stays."""

from datetime import datetime

from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput
from sites.acting import acting
from sites.following import follow
from sites.models import Consent, ConsentOption, Sex, Subject
from sites.participation import participation_of
from sites.permissions import Permission
from sites.policies import check_can_correct, check_can_enter, check_not_erased
from sites.services.consent import ConsentFacts, check_consent, check_person, store_consent
from sites.services.screening import lock_site


def correct_subject(
    *, subject: Subject, birth_year: int, sex: Sex, adult_at_consent: bool | None, by: User, reason: str
) -> Subject:
    """What was wrong about the person, put right; forms that depend on it are settled again.

    Raises InvalidInput (per field, for a missing reason, or when nothing differs), NotPermitted, NotAllowedNow.
    """
    facts = {"birth_year": birth_year, "sex": sex, "adult_at_consent": adult_at_consent}
    site = subject.site
    with acting(
        Permission.RECORD_CONSENT,
        study=subject.study,
        by=by,
        action="sites.correct_subject",
        reason=reason.strip(),
        site=site,
    ):
        subject = _held(subject)
        _check_reason(reason)
        check_person(site, birth_year, adult_at_consent, _consented_at(subject))
        changed = {name for name, value in facts.items() if getattr(subject, name) != value}
        if not changed:
            raise InvalidInput({"birth_year": [_("Nothing differs from what is stored. Change what is wrong.")]})
        for name in changed:
            setattr(subject, name, facts[name])
        subject.save(update_fields=sorted(changed))
        follow(subject, {f"subject.{name}" for name in changed}, by)
    return subject


def correct_consent(*, consent: Consent, facts: ConsentFacts, by: User, reason: str) -> Consent:
    """The consent as it truly was signed, in place of one recorded wrongly, which stays beside it, superseded.

    What was withdrawn since stays withdrawn. Raises InvalidInput, NotPermitted, NotAllowedNow when `consent` is
    superseded already.
    """
    subject = consent.subject
    with acting(
        Permission.RECORD_CONSENT,
        study=subject.study,
        by=by,
        action="sites.correct_consent",
        reason=reason.strip(),
        site=subject.site,
    ):
        subject = _held(subject)
        check_can_correct(consent)
        _check_reason(reason)
        check_consent(subject.site, facts)
        corrected = store_consent(subject, facts, corrects=consent)
        _keep_withdrawals(consent, corrected)
        follow(subject, {"subject.consent_on", "subject.consent_at"}, by)
    return corrected


def _held(subject: Subject) -> Subject:
    """Site and subject as they are now, held to the commit. Raises NotAllowedNow at a site that is closed out."""
    site = lock_site(subject.site)
    check_can_enter(site)
    held = Subject.objects.select_for_update(no_key=True, of=["self"]).get(pk=subject.pk)
    held.site, held.study = site, site.study
    check_not_erased(participation_of(held).is_erased)
    return held


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput({"reason": [_("Say why it is corrected.")]})


def _consented_at(subject: Subject) -> datetime:
    return subject.consents.standing().earliest("signed_at").signed_at


def _keep_withdrawals(before: Consent, after: Consent) -> None:
    for withdrawn in before.options.exclude(withdrawn_at=None):
        ConsentOption.objects.filter(consent=after, option=withdrawn.option, granted=True).update(
            withdrawn_at=withdrawn.withdrawn_at
        )
