"""The events of a site that were reported, with what the sponsor has done about them: one query for the lists."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Subquery

from crf.models import FormData, SafetyAssessment, SafetyReport
from sites.models import Site


@dataclass(frozen=True)
class Reported:
    """`has_news`: the form has changed since the last report; `unread`: a report is not read; `assessed`: whole."""

    row: FormData
    has_news: bool
    unread: bool
    assessed: bool


def reported_at(site: Site) -> list[Reported]:
    """The oldest first; none of a participant whose data are erased."""
    reports = SafetyReport.objects.filter(form_data=OuterRef("pk"))
    judged = SafetyAssessment.objects.filter(form_data=OuterRef("pk"), expected__isnull=False).exclude(related="")
    rows = (
        FormData.objects.filter(subject__site=site, removed_in=None)
        .annotate(
            reported_version=Subquery(reports.order_by("-number").values("form_version")[:1]),
            unread=Exists(reports.filter(read_in=None)),
            assessed=Exists(judged),
        )
        .filter(reported_version__isnull=False)
        .exclude(data={})
        .select_related("subject", "event", "created_in")
    )
    return [
        Reported(row, row.version != row.reported_version, row.unread, row.assessed)
        for row in rows.order_by("created_in__at")
    ]
