"""What signing adds to the worklist: what changed after it was signed, what waits, what deputies signed."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import ngettext

from crf.models import Meaning
from crf.selectors.effort import MINUTES_A_SIGNATURE
from crf.selectors.signatures import ABSENCE_DAYS, signed_on_delegation
from crf.selectors.to_sign import forms_to_sign, signing_sites
from pallsoft.accounts.models import Profession, User
from sites.models import Site
from sites.permissions import Permission, permissions_anywhere
from sites.worklist import WorkItem
from trials.models import Study


def waiting(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for each subject with a void signature, and one for each site with forms that wait."""
    held = permissions_anywhere(user, study)
    if Permission.SIGN not in held:
        return
    for site in signing_sites(user, study):
        yield from _at(site, study, user)
    if Permission.DELEGATE in held and (signed := len(signed_on_delegation(user, study))):
        told = ngettext(
            "%(n)s signature was given on delegation in the last %(days)s days.",
            "%(n)s signatures were given on delegation in the last %(days)s days.",
            signed,
        )
        yield WorkItem(told % {"n": signed, "days": ABSENCE_DAYS}, f"{_url(study)}#delegated", "signed")


def _at(site: Site, study: Study, user: User) -> Iterator[WorkItem]:
    waits = forms_to_sign([site], Meaning.REVIEWED)
    void = Counter(waits.filter(was_signed=True).order_by().values_list("subject__number", flat=True))
    for number, n in sorted(void.items()):
        told = ngettext(
            "%(number)s: %(n)s form lost its signature by a change.",
            "%(number)s: %(n)s forms lost their signature by a change.",
            n,
        )
        yield WorkItem(told % {"number": number, "n": n}, _url(study), "sign", minutes=n * MINUTES_A_SIGNATURE)
    if n := waits.filter(was_signed=False).count():
        told = ngettext("%(site)s: %(n)s form waits for a signature.", "%(site)s: %(n)s forms wait for a signature.", n)
        yield WorkItem(told % {"site": site, "n": n}, _url(study), "sign", minutes=n * MINUTES_A_SIGNATURE)
    if user.profession == Profession.PHYSICIAN and (n := forms_to_sign([site], Meaning.ASSESSED).count()):
        told = ngettext(
            "%(site)s: %(n)s assessment waits for a physician.", "%(site)s: %(n)s assessments wait for a physician.", n
        )
        url = _url(study, meaning=Meaning.ASSESSED)
        yield WorkItem(told % {"site": site, "n": n}, url, "sign", minutes=n * MINUTES_A_SIGNATURE)


def _url(study: Study, **query: str) -> str:
    return reverse("to-sign", args=[study.oid]) + (f"?{urlencode(query)}" if query else "")
