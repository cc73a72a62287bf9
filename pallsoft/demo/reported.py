"""The serious events of the demonstration as the sites reported them, and what the sponsor has done about them."""

from crf.models import FormData
from crf.services import Assessed, assess_event, read_report, report_event
from pallsoft.accounts.models import User
from pallsoft.demo.people import place_of
from sites.models import Site

UNREAD, UNASSESSED = 2, 5  # the newest so many are not read, or not assessed


def report_events(sites: list[Site], sponsor: User) -> None:
    """Each serious event once; the newest still wait for the sponsor."""
    rows = FormData.objects.filter(form_oid="AE", removed_in=None, data__AE_SER="Y", subject__site__in=sites)
    nurses = {site.pk: place_of(site).nurse for site in sites}
    found = list(
        rows.select_related("subject__site__study", "study", "event").order_by("-data__AE_ON", "subject__number")
    )
    for n, row in enumerate(found):
        row.subject.study = row.study
        report = report_event(form=row, seen_version=row.version, by=nurses[row.subject.site_id])
        if n >= UNREAD:
            read_report(report=report, by=sponsor)
        if n >= UNASSESSED:
            said = Assessed(expected=n % 4 != 0, related=row.data["AE_REL"], authority_on=None)
            assess_event(form=row, said=said, seen=Assessed(None, "", None).token, by=sponsor)
