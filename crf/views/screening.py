"""The screening log as CSV: exactly what its page shows with these filters, all pages of it (CONSORT enrolment)."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from crf.exports.archive import rows_csv
from pallsoft.accounts.request import AuthenticatedRequest
from sites.permissions import Permission
from sites.selectors import screening_log_of, study_for

HEADER = ["SITE", "NUMBER", "MONTH", "AGE_BAND", "SEX", "OUTCOME", "REASON", "SUBJECT"]


@require_safe
def screening_csv(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.VIEW_SUBJECT)
    rows = (
        [
            entry.site.code, entry.own_number, entry.month, entry.age_band, entry.sex, entry.outcome,
            entry.reason_code, entry.subject.number if entry.subject else "",
        ]
        for entry in screening_log_of(request.user, study, request.GET.dict()).entries
    )  # fmt: skip
    content = rows_csv("screening", HEADER, rows).content
    name = f'attachment; filename="{study.oid}-screening.csv"'
    return HttpResponse(content, "text/csv", headers={"Content-Disposition": name})
