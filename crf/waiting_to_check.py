"""What verification and locking add to the worklist: values that changed since, locks that wait for a second person."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crf.models import DeviationStatus, FormData
from crf.selectors.deviation_log import weighing
from crf.selectors.locks import shown_locks
from crf.selectors.plan import marks_of
from crf.selectors.visible import Definitions, visible_deviations
from pallsoft.accounts.models import User
from sites.permissions import Permission, at_sites, permissions_anywhere, sites_for
from sites.worklist import WorkItem
from trials.models import Study


def to_verify_again(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for each subject of whom verified answers have changed, at the sites of the monitor."""
    sites = sites_for(user, study, Permission.VERIFY)
    subjects = list(study.subjects.filter(site__in=sites, verifications__dropped_in__isnull=False).distinct())
    alive = set(FormData.objects.filter(subject__in=subjects, removed_in=None).values_list("pk", flat=True))
    marks = marks_of(subjects)
    for subject in subjects:
        changed = marks[subject.pk].changed_in(alive)
        if changed:
            told = {"number": subject.number, "n": changed}
            sentence = ngettext(
                "%(number)s: %(n)d verified answer has changed since.",
                "%(number)s: %(n)d verified answers have changed since.",
                changed,
            )
            yield WorkItem(
                sentence % told, reverse("subject-verification", args=[study.oid, subject.number]), "changed"
            )


def to_judge(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for the major deviations that nobody has judged, at the sites of the principal investigator.

    A minor one is listed and asks nobody to act.
    """
    at = at_sites(user, study, Permission.JUDGE_DEVIATION, "subject__site")
    if at and not at["subject__site__in"]:
        return
    proposed = visible_deviations(user, study).filter(status=DeviationStatus.PROPOSED, **at)
    proposed = weighing(proposed, Definitions(study).deviation_rules, "major")
    if count := proposed.count():
        sentence = ngettext("%(n)s deviation waits to be judged.", "%(n)s deviations wait to be judged.", count)
        url = f"{reverse('deviations', args=[study.oid])}?status={DeviationStatus.PROPOSED}&weight=major"
        yield WorkItem(sentence % {"n": count}, url, "confirm")


def to_confirm(user: User, study: Study) -> Iterator[WorkItem]:
    """Locks of a site or the study that somebody wants lifted, for the person who may be the second."""
    if Permission.CONFIRM_UNLOCK not in permissions_anywhere(user, study):
        return
    for shown in shown_locks(study, user):
        if shown.asked and shown.may_lift:
            sentence = _("%(name)s wants %(where)s opened again. Confirm or leave it closed.")
            told = {"name": shown.asked.actor_name, "where": shown.where}
            yield WorkItem(sentence % told, reverse("lift-lock", args=[study.oid, shown.lock.pk]), "confirm")
