"""Finding places and people: guarded loaders (what is foreign is 404, never 403) and lists."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Model, Prefetch, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.audit.access import record_access
from pallsoft.errors import NotAllowedNow
from pallsoft.request import asked_for, once
from sites.models import (
    AgeBand,
    Assignment,
    Consent,
    ConsentOption,
    Delegation,
    ScreeningEntry,
    ScreeningOutcome,
    Sex,
    Site,
    SiteVersion,
    Subject,
)
from sites.permissions import AnyUser, Permission, at_sites, require_anywhere, sites_for, studies_for
from trials.definition import StudyDef, definition_of
from trials.models import Study, StudyVersion
from trials.selectors import NO_VERSION, live_version

IN_USE = """SELECT v.id, v.created_in, v.study_id, v.number, v.sha256, v.published_at, v.published_by_id
    FROM sites_siteversion u JOIN trials_studyversion v ON v.id = u.version_id
    WHERE u.site_id = %s AND u.active_from <= %s ORDER BY u.active_from DESC, v.number DESC LIMIT 1"""
NEIGHBOURS = """WITH seen AS NOT MATERIALIZED (
        SELECT number FROM sites_subject WHERE study_id = %(study)s AND (%(all)s OR site_id = ANY(%(sites)s::uuid[]))
    )
    SELECT
        (SELECT max(number) FROM seen WHERE number < %(number)s),
        (SELECT min(number) FROM seen WHERE number > %(number)s)"""


def study_for(user: AnyUser, study_oid: str, permission: Permission = Permission.VIEW_STUDY) -> Study:
    """A study in which the person has a role; else Http404. Raises NotPermitted when no role has the permission."""
    study = next((study for study in studies_for(user) if study.oid == study_oid), None)
    if study is None:
        raise Http404
    require_anywhere(user, permission, study)
    return study


def site_for(user: AnyUser, study_oid: str, code: str, permission: Permission) -> Site:
    """A site at which the person has the permission; a foreign one is Http404."""
    study = study_for(user, study_oid, permission)
    return get_object_or_404(sites_for(user, study, permission).select_related("study"), code=code)


def subject_for(
    user: AnyUser,
    study_oid: str,
    number: str,
    permission: Permission = Permission.VIEW_SUBJECT,
    *,
    reading: bool = True,
) -> Subject:
    """A subject of a site at which the person has the permission; a foreign one is Http404.

    Writes the access log, also of the attempt: who tries the numbers of other sites is seen there. `reading`: false
    where the answer shows nothing of the subject.
    """
    study = study_for(user, study_oid)
    subject = _numbered(study, number)
    asked_for.set(subject)
    require_anywhere(user, permission, study)
    sites = at_sites(user, study, permission).get("site__in")
    if subject is None or not (sites is None or subject.site_id in sites):
        record_access(user=user, subject=subject, what=permission, ok=False)
        raise Http404
    if reading:
        record_access(user=user, subject=subject, what=permission)
    return subject


def _numbered(study: Study, number: str) -> Subject | None:
    """The subject of that number, at whatever site; both in one query."""
    own, sites = _columns(Subject, "s"), _columns(Site, "p")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {", ".join(own + sites)} FROM sites_subject s JOIN sites_site p ON p.id = s.site_id
                WHERE s.study_id = %s AND s.number = %s""",
            [study.pk, number],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    subject = Subject.from_db(connection.alias, _names(Subject), row[: len(own)])
    subject.site = Site.from_db(connection.alias, _names(Site), row[len(own) :])
    subject.study = subject.site.study = study
    return subject


def _columns(model: type[Model], alias: str) -> list[str]:
    return [f"{alias}.{field.column}" for field in model._meta.concrete_fields]


def _names(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def subjects_for(user: AnyUser, study: Study, permission: Permission = Permission.VIEW_SUBJECT) -> QuerySet[Subject]:
    """The subjects of the person's sites, with their site, by number."""
    return study.subjects.filter(**at_sites(user, study, permission)).select_related("site")


def neighbours(user: AnyUser, subject: Subject) -> tuple[str | None, str | None]:
    """The numbers before and after it of those that the person may see."""
    sites = at_sites(user, subject.study, Permission.VIEW_SUBJECT).get("site__in")
    with connection.cursor() as cursor:
        cursor.execute(
            NEIGHBOURS,
            {"study": subject.study_id, "number": subject.number, "all": sites is None, "sites": list(sites or [])},
        )
        before, after = cursor.fetchone()
    return before, after


def narrowed(subjects: QuerySet[Subject], *, site: str, status: str, number: str) -> QuerySet[Subject]:
    """Those of a site's code, of a status, with this piece in their number; "" does not narrow."""
    wanted = {"site__code": site, "status": status, "number__icontains": number}
    return subjects.filter(**{field: value for field, value in wanted.items() if value}).order_by("number")


def screening_entries_for(user: AnyUser, study: Study) -> QuerySet[ScreeningEntry]:
    """The screening log of the person's sites, the newest first."""
    sites = sites_for(user, study, Permission.VIEW_SUBJECT)
    return (
        ScreeningEntry.objects.filter(site__in=sites)
        .select_related("site", "subject")
        .order_by("-screened_in", "-own_number")
    )


@dataclass(frozen=True)
class ScreeningLog:
    """The lines of the person's sites that the filters of an address ask for; "" does not narrow.

    `reasons`: [(code, its words, how many)] of the lines at the chosen site with the chosen outcome, most frequent
    first; a code that the definition no longer has stands for itself.
    """

    entries: QuerySet[ScreeningEntry]
    sites: list[Site]
    site: str
    outcome: str
    reason: str
    reasons: list[tuple[str, str, int]]


def screening_log_of(user: AnyUser, study: Study, asked: Mapping[str, str]) -> ScreeningLog:
    """`asked`: `site`, `outcome`, `reason`; what is not known does not narrow."""
    sites = list(sites_for(user, study, Permission.VIEW_SUBJECT).order_by("city"))
    site = one_of(asked.get("site"), [one.code for one in sites])
    outcome = one_of(asked.get("outcome"), ScreeningOutcome.values)
    entries = screening_entries_for(user, study)
    wanted = {"site__code": site, "outcome": outcome}
    entries = entries.filter(**{field: value for field, value in wanted.items() if value})
    counted = entries.exclude(reason_code="").order_by().values_list("reason_code").annotate(n=Count("pk"))
    words = dict(choice for choices in reasons_in(definition_of(live_version(study))).values() for choice in choices)
    reasons = sorted(((code, words.get(code, code), n) for code, n in counted), key=lambda one: (-one[2], one[0]))
    reason = one_of(asked.get("reason"), [code for code, _words, _n in reasons])
    return ScreeningLog(
        entries.filter(reason_code=reason) if reason else entries, sites, site, outcome, reason, reasons
    )


def one_of(asked: str | None, known: Iterable[str]) -> str:
    """What a filter of an address asks for; "" for what is not known."""
    return asked if asked and asked in known else ""


def pending_entry(site: Site, entry_id: str) -> ScreeningEntry | None:
    """The open line of the site's screening log that an address names; None when it names none."""
    if not entry_id:
        return None
    try:
        wanted = uuid.UUID(entry_id)
    except ValueError:
        raise Http404 from None
    return get_object_or_404(site.screening_entries.filter(outcome=ScreeningOutcome.PENDING), pk=wanted)


@dataclass(frozen=True)
class ShownOption:
    """One tick of a signed consent with the words of the definition."""

    option: ConsentOption
    label: str
    required: bool = False  # without it nobody takes part: withdrawn on the page of the participation

    @property
    def in_force(self) -> bool:
        return self.option.granted and self.option.withdrawn_at is None and not self.option.consent.is_superseded


def consents_of(subject: Subject) -> list[tuple[Consent, list[ShownOption]]]:
    """The signed consents, the newest first and those superseded last; options in the order of the definition."""
    order = [option.oid for option in definition_at(subject.site).consent.options]
    found = subject.consents.select_related("informed_by", "corrected_by").prefetch_related("options")
    consents = sorted(found.order_by("-signed_at"), key=lambda consent: consent.is_superseded)
    return [(consent, _shown(subject, consent, order)) for consent in consents]


def option_label(subject: Subject, oid: str) -> str:
    """The words of the definition; the OID itself for an option that a newer version no longer has."""
    labels = {option.oid: str(option.label) for option in definition_at(subject.site).consent.options}
    return labels.get(oid, oid)


def _shown(subject: Subject, consent: Consent, order: list[str]) -> list[ShownOption]:
    rank = {oid: place for place, oid in enumerate(order)}
    options = sorted(consent.options.all(), key=lambda option: rank.get(option.option, len(order)))
    required = definition_at(subject.site).consent.required
    return [ShownOption(option, option_label(subject, option.option), option.option in required) for option in options]


def assignments_in(user: AnyUser, study: Study) -> QuerySet[Assignment]:
    """The roles, past and present, that the person may see: those at the own sites, and those for all sites."""
    sites = sites_for(user, study, Permission.VIEW_USERS)
    return (
        Assignment.objects.filter(Q(site=None) | Q(site__in=sites), study=study)
        .select_related("user__verified_by", "site", "study")
        .order_by("user__full_name", "valid_from")
    )


@dataclass
class Person:
    """One line of the users page."""

    user: User
    assignments: list[Assignment]


def people_of(assignments: Iterable[Assignment]) -> list[Person]:
    """The assignments gathered by person, in the order they come."""
    people: dict[uuid.UUID, Person] = {}
    for assignment in assignments:
        people.setdefault(assignment.user_id, Person(assignment.user, [])).assignments.append(assignment)
    return list(people.values())


def accounts_in(study: Study) -> QuerySet[User]:
    """The open accounts that an administrator of the study looks after: with a role in it, or with none anywhere."""
    own = Q(assignments__study=study) | Q(assignments=None)
    return User.objects.filter(own, is_active=True).distinct().order_by("full_name")


def invited_without_role(study: Study) -> QuerySet[User]:
    """Open accounts that have no role in any trial yet."""
    return accounts_in(study).filter(assignments=None)


def sites_with_versions(study: Study) -> QuerySet[Site]:
    """All sites of the study with the versions they use, by city."""
    return study.sites.prefetch_related(Prefetch("versions", SiteVersion.objects.select_related("version")))


def delegations_in(user: AnyUser, study: Study) -> QuerySet[Delegation]:
    """The delegations at the sites whose people the person may see, the newest first."""
    return (
        Delegation.objects.filter(site__in=sites_for(user, study, Permission.VIEW_USERS))
        .select_related("user", "site", "delegated_by")
        .order_by("-valid_from", "user__full_name")
    )


def staff_of(site: Site) -> QuerySet[User]:
    """Everybody who has or had a role at the site itself: who may have informed a patient there."""
    return User.objects.filter(assignments__site=site).distinct().order_by("full_name")


def version_at(site: Site) -> StudyVersion:
    """The version that the site has put to use most recently. Its documents are left in the database.

    A site works with a version only after its ethics approval, so sites can be a version apart. Raises NotAllowedNow.
    """
    return once(("version", site.pk), lambda: _version_at(site))


def _version_at(site: Site) -> StudyVersion:
    today = timezone.now().astimezone(ZoneInfo(site.study.timezone)).date()
    found = next(iter(StudyVersion.objects.raw(IN_USE, [site.pk, today])), None)
    if found is None:
        raise NotAllowedNow(str(NO_VERSION))
    found.study = site.study
    return found


def definition_at(site: Site) -> StudyDef:
    """The definition of the version that the site uses today."""
    return definition_of(version_at(site))


def definition_in_use(site: Site) -> StudyDef | None:
    """None at a site that has not put any version to use."""
    try:
        return definition_at(site)
    except NotAllowedNow:
        return None


def screening_reasons(site: Site) -> dict[ScreeningOutcome, list[tuple[str, str]]]:
    """{outcome: [(code, words)]} at the site, by the version that it uses."""
    return reasons_in(definition_at(site))


def reasons_in(definition: StudyDef) -> dict[ScreeningOutcome, list[tuple[str, str]]]:
    """{outcome: [(code, words)]}: the criteria of the definition, and what else keeps a person out."""
    criteria = [(c.oid, f"{c.oid} {c.label}") for c in definition.eligibility.criteria]
    return {
        ScreeningOutcome.NOT_ELIGIBLE: criteria,
        ScreeningOutcome.DECLINED: [("declined", _("Did not want to take part"))],
        ScreeningOutcome.OTHER: [("not_asked", _("Was not asked")), ("other", _("Other reason"))],
    }


@dataclass(frozen=True)
class LookAlike:
    """Somebody at the site who may be the same person. `label` tells them apart and is what a person confirms."""

    label: str
    status: str


def look_alikes(site: Site, birth_year: int, sex: Sex, besides: ScreeningEntry | None = None) -> list[LookAlike]:
    """Subjects of the same birth year and sex, and open screening entries that fit; within the site only."""
    subjects = site.subjects.filter(birth_year=birth_year, sex=sex)
    entries = site.screening_entries.filter(outcome=ScreeningOutcome.PENDING, sex__in=["", sex])
    return [LookAlike(subject.number, subject.get_status_display()) for subject in subjects] + [
        LookAlike(_("Screening entry %(number)s") % {"number": entry.own_number}, entry.get_outcome_display())
        for entry in entries
        if entry != besides and _in_band(entry, birth_year)
    ]


def _in_band(entry: ScreeningEntry, birth_year: int) -> bool:
    """Could somebody of that birth year have been of that age in that year, before or after the birthday?"""
    youngest, oldest = map(int, AgeBand(entry.age_band).value.split("-"))
    age = entry.screened_in.year - birth_year
    return youngest <= age <= oldest + 1
