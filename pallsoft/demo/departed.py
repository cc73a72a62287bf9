"""The deviations of the demonstration: what the plan of visits finds, one that a nurse entered, and some judged."""

import uuid
from datetime import timedelta

from crf.models import Deviation, DeviationStatus
from crf.services import judge_deviation, record_deviation
from crf.services.off_plan import propose_off_plan
from pallsoft.demo.people import leader_of, place_of
from sites.clock import local_today
from sites.models import Site, SubjectStatus

TOLD = "Time ved feil poliklinikk; flyttet til dagen etter (oppdiktet)."


def deviate(sites: list[Site]) -> None:
    """Every other one is confirmed by the principal investigator; the rest waits."""
    propose_off_plan()
    subject = sites[0].subjects.filter(status=SubjectStatus.RANDOMIZED).select_related("site__study", "study").first()
    if subject:
        record_deviation(
            subject=subject,
            rule_oid="OTHER_MINOR",
            happened_on=local_today(subject.site.timezone) - timedelta(days=3),
            description=TOLD,
            key=uuid.uuid4(),
            by=place_of(subject.site).nurse,
        )
    found = Deviation.objects.filter(subject__site__in=sites).select_related("subject__site__study", "subject__study")
    for deviation in found.order_by("subject__number", "rule_oid")[::2]:
        judge_deviation(
            deviation=deviation,
            status=DeviationStatus.CONFIRMED,
            seen=DeviationStatus.PROPOSED,
            by=leader_of(deviation.subject.site),
        )
