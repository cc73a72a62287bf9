"""Consent and enrolment: the subject number is born here, kept for life, and no study data come before it."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.errors import Conflict, InvalidInput, PallsoftError
from sites.acting import acting
from sites.clock import database_now
from sites.models import Assignment, Consent, ConsentOption, ScreeningEntry, ScreeningOutcome, Sex, Site, Subject
from sites.permissions import Permission
from sites.policies import check_can_enter, check_can_withdraw, check_pending
from sites.selectors import LookAlike, definition_at, look_alikes
from sites.services.holding import changing
from sites.services.screening import lock_site
from sites.services.withdrawal import follow_withdrawn_option, lift_by
from trials.definition import StudyDef

EARLIEST_BIRTH_YEAR = 1900
ADULT = 18


@dataclass(frozen=True, kw_only=True)
class ConsentFacts:
    """What the signed page says. `signed_at` is aware; `options`: {OID of the definition: ticked}."""

    version: str
    signed_at: datetime
    language: str
    informed_by: User
    copy_given: bool
    interpreter_language: str = ""
    options: Mapping[str, bool]


class LookAlikesFound(PallsoftError):
    """Somebody like this is at the site already; `found` lists them. A person must look before going on."""

    status = 409

    def __init__(self, found: list[LookAlike]) -> None:
        super().__init__(_("Somebody like this is already at the site. Make sure that it is another person."))
        self.found = found


def enrol_subject(
    *,
    site: Site,
    birth_year: int,
    sex: Sex,
    adult_at_consent: bool | None = None,
    consent: ConsentFacts,
    seen: Collection[str] = (),
    screening_entry: ScreeningEntry | None = None,
    key: uuid.UUID,
    by: User,
) -> Subject:
    """A subject under the next number of the site, with the consent that comes before all study data.

    `seen`: the labels of the look-alikes that the person was shown. The same `key` returns the subject it made.
    Raises InvalidInput, LookAlikesFound, Conflict (key used for another person), NotAllowedNow.
    """
    with acting(
        Permission.RECORD_CONSENT,
        study=site.study,
        by=by,
        action="sites.enrol_subject",
        reason="consent recorded",  # why the screening entry changes
        site=site,
    ):
        site = lock_site(site)
        made_before = Subject.objects.filter(request_key=key).first()
        if made_before:
            return _same(made_before, site, birth_year, sex)
        check_can_enter(site)
        check_person(site, birth_year, adult_at_consent, consent.signed_at)
        check_consent(site, consent)
        _check_look_alikes(site, birth_year, sex, screening_entry, seen)
        subject = Subject.objects.create(
            study=site.study,
            site=site,
            number=_next_number(site),
            birth_year=birth_year,
            sex=sex,
            adult_at_consent=adult_at_consent,
            request_key=key,
        )
        store_consent(subject, consent)
        _link(screening_entry, subject)
    return subject


def record_consent(*, subject: Subject, consent: ConsentFacts, by: User) -> Consent:
    """A further consent of a subject: a new version, or granted again after a withdrawal, which it then lifts (S17)."""
    with changing(
        subject,
        permission=Permission.RECORD_CONSENT,
        by=by,
        action="sites.record_consent",
        reason="consent recorded",  # why what was withdrawn stands no longer
    ) as (held, change):
        check_consent(held.site, consent)
        stored = store_consent(held, consent)
        lift_by(stored, change, by)
    return stored


def withdraw_consent_option(*, option: ConsentOption, withdrawn_at: datetime, by: User, reason: str) -> ConsentOption:
    """One consent withdrawn, the others stand; what it allowed stops.

    The row stays: a new consent can grant it again, deletion cannot.

    Raises InvalidInput for a time to come or before the consent, NotAllowedNow when it is not in force.
    """
    with changing(
        option.subject,
        permission=Permission.RECORD_CONSENT,
        by=by,
        action="sites.withdraw_consent_option",
        reason=reason,
    ) as (subject, change):
        option = ConsentOption.objects.select_related("consent").get(pk=option.pk)
        option.subject = subject
        check_can_withdraw(option)
        _check_withdrawal(option, withdrawn_at)
        option.withdrawn_at = withdrawn_at
        option.save(update_fields=["withdrawn_at"])
        follow_withdrawn_option(option, change, by)
    return option


def needs_adult_answer(birth_year: int, signed_at: datetime, site: Site) -> bool:
    """Does the birth year alone leave open whether the person was of age on the day of consent (I7)?"""
    return _local(signed_at, site).year - birth_year == ADULT


def _same(subject: Subject, site: Site, birth_year: int, sex: Sex) -> Subject:
    if subject.site_id != site.pk:  # names nobody: the number of another site's subject is not for this one
        raise Conflict(_("This form was already saved with other content. Open a new one."))
    if (subject.birth_year, subject.sex) != (birth_year, sex):
        raise Conflict(_("This form was already saved with other content, as %(number)s.") % {"number": subject})
    return subject


def check_person(site: Site, birth_year: int, adult: bool | None, consented_at: datetime) -> None:
    """Raises InvalidInput for a year that cannot be, or an answer on coming of age too many or too few (I7)."""
    errors = {}
    if not EARLIEST_BIRTH_YEAR <= birth_year <= _local(consented_at, site).year:
        errors["birth_year"] = [_("Give the year of birth with four digits.")]
    if needs_adult_answer(birth_year, consented_at, site) != (adult is not None):
        errors["adult_at_consent"] = [
            _("Was the person 18 or older on the day of consent?")
            if adult is None
            else _("The year of birth answers this already; leave it empty.")
        ]
    if errors:
        raise InvalidInput(errors)


def check_consent(site: Site, consent: ConsentFacts) -> None:
    """Raises InvalidInput for what the definition in use at the site does not know, and for a time to come."""
    definition = definition_at(site)
    errors = _time_errors(site, consent, definition) | _option_errors(consent, definition)
    if consent.language not in definition.languages:
        errors["language"] = [_("Choose the language of the consent form.")]
    if not Assignment.objects.filter(user=consent.informed_by, study=site.study, site=site).exists():
        errors["informed_by"] = [_("Choose somebody who works at the site.")]
    if errors:
        raise InvalidInput(errors)


def _time_errors(site: Site, consent: ConsentFacts, definition: StudyDef) -> dict[str, list[str]]:
    approved = {version.version: version.approved_on for version in definition.consent.versions}
    if consent.version not in approved:
        return {"version": [_("Choose an approved version of the consent form.")]}
    if consent.signed_at > database_now():
        return {"signed_at": [_("The time of consent lies in the future.")]}
    if _local(consent.signed_at, site).date() < approved[consent.version]:
        return {"signed_at": [_("This version of the consent form was not approved yet on that day.")]}
    return {}


def _option_errors(consent: ConsentFacts, definition: StudyDef) -> dict[str, list[str]]:
    errors = {}
    for option in definition.consent.options:
        if option.oid not in consent.options:
            errors[option.oid] = [_("Answer yes or no.")]
        elif option.required and not consent.options[option.oid]:
            errors[option.oid] = [_("Without this consent the person cannot take part.")]
    return errors


def _check_look_alikes(
    site: Site, birth_year: int, sex: Sex, entry: ScreeningEntry | None, seen: Collection[str]
) -> None:
    found = look_alikes(site, birth_year, sex, besides=entry)
    if any(other.label not in seen for other in found):
        raise LookAlikesFound(found)


def _next_number(site: Site) -> str:
    """Subjects keep their number when they move, so the numbers count those born here, not those treated here."""
    definition = definition_at(site)
    beginning = definition.subject_number.partition("{n")[0].format(site=site.code)
    taken = site.study.subjects.filter(number__startswith=beginning).count()
    return definition.number_for(site.code, taken + 1)


def store_consent(subject: Subject, facts: ConsentFacts, corrects: Consent | None = None) -> Consent:
    """Within the present change set; `corrects`: the consent that this one supersedes."""
    consent = Consent.objects.create(
        study=subject.study,
        subject=subject,
        corrects=corrects,
        version=facts.version,
        signed_at=facts.signed_at,
        language=facts.language,
        informed_by=facts.informed_by,
        copy_given=facts.copy_given,
        interpreter_language=facts.interpreter_language,
    )
    ConsentOption.objects.bulk_create(
        ConsentOption(study=subject.study, subject=subject, consent=consent, option=oid, granted=granted)
        for oid, granted in facts.options.items()
    )
    return consent


def _link(entry: ScreeningEntry | None, subject: Subject) -> None:
    if entry is None:
        return
    entry = ScreeningEntry.objects.select_for_update(no_key=True).get(pk=entry.pk, site=subject.site)
    check_pending(entry)
    entry.outcome, entry.subject = ScreeningOutcome.CONSENTED, subject
    entry.save(update_fields=["outcome", "subject"])


def _check_withdrawal(option: ConsentOption, withdrawn_at: datetime) -> None:
    if withdrawn_at > database_now():
        raise InvalidInput({"withdrawn_at": [_("The time lies in the future.")]})
    if withdrawn_at < option.consent.signed_at:
        raise InvalidInput({"withdrawn_at": [_("The time lies before the consent.")]})


def _local(at: datetime, site: Site) -> datetime:
    return at.astimezone(ZoneInfo(site.timezone))
