"""How a subject's pages stood at any instant: the moments at which something changed, and going back to one of them.

The database puts the subject's tables back for one transaction (audit/sql/look_back.sql); the pages of then are drawn
by the code that draws those of now.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils.translation import gettext as _

from crf.entry import dates
from crf.entry.refusal import Refused
from crf.models import FormData
from crf.selectors.loading import sees_arm
from crf.selectors.place import Place
from crf.selectors.secrets import betrays_arm, event_betrays_arm
from sites.clock import looking_back_to
from sites.models import Subject
from sites.permissions import AnyUser, Permission, has_permission
from trials.definition import StudyDef

LAST = "last"  # the address of the slider from a page of now
LONGEST = 40  # letters of a moment that somebody typed


@dataclass(frozen=True)
class Moment:
    """A link of the chain that changed something here. `n`: its number in the study, `step`: its place among these."""

    step: int
    n: int
    at: datetime


@dataclass(frozen=True)
class TimeSlider:
    """`chosen`: what the page shows; None for now. `error`: why what was asked for could not be shown."""

    moments: list[Moment]
    chosen: Moment | None = None
    error: str = ""

    @property
    def step(self) -> int:
        return self.chosen.step if self.chosen else len(self.moments)

    @property
    def previous(self) -> Moment | None:
        before = self.moments[: self.step - 1] if self.chosen else self.moments[:-1]
        return before[-1] if before else None

    @property
    def next(self) -> Moment | None:
        after = self.moments[self.step :] if self.chosen else []
        return after[0] if after else None

    @property
    def query(self) -> str:
        """What keeps the moment in a link to another page of the subject."""
        return f"?as_of={self.chosen.n}" if self.chosen else ""


def subject_slider(asked: Mapping[str, str], subject: Subject, study: StudyDef, user: AnyUser) -> TimeSlider | None:
    """Every moment of the subject that the person may see; None for who may not see its history."""
    return _slider(asked, subject, study, user, None)


def form_slider(asked: Mapping[str, str], place: Place, user: AnyUser) -> TimeSlider | None:
    """The moments of one form, what was asked and verified in it included."""
    if place.event._state.adding:
        return None
    rows = FormData.objects.filter(event=place.event, form_oid=place.form.oid, repeat_key=place.repeat_key)
    return _slider(asked, place.subject, place.study, user, set(rows.values_list("pk", flat=True)))


def _slider(
    asked: Mapping[str, str], subject: Subject, study: StudyDef, user: AnyUser, forms: set[UUID] | None
) -> TimeSlider | None:
    if not has_permission(user, Permission.VIEW_TRAIL, subject.study, subject.site):
        return None
    moments = _moments(subject, study, sees_arm(user, subject), forms)
    if not moments:
        return None
    try:
        return TimeSlider(moments, _chosen(asked, moments, ZoneInfo(subject.site.timezone)))
    except Refused as refusal:
        return TimeSlider(moments, None, refusal.sentence)


@contextmanager
def looking_back(subject: Subject, slider: TimeSlider | None) -> Iterator[None]:
    """Within it, everything read of the subject is as it was at the chosen moment, `subject` itself included; as it is
    when none is chosen. Nothing of it can be written."""
    if slider is None or slider.chosen is None:
        yield
        return
    with transaction.atomic(), looking_back_to(slider.chosen.at):
        with connection.cursor() as cursor:
            cursor.execute("SELECT audit.look_back(%s, %s)", [subject.pk, slider.chosen.n])
        subject.refresh_from_db(fields=[field.attname for field in subject._meta.fields if not field.is_relation])
        yield


def _chosen(asked: Mapping[str, str], moments: list[Moment], zone: ZoneInfo) -> Moment | None:
    """`step`: the place of the slider. `as_of`: the number of a link, or a moment as people write it; neither: now."""
    step, wanted = asked.get("step", ""), asked.get("as_of", "").strip()
    if step.isascii() and step.isdecimal() and len(step) < 10:
        return moments[min(max(int(step), 1), len(moments)) - 1]
    if not wanted:
        return None
    if wanted == LAST:
        return moments[-1]
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 16:
        past = [moment for moment in moments if moment.n <= int(wanted)]
    else:
        instant = _instant(wanted, zone)
        past = [moment for moment in moments if moment.at <= instant]
    if not past:
        raise Refused(_("Nothing was stored yet then. The first moment is the one furthest to the left."))
    return past[-1]


def _instant(typed: str, zone: ZoneInfo) -> datetime:
    if len(typed) > LONGEST:
        raise Refused(_("Write a moment as 01.09.2026 14:32."))
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        found = datetime.strptime(dates.instant(typed, zone), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _moments(subject: Subject, study: StudyDef, with_arm: bool, forms: set[UUID] | None) -> list[Moment]:
    hidden = set() if with_arm else _betraying(study)
    with connection.cursor() as cursor:
        cursor.execute("SELECT n, at, form, form_oid, event_oid, item FROM audit.touching(%s) ORDER BY n", [subject.pk])
        rows = cursor.fetchall()
    found = {
        n: at
        for n, at, form, *named in rows
        if hidden.isdisjoint(named) and (forms is None or (form and UUID(str(form)) in forms))
    }
    return [Moment(step, n, at) for step, (n, at) in enumerate(found.items(), 1)]


def _betraying(study: StudyDef) -> set[Any]:
    """OIDs whose moments would tell the arm: when a fraction was given, and how many."""
    forms = {form.oid for form in study.forms if betrays_arm(study, form)}
    events = {event.oid for event in study.events if event_betrays_arm(study, event)}
    items = {item.oid for form in study.forms for item in form.items if item.reveals_arm}
    return forms | events | items
