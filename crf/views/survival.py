"""Many participants looked up in the hospital record at once: who is alive is ticked, who died leads to that form."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from crf.selectors.survival import lines_of
from crf.services import record_alive
from crf.survival_form import SurvivalForm, ticked_in
from pallsoft.accounts.request import AuthenticatedRequest
from sites.clock import local_today
from sites.models import AliveInRecord, Site
from sites.permissions import Permission, sites_for
from sites.selectors import study_for
from sites.submitting import submitted


@require_http_methods(["GET", "HEAD", "POST"])
def survival_check(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """`?site=`: one of the person's sites. POST: `day`, and `seen-NUMBER` for each participant who is alive."""
    study = study_for(request.user, study_oid, Permission.ENTER_DATA)
    sites = list(sites_for(request.user, study, Permission.ENTER_DATA).order_by("city"))
    site = _chosen(sites, request.GET.get("site", ""))
    site.study = study
    lines = lines_of(site, ticked_in(request.POST))
    subjects = {line.number: line.answers.subject for line in lines}
    form = SurvivalForm(request.POST or None, numbers=subjects, today=local_today(site.timezone))

    def act() -> list[AliveInRecord]:
        seen = [subjects[number] for number in form.ticked()]
        return record_alive(site=site, subjects=seen, day=form.cleaned_data["day"], by=request.user)

    if submitted(form, act) is not None:
        n = len(form.ticked())
        said = ngettext("%(n)s participant is recorded as alive.", "%(n)s participants are recorded as alive.", n)
        messages.success(request, said % {"n": n})
        return redirect(f"{reverse('survival-check', args=[study_oid])}?site={site.code}")
    context = {
        "study": study,
        "site": site,
        "sites": sites,
        "form": form,
        "lines": [(line, form[form.stands_at[line.number]]) for line in lines],
    }
    return render(request, "crf/survival.html", context, status=422 if form.errors else 200)


def _chosen(sites: list[Site], code: str) -> Site:
    """The site of that code, or the first; a foreign one is Http404."""
    site = next((one for one in sites if code in ("", one.code)), None)
    if site is None:
        raise Http404
    return site
