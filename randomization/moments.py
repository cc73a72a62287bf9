"""The server's time as people read it: day, clock and zone of the trial."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from pallsoft.templatetags.ui import moment
from trials.models import Study


def moment_in(at: datetime, study: Study) -> str:
    """1. sep. 2026 kl. 14.32 (CEST, UTC+02:00): no doubt even in the hour that the clocks give twice."""
    zone = ZoneInfo(study.timezone)
    offset = at.astimezone(zone).strftime("%z")
    with timezone.override(zone):
        return f"{moment(at)} ({at.astimezone(zone).tzname()}, UTC{offset[:3]}:{offset[3:]})"
