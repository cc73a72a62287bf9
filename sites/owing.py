"""What leaving and new consent forms add to the worklist: consents to sign, samples to destroy, erasures to confirm."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from sites.clock import local_today
from sites.models import Erasure, SampleTask, Subject
from sites.permissions import Permission, sites_for
from sites.reconsent import TAKING_PART, must_reconsent
from sites.worklist import WorkItem
from trials.models import Study


def owing(user: User, study: Study) -> Iterator[WorkItem]:
    """By the person's permissions at each site."""
    yield from _consents(user, study)
    yield from _samples(user, study)
    yield from _erasures(user, study)


def _consents(user: User, study: Study) -> Iterator[WorkItem]:
    sites = {site.pk: site for site in sites_for(user, study, Permission.RECORD_CONSENT)}
    subjects = list(Subject.objects.filter(site__in=sites, status__in=TAKING_PART).order_by("number"))
    for subject in subjects:
        subject.study, subject.site = study, sites[subject.site_id]
        subject.site.study = study
    for subject, version in must_reconsent(subjects):
        sentence = _("%(number)s signs version %(version)s of the consent form before the next visit.")
        told = sentence % {"number": subject.number, "version": version}
        yield WorkItem(told, reverse("further-consent", args=[study.oid, subject.number]), "due")


def _samples(user: User, study: Study) -> Iterator[WorkItem]:
    sites = sites_for(user, study, Permission.RECORD_CONSENT)
    tasks = SampleTask.objects.filter(subject__site__in=sites, done_on=None, dropped_in=None)
    for task in tasks.select_related("subject"):
        told = {"number": task.subject.number, "day": f"{task.due_on:%d.%m.%Y}"}
        sentence = _("%(number)s: the samples are to be destroyed by %(day)s.") % told
        url = reverse("confirm-destroyed", args=[study.oid, task.subject.number, task.pk])
        late = task.due_on < local_today(study.timezone)
        yield WorkItem(sentence, url, "overdue" if late else "due", task.due_on)


def _erasures(user: User, study: Study) -> Iterator[WorkItem]:
    sites = sites_for(user, study, Permission.ERASE)
    wishes = Erasure.objects.filter(subject__site__in=sites, declined_in=None, erased_at=None)
    for wish in wishes.select_related("subject").exclude(first_confirmed_by=user):
        sentence = _("%(number)s asks for erasure: two persons confirm it.") % {"number": wish.subject.number}
        yield WorkItem(sentence, reverse("erasure", args=[study.oid, wish.subject.number]), "confirm", wish.wished_on)
