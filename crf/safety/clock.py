"""Which serious events are not reported to the sponsor yet, and until when they have to be (S16)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor

from crf.models import FormData
from sites.models import Site
from trials.definition import YES_NO, SafetyPlan, StudyDef
from trials.values import typed

YES = YES_NO.items[0].code


@dataclass(frozen=True)
class Unreported:
    """A serious event without a time of report. `deadline`: so many hours after the site became aware."""

    form: FormData
    deadline: datetime

    def hours_left(self, now: datetime) -> int:
        """Whole hours; negative when the deadline has passed, and never nought."""
        left = (self.deadline - now) / timedelta(hours=1)
        return ceil(left) if left > 0 else min(-1, floor(left))


def unreported_at(site: Site, study: StudyDef) -> Iterator[Unreported]:
    """At a site whose forms are asked under `study`, the oldest first."""
    plan = study.safety
    if plan is None:
        return
    rows = FormData.objects.filter(
        subject__site=site, form_oid=plan.form, removed_in=None, **{f"data__{plan.serious}": YES}
    ).exclude(data__has_key=plan.reported)
    for row in rows.select_related("subject__site", "subject__study", "event", "created_in"):
        if is_serious(row, plan):
            yield Unreported(row, aware_at(row, study, plan) + timedelta(hours=plan.hours))


def aware_at(row: FormData, study: StudyDef, plan: SafetyPlan) -> datetime:
    """When the site became aware; while that is not told, when the event was entered."""
    told = row.data.get(plan.aware, "")
    at = typed(study.item(plan.aware), told) if told else None
    return at if isinstance(at, datetime) else row.created_in.at


def is_serious(row: FormData, plan: SafetyPlan | None) -> bool:
    """Does the form stand, and does it say that the event is serious, and no admission that was planned?"""
    if plan is None or row.form_oid != plan.form or row.removed_in is not None:
        return False
    return bool(row.data.get(plan.serious) == YES and not (plan.planned and row.data.get(plan.planned) == YES))
