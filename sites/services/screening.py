"""The screening log: everybody who was considered, before consent, without identity (CONSORT enrolment)."""

import uuid
from datetime import date

from django.db.models import Max
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.errors import Conflict, InvalidInput
from sites.acting import acting
from sites.clock import local_today
from sites.models import AgeBand, ScreeningEntry, ScreeningOutcome, Sex, Site
from sites.permissions import Permission
from sites.policies import check_can_enter, check_pending
from sites.selectors import screening_reasons


def log_screening(
    *, site: Site, screened_in: date, age_band: AgeBand, sex: Sex, key: uuid.UUID, by: User
) -> ScreeningEntry:
    """A person considered in the month of `screened_in`; the log numbers its entries 1, 2, 3 … per site.

    The same `key` returns the entry it made before. Raises InvalidInput for a month to come, Conflict for a key that
    was used for other content, NotAllowedNow.
    """
    facts = {"screened_in": screened_in.replace(day=1), "age_band": age_band, "sex": sex}
    with acting(Permission.LOG_SCREENING, study=site.study, by=by, action="sites.log_screening", site=site):
        site = lock_site(site)
        made_before = ScreeningEntry.objects.filter(request_key=key).first()
        if made_before:
            return _same(made_before, facts)
        check_can_enter(site)
        _check_month(site, screened_in)
        number = (site.screening_entries.aggregate(last=Max("own_number"))["last"] or 0) + 1
        return ScreeningEntry.objects.create(study=site.study, site=site, own_number=number, request_key=key, **facts)


def close_screening(*, entry: ScreeningEntry, outcome: ScreeningOutcome, reason_code: str, by: User) -> ScreeningEntry:
    """Why the person did not go on: a criterion of the definition, declined, or another reason.

    Raises InvalidInput for a code that does not fit the outcome, NotAllowedNow when it is closed already.
    """
    site = entry.site
    with acting(
        Permission.LOG_SCREENING,
        study=site.study,
        by=by,
        action="sites.close_screening",
        reason=f"{outcome}: {reason_code}",
        site=site,
    ):
        lock_site(site)
        entry.refresh_from_db()
        check_pending(entry)
        if reason_code not in dict(screening_reasons(site).get(outcome, [])):
            raise InvalidInput({"reason_code": [_("Choose the reason.")]})
        entry.outcome, entry.reason_code = outcome, reason_code
        entry.save(update_fields=["outcome", "reason_code"])
    return entry


def lock_site(site: Site) -> Site:
    """The site as it is now, its row held to the commit: numbers under it are given one after the other."""
    return Site.objects.select_for_update(no_key=True, of=["self"]).select_related("study").get(pk=site.pk)


def _same(entry: ScreeningEntry, facts: dict[str, object]) -> ScreeningEntry:
    if any(getattr(entry, name) != value for name, value in facts.items()):
        raise Conflict(_("This form was already saved with other content. Open the screening log to see it."))
    return entry


def _check_month(site: Site, screened_in: date) -> None:
    if screened_in.replace(day=1) > local_today(site.timezone):
        raise InvalidInput({"screened_in": [_("The month has not begun.")]})
