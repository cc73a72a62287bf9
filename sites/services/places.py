"""Sites and their states, the state of the study, the sponsor's emergency stop."""

from datetime import date

from django.db import connection
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput
from sites.acting import acting
from sites.clock import local_today
from sites.models import Site, SiteVersion
from sites.permissions import Permission
from sites.policies import check_transition
from trials.models import Status, Study, StudyVersion


def create_site(
    *, study: Study, code: str, name: str, city: str, timezone: str = "Europe/Oslo", by: User | None
) -> Site:
    """A planned site. Raises InvalidInput when the study has a site of this code."""
    with acting(Permission.MANAGE_SITES, study=study, by=by, action="sites.create_site"):
        if study.sites.filter(code=code).exists():
            raise InvalidInput({"code": [_("The trial already has a site %(code)s.") % {"code": code}]})
        return Site.objects.create(study=study, code=code, name=name, city=city, timezone=timezone)


def set_site_status(*, site: Site, status: Status, since: date, by: User | None, reason: str) -> Site:
    """Move the site to its next state, from a day that is today or past. Raises NotAllowedNow, InvalidInput."""
    with acting(
        Permission.MANAGE_SITES, study=site.study, by=by, action="sites.set_site_status", reason=reason, site=site
    ):
        site = Site.objects.select_for_update(no_key=True, of=["self"]).select_related("study").get(pk=site.pk)
        check_transition(site.status, status)
        _check_since(site, since)
        site.status, site.status_since = status, since
        site.save(update_fields=["status", "status_since"])
    return site


def set_site_phone(*, site: Site, phone: str, by: User | None) -> Site:
    """The telephone that participants of the site ring; it stands on all their pages."""
    reason = _("New telephone number for participants") if site.phone else ""
    with acting(
        Permission.MANAGE_SITES, study=site.study, by=by, action="sites.set_site_phone", reason=reason, site=site
    ):
        site.phone = phone
        site.save(update_fields=["phone"])
    return site


def set_study_status(*, study: Study, status: Status, by: User | None, reason: str) -> Study:
    """Move the whole study to its next state. Raises NotAllowedNow."""
    with acting(Permission.MANAGE_STUDY, study=study, by=by, action="sites.set_study_status", reason=reason):
        study = _locked(study)
        check_transition(study.status, status)
        study.status = status
        study.save(update_fields=["status"])
    return study


def stop_randomization(*, study: Study, by: User | None, reason: str) -> Study:
    """Halt randomisation at all sites (RND-14): after this commit no slot is used until it is resumed.

    The row lock waits for randomisations in flight, which hold the study FOR SHARE.
    """
    return _set_randomization(study, open_=False, by=by, action="sites.stop_randomization", reason=reason)


def resume_randomization(*, study: Study, by: User | None, reason: str) -> Study:
    """Start randomisation, or start it again after a stop, at the sites that are open."""
    return _set_randomization(study, open_=True, by=by, action="sites.resume_randomization", reason=reason)


def pause_reminders(*, place: Study | Site, paused: bool, by: User | None) -> None:
    """Hold back all reminders of a study or of a site, or let them go on: what became due meanwhile is sent then."""
    study, site = (place.study, place) if isinstance(place, Site) else (place, None)
    action, reason = (
        ("sites.pause_reminders", _("Reminders paused")) if paused else ("sites.resume_reminders", _("Reminders go on"))
    )
    with acting(Permission.MANAGE_SITES, study=study, by=by, action=action, reason=reason, site=site):
        type(place).objects.filter(pk=place.pk).update(reminders_paused=paused)


def approve_version(
    *,
    site: Site,
    version: StudyVersion,
    ethics_approved_on: date,
    ethics_reference: str,
    active_from: date,
    by: User | None,
) -> SiteVersion:
    """From `active_from` the site uses the version; the ethics committee approved it on that day or before."""
    with acting(Permission.MANAGE_SITES, study=site.study, by=by, action="sites.approve_version", site=site):
        _check_approval(site, version, ethics_approved_on, active_from)
        return SiteVersion.objects.create(
            study=site.study,
            site=site,
            version=version,
            active_from=active_from,
            ethics_approved_on=ethics_approved_on,
            ethics_reference=ethics_reference,
        )


def _set_randomization(study: Study, *, open_: bool, by: User | None, action: str, reason: str) -> Study:
    with acting(Permission.EMERGENCY_STOP, study=study, by=by, action=action, reason=reason):
        study = _locked(study)
        study.randomization_open = open_
        study.save(update_fields=["randomization_open"])
    return study


def _locked(study: Study) -> Study:
    """The study's row, after those who randomise now and before those who come next.

    They hold the row FOR SHARE together, so that the row lock alone would wait as long as new ones keep coming; the
    advisory lock, which sql/allocate.sql of randomization takes shared, keeps the queue in order.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"randomization {study.pk}"])
    return Study.objects.select_for_update(no_key=True).get(pk=study.pk)


def _check_since(site: Site, since: date) -> None:
    if since > local_today(site.timezone):
        raise InvalidInput({"since": [_("The day lies in the future. Give the day on which it took effect.")]})
    if site.status_since and since < site.status_since:
        raise InvalidInput({"since": [_("The day lies before the site's present state began.")]})


def _check_approval(site: Site, version: StudyVersion, approved_on: date, active_from: date) -> None:
    if site.versions.filter(version=version).exists():
        raise InvalidInput({"version": [_("%(site)s already has this version.") % {"site": site}]})
    if active_from < approved_on:
        raise InvalidInput({"active_from": [_("A version cannot be used before it is approved.")]})
