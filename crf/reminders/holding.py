"""When reminders may leave: not from a copy of the system, not while paused, and in the hours of the plan only."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from sites.models import Site
from sites.selectors import definition_at
from sites.working_days import working_day_from
from trials.definition import ReminderPlan
from trials.models import Mode, Study

LOOK_AGAIN = timedelta(minutes=30)


def are_sent(study: Study) -> bool:
    """Does this system send the reminders of this study at all? A copy of it for training or tests does not."""
    return bool(settings.SENDS_REMINDERS) and study.mode == Mode.LIVE


def held_until(site: Site, now: datetime) -> datetime | None:
    """Until when nothing leaves for a site; None when it may leave now."""
    if not are_sent(site.study) or site.study.reminders_paused or site.reminders_paused:
        return now + LOOK_AGAIN
    opens = next_opening(definition_at(site).reminders, now.astimezone(ZoneInfo(site.timezone)))
    return opens if opens > now else None


def next_opening(plan: ReminderPlan, now: datetime) -> datetime:
    """The first moment from `now` on, by its own clock, that lies in the hours of a working day."""
    first, last = time.fromisoformat(plan.send_from), time.fromisoformat(plan.send_until)
    day = working_day_from(now.date())
    if day == now.date() and now.time() >= last:
        day = working_day_from(day + timedelta(days=1))
    opens = datetime.combine(day, first, now.tzinfo)
    return max(opens, now)
