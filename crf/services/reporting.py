"""Serious events between site and sponsor: the site reports them, the sponsor notes that it has read and judges."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date

from django.db import transaction
from django.utils.translation import gettext as _

from crf.models import FormData, SafetyAssessment, SafetyReport
from crf.safety.clock import is_serious
from crf.safety.messages import tell_reported
from crf.selectors.place import Place, place_of
from crf.services.saving import Author, Given, store
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow
from sites.clock import database_now, local_today
from sites.models import Task
from sites.permissions import Permission, require, require_task
from sites.policies import check_can_enter
from sites.services.holding import changing, lock_kept_subject, needed
from trials.definition import definition_of

ACTION = "crf.report_event"


def report_event(*, form: FormData, seen_version: int, by: User, why: Mapping[str, str] | None = None) -> SafetyReport:
    """Report a serious event to the sponsor as it stands: the first time, or what is new since.

    With the first report the time of report is stored in the form, unless it was told there. `seen_version`: the one
    that the page showed. `why`: {check OID: explanation} of what that raises, such as a late report.

    Raises NotPermitted with whom to ring, Conflict when the form has changed since, NotAllowedNow when it is no serious
    event or nothing is new, AnswersNeeded for what has to be explained.
    """
    site = form.subject.site
    require_task(by, Task.REPORT_SAE, site)
    role = require(by, Permission.REPORT_SAE, form.study, site)
    with transaction.atomic():
        form.event.subject = lock_kept_subject(form.subject)
        check_can_enter(form.event.subject.site)
        place = place_of(form.event, form.form_oid, form.repeat_key)
        row = check_can_report(place, seen_version)
        version = _with_time_of_report(place, row, why or {}, Author(by, role, ACTION))
        with change_set(study=row.study, by=by, action=ACTION, role=role, site=site):
            report = SafetyReport(study=row.study, subject=place.subject, form_data=row, form_version=version)
            report.number = row.safety_reports.count()
            report.save(force_insert=True)
            tell_reported(report, place.study)
    return report


def check_can_report(place: Place, seen_version: int) -> FormData:
    """The form. Raises Conflict when it has changed since it was seen, NotAllowedNow when nothing is to be reported."""
    row = place.row
    reports = list(row.safety_reports.order_by("number")) if row else []
    if row is None or not (is_serious(row, place.study.safety) or reports):
        raise NotAllowedNow(_("The form tells of no serious event, so there is nothing to report."))
    if reports and reports[-1].form_version == row.version:
        raise NotAllowedNow(_("This is reported already, and nothing has changed since."))
    if row.version != seen_version:
        raise Conflict(_("The form has changed since the page was shown. Read it again before you report it."))
    return row


def _with_time_of_report(place: Place, row: FormData, why: Mapping[str, str], author: Author) -> int:
    """Part of a report: its time in the form, where nobody has told one. The version that is reported."""
    plan = place.study.safety
    assert plan is not None  # asked just before
    if row.data.get(plan.reported) or not is_serious(row, plan):
        return row.version
    now = database_now().astimezone(UTC)
    at = f"{now:%Y-%m-%dT%H:%M}:00Z"
    given = Given({plan.reported: at}, {}, reason=_("Reported to the sponsor from here"), why=why)
    return store(place, given, seen_version=row.version, author=author).version


def read_report(*, report: SafetyReport, by: User) -> None:
    """Note that the sponsor has read it. Raises NotPermitted, NotAllowedNow when that is noted already."""
    with changing(report.subject, permission=Permission.ASSESS_EVENT, by=by, action="crf.read_report") as (_held, now):
        if not SafetyReport.objects.filter(pk=report.pk, read_in=None).update(read_in=now):
            raise NotAllowedNow(_("The report is marked as read already."))


@dataclass(frozen=True)
class Assessed:
    """What the sponsor says. `expected` None and `related` "": not judged yet. `authority_on` None: nobody notified."""

    expected: bool | None
    related: str
    authority_on: date | None

    @property
    def is_empty(self) -> bool:
        return self == Assessed(None, "", None)

    @property
    def token(self) -> str:
        """Stands on the page that shows it, and comes back with the next one."""
        return f"{self.expected}|{self.related}|{self.authority_on}"


def assessed_in(row: FormData) -> Assessed:
    """What stands."""
    found = SafetyAssessment.objects.filter(form_data=row).first()
    return Assessed(found.expected, found.related, found.authority_on) if found else Assessed(None, "", None)


def assess_event(*, form: FormData, said: Assessed, seen: str, by: User, reason: str = "") -> None:
    """Store the sponsor's own judgement of a serious event; the site's stays as it is.

    `seen`: the token of what the page showed. `reason`: needed when something that was judged is judged otherwise.

    Raises NotPermitted, Conflict when somebody else has judged meanwhile, InvalidInput, NotAllowedNow.
    """
    permission = Permission.ASSESS_EVENT
    with changing(form.subject, permission=permission, by=by, action="crf.assess_event", reason=reason) as (
        subject,
        _now,
    ):
        row = FormData.objects.select_related("definition_version").get(pk=form.pk)
        _check_can_assess(row)
        stands = assessed_in(row)
        if stands.token != seen:
            raise Conflict(_("Somebody has assessed the event meanwhile. Read what stands now, and assess it again."))
        if said == stands:
            return
        _check_said(said, row, local_today(subject.site.timezone))
        if any(old not in (None, "", new) for old, new in zip(_values(stands), _values(said), strict=True)):
            needed(reason, _("Say why it is judged otherwise now."))
        SafetyAssessment.objects.update_or_create(
            form_data=row,
            defaults={
                "study_id": row.study_id,
                "subject": subject,
                "expected": said.expected,
                "related": said.related,
                "authority_on": said.authority_on,
            },
        )


def _values(said: Assessed) -> tuple[bool | None, str, date | None]:
    return said.expected, said.related, said.authority_on


def _check_can_assess(row: FormData) -> None:
    plan = definition_of(row.definition_version).safety
    if plan is None or plan.assessment is None or not is_serious(row, plan):
        raise NotAllowedNow(_("The form tells of no serious event, so there is nothing to assess."))


def _check_said(said: Assessed, row: FormData, today: date) -> None:
    study = definition_of(row.definition_version)
    assert study.safety and study.safety.assessment  # asked just before
    if said.related and said.related not in study.code_list(study.safety.assessment.causality).codes:
        raise InvalidInput({"related": [_("Choose one of the answers on the list.")]})
    if said.authority_on and said.authority_on > today:
        raise InvalidInput({"authority_on": [_("The day is in the future. Write the day on which it happened.")]})
