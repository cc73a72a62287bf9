"""What the contact log adds to the worklist: whom to try again."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils.translation import gettext as _

from crf.models import StudyEvent
from crf.selectors.effort import MINUTES_A_TRY
from pallsoft.accounts.models import User
from sites.clock import local_today
from sites.models import ContactAttempt, Site
from sites.participation import participations
from sites.permissions import Permission, sites_for
from sites.worklist import WorkItem
from trials.models import Study


def to_try_again(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for each participant whose next try is due, until another is logged or a visit took place."""
    for site in sites_for(user, study, Permission.ENTER_DATA):
        due = list(_last_tries(site).filter(next_on__lte=local_today(site.timezone)).order_by("next_on"))
        taking_part = participations({attempt.subject_id for attempt in due})
        for attempt in due:
            if not taking_part[attempt.subject_id].state:
                yield _item(attempt, study)


def _last_tries(site: Site) -> QuerySet[ContactAttempt]:
    """The latest try of each participant, unless a visit took place since."""
    of_subject = ContactAttempt.objects.filter(subject=OuterRef("subject")).order_by("-tried_at")
    met_since = StudyEvent.objects.filter(subject=OuterRef("subject"), happened_on__gte=OuterRef("tried_on"))
    last = ContactAttempt.objects.filter(subject__site=site, pk=Subquery(of_subject.values("pk")[:1]))
    last = last.annotate(tried_on=TruncDate("tried_at", tzinfo=ZoneInfo(site.timezone)))
    return last.exclude(Exists(met_since)).select_related("subject")


def _item(attempt: ContactAttempt, study: Study) -> WorkItem:
    told = {"number": attempt.subject.number, "result": attempt.get_result_display()}
    sentence = _("%(number)s: try to reach the participant again (last time: %(result)s).") % told
    url = reverse("record-lost", args=[study.oid, attempt.subject.number])
    return WorkItem(sentence, url, "due", attempt.next_on, MINUTES_A_TRY)
