"""What has passed between site and sponsor about one serious event, for its page, its paper and the lists."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from crf.models import FormData, SafetyAssessment, SafetyReport
from crf.safety.clock import is_serious
from crf.selectors.definitions import definition_for
from crf.selectors.place import Place
from crf.selectors.signed_content import Difference, changes_of, differences_of
from crf.selectors.words import answer_words
from pallsoft.audit.models import ChangeSet, Seal
from pallsoft.templatetags.ui import short_date
from sites.models import Task
from sites.permissions import AnyUser, Permission, has_permission, may_perform
from trials.definition import SafetyPlan


@dataclass(frozen=True)
class ReportLine:
    """`read_at` None: the sponsor has not read it."""

    report: SafetyReport
    reported_at: datetime
    reported_by: str
    read_at: datetime | None
    read_by: str


@dataclass(frozen=True)
class EventReports:
    """`serious`: the form still says so; `told`: when it was reported, as the form tells, "" when it does not.

    `news`: what has changed since the last report; `waits`: there is something that the sponsor
    has not been told.

    `may_report`, `may_assess`: whether the person does so at this site.
    """

    row: FormData
    serious: bool
    told: str
    lines: list[ReportLine]
    news: list[Difference]
    waits: bool
    may_report: bool
    may_assess: bool


def event_reports(place: Place, user: AnyUser) -> EventReports | None:
    """None for a form that tells of no serious event and was never reported as one."""
    row, site, plan = place.row, place.subject.site, place.study.safety
    if row is None or plan is None or row.form_oid != plan.form:
        return None
    lines = report_lines(row)
    serious = is_serious(row, plan)
    if not (serious or lines):
        return None
    last = lines[-1].report if lines else None
    return EventReports(
        row,
        serious,
        _told(place, plan),
        lines,
        _since(row, last) if last else [],
        waits=serious if last is None else last.form_version != row.version,
        may_report=may_perform(user, Task.REPORT_SAE, site),
        may_assess=serious and has_permission(user, Permission.ASSESS_EVENT, site.study, site),
    )


def _told(place: Place, plan: SafetyPlan) -> str:
    answer = place.current.answer(plan.reported)
    return answer_words(place.study, place.study.item(plan.reported), answer, place.zone) if answer.value else ""


def report_lines(row: FormData) -> list[ReportLine]:
    """The first report first."""
    reports = list(row.safety_reports.select_related("created_in").order_by("number"))
    reading: dict[UUID, ChangeSet] = {
        one.pk: one for one in ChangeSet.objects.filter(pk__in=[report.read_in for report in reports if report.read_in])
    }
    lines = []
    for report in reports:
        read = reading.get(report.read_in) if report.read_in else None
        by = read.actor_name if read else ""
        lines.append(
            ReportLine(report, report.created_in.at, report.created_in.actor_name, read.at if read else None, by)
        )
    return lines


def _since(row: FormData, last: SafetyReport) -> list[Difference]:
    if last.form_version == row.version:
        return []
    seal = Seal.objects.filter(change_set=last.created_in_id).first()
    n = seal.n if seal else 0
    return differences_of(row, changes_of([row], n).after(row.pk, n))


def assessment_words(row: FormData) -> list[tuple[str, str]]:
    """(what, judgement) as the sponsor has judged it so far; nothing where the study asks for no assessment."""
    study = definition_for(row)
    plan = study.safety.assessment if study.safety else None
    if plan is None:
        return []
    found = SafetyAssessment.objects.filter(form_data=row).first() or SafetyAssessment()
    expected = {None: "–", True: _("Yes"), False: _("No")}[found.expected]
    related = str(study.code_list(plan.causality).label_of(found.related)) if found.related else "–"
    words = [(_("Expected (sponsor)"), expected), (_("Relation to the treatment (sponsor)"), related)]
    if plan.authority:
        words.append((str(plan.authority), short_date(found.authority_on) if found.authority_on else "–"))
    return words
