"""The log of deviations as a page and as CSV, and the judgement of the principal investigator."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crf.deviation_form import DeviationForm
from crf.exports.archive import rows_csv
from crf.models import DeviationStatus
from crf.selectors.deviation_log import DeviationLine, DeviationLog, kinds_for
from crf.services import judge_deviation, record_deviation
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow
from sites.permissions import Permission, require
from sites.selectors import study_for, subject_for
from sites.submitting import submitted
from sites.views.forms import form_page

ON_A_PAGE = 50
HEADER = [
    "SUBJECT", "SITE", "RULE", "WEIGHT", "FOUND_BY", "EVENT", "ORDINAL", "FORM", "REPEAT", "CHECK", "HAPPENED_ON",
    "FOUND_AT", "MESSAGE", "EXPLANATION", "STATUS", "STANDS",
]  # fmt: skip


@require_safe
def deviation_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """`?site=CODE`, `?status=` proposed, confirmed or rejected, `?weight=` major or minor, `?rule=` of the table."""
    return _shown(request, _log(request, study_oid))


@require_http_methods(["POST"])
def judge(request: AuthenticatedRequest, study_oid: str, deviation_id: UUID) -> HttpResponse:
    """POST `status`: confirmed or rejected; `seen`: the status that the page showed."""
    log = _log(request, study_oid)
    deviation = log.one(deviation_id)
    require(request.user, Permission.JUDGE_DEVIATION, log.study, deviation.subject.site)
    try:
        judge_deviation(
            deviation=deviation,
            status=_status(request.POST.get("status", "")),
            seen=_status(request.POST.get("seen", "")),
            by=request.user,
            reason=request.POST.get("reason", ""),
        )
    except (Conflict, InvalidInput, NotAllowedNow) as refusal:
        return _shown(request, log, error=refusal.message, at=deviation_id, status=refusal.status)
    messages.success(request, _("The judgement is stored."))
    back = f"?{request.GET.urlencode()}" if request.GET else ""
    return redirect(f"{_address(log)}{back}")


@require_http_methods(["GET", "HEAD", "POST"])
def record(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number, Permission.RECORD_DEVIATION)
    form = DeviationForm(request.POST or None, kinds=kinds_for(request.user, subject))
    if submitted(form, lambda: record_deviation(subject=subject, **form.cleaned_data, by=request.user)):
        messages.success(request, _("The deviation is stored. The principal investigator judges it."))
        return redirect("subject", study_oid=study_oid, number=number)
    return form_page(
        request,
        form,
        study=subject.study,
        title=_("Deviation of %(number)s") % {"number": number},
        lead=_("What departed from the protocol, as it was. Nobody’s name, and no health data of others."),
        action=_("Save"),
        back="subject",
        back_number=number,
    )


@require_safe
def deviation_csv(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """Exactly what the page shows with these filters, all pages of it."""
    log = _log(request, study_oid)
    rows = map(_csv_line, log.lines(log.found))
    content = rows_csv("deviations", HEADER, rows).content
    name = f'attachment; filename="{log.study.oid}-deviations.csv"'
    return HttpResponse(content, "text/csv", headers={"Content-Disposition": name})


def _csv_line(line: DeviationLine) -> list[Any]:
    row = line.deviation
    event = row.event.key if row.event else ("", "")
    form = (row.form_data.form_oid, row.form_data.repeat_key) if row.form_data else ("", "")
    return [
        row.subject.number, row.subject.site.code, row.rule_oid, line.rule.weight if line.rule else "", row.found_by,
        *event, *form, row.check_oid, row.happened_on, f"{line.found_at:%Y-%m-%dT%H:%M:%SZ}", line.message,
        row.explanation, row.status, "yes" if line.stands else "no",
    ]  # fmt: skip


def _log(request: AuthenticatedRequest, study_oid: str) -> DeviationLog:
    study = study_for(request.user, study_oid, Permission.VIEW_SUBJECT)
    return DeviationLog(request.user, study, request.GET.dict())


def _status(text: str) -> DeviationStatus:
    """Raises InvalidInput for a word that is none."""
    if text not in DeviationStatus.values:
        raise InvalidInput({"status": [_("Choose one of the answers on the list.")]})
    return DeviationStatus(text)


def _address(log: DeviationLog) -> str:
    return reverse("deviations", args=[log.study.oid])


def _shown(
    request: AuthenticatedRequest, log: DeviationLog, error: str = "", at: UUID | None = None, status: int = 200
) -> HttpResponse:
    page = Paginator(log.found, ON_A_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "study": log.study,
        "log": log,
        "page": page,
        "lines": log.lines(page.object_list),
        "error": error,
        "at": at,
        "reason": request.POST.get("reason", ""),
    }
    with timezone.override(log.study.timezone):
        return render(request, "crf/deviations.html", context, status=status)
