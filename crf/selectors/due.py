"""The visits of many subjects that may be due; whether each is, says crf.schedule."""

from datetime import date

from django.db.models import QuerySet

from crf.models import StudyEvent


def waiting_visits(by: date) -> QuerySet[StudyEvent]:
    """Visits whose window has begun on the day `by` and that nobody has done or closed, the earliest end first."""
    open_ones = StudyEvent.objects.filter(happened_on=None, not_done_reason="", window_from__lte=by)
    return open_ones.order_by("window_to", "event_oid", "ordinal")
