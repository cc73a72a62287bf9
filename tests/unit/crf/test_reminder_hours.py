"""When mails may leave: in the hours of the plan, on working days of Norway, by the clock of the site."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from crf.reminders.holding import next_opening
from trials.definition import ReminderPlan

PLAN = ReminderPlan(send_from="08:00", send_until="15:30")
OSLO = ZoneInfo("Europe/Oslo")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=OSLO)


@pytest.mark.parametrize(
    "now, opens",
    [
        ("2026-11-26T08:00", "2026-11-26T08:00"),
        ("2026-11-26T15:29", "2026-11-26T15:29"),
        ("2026-11-26T15:30", "2026-11-27T08:00"),
        ("2026-11-26T02:30", "2026-11-26T08:00"),
        ("2026-11-27T16:00", "2026-11-30T08:00"),  # Friday afternoon to Monday
        ("2026-11-28T10:00", "2026-11-30T08:00"),
        ("2027-03-24T15:30", "2027-03-30T08:00"),  # the whole of Easter
        ("2027-05-17T10:00", "2027-05-18T08:00"),  # the national day, a Monday (S05)
        ("2026-12-24T12:00", "2026-12-24T12:00"),  # Christmas Eve is no public holiday
        ("2026-12-25T12:00", "2026-12-28T08:00"),
        ("2026-10-25T02:30", "2026-10-26T08:00"),  # the night that has two of this moment (S25)
    ],
)
def test_the_next_moment_at_which_a_mail_may_leave(now, opens):
    assert next_opening(PLAN, at(now)) == at(opens)
