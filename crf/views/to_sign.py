"""The page "To sign": what waits at the person's sites, with exactly what is signed, and many signed at once."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from crf.models import FormData, Meaning, Signature
from crf.selectors.signatures import Given, signed_on_delegation
from crf.selectors.to_sign import entries, forms_to_sign, signing_sites
from crf.services.signing import sign_many
from crf.views.signature_box import Problem, problem_of, proof_by, signature_box
from pallsoft.accounts.models import Profession
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.audit.selectors import chain_head
from pallsoft.errors import InvalidInput, PallsoftError
from sites.models import Site
from sites.permissions import Permission
from sites.selectors import study_for
from trials.models import Study

PER_PAGE = 20


@require_http_methods(["GET", "HEAD", "POST"])
def to_sign(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """Everything that waits at the person's sites; POST `form`: "id:seen" of each chosen one."""
    study = study_for(request.user, study_oid, Permission.SIGN)
    sites = signing_sites(request.user, study)
    meaning = Meaning.ASSESSED if request.GET.get("meaning") == Meaning.ASSESSED else Meaning.REVIEWED
    problem = Problem()
    if request.method == "POST":
        try:
            given = _sign_chosen(request, study, meaning)
        except PallsoftError as refusal:
            problem = problem_of(request, refusal)
        else:
            told = ngettext("%(n)s form is signed.", "%(n)s forms are signed.", len(given))
            messages.success(request, told % {"n": len(given)})
            return redirect(request.get_full_path())
    return render(request, "crf/to_sign.html", _listed(request, study, sites, meaning, problem), status=problem.status)


def _sign_chosen(request: AuthenticatedRequest, study: Study, meaning: Meaning) -> list[Signature]:
    seen = _chosen(request.POST.getlist("form"))
    sites = signing_sites(request.user, study)
    forms = FormData.objects.filter(pk__in=seen, subject__site__in=sites).select_related(
        "subject__site__study", "subject__study", "event"
    )
    if not forms:
        raise InvalidInput({"": [_("Choose what you want to sign.")]})
    return sign_many(forms=forms, meaning=meaning, seen=seen, by=request.user, proof=proof_by(request))


def _listed(
    request: AuthenticatedRequest, study: Study, sites: list[Site], meaning: Meaning, problem: Problem
) -> dict[str, Any]:
    page = Paginator(forms_to_sign(sites, meaning), PER_PAGE).get_page(request.GET.get("page"))
    listed = entries(page.object_list, meaning)
    counts = {one: forms_to_sign(sites, one).count() for one in (Meaning.REVIEWED, Meaning.ASSESSED)}
    delegated = [Given(signature, None) for signature in signed_on_delegation(request.user, study)]
    return signature_box(request, None, problem) | {
        "study": study,
        "sites": sites,
        "meaning": meaning,
        "meanings": [meaning],
        "counts": {one.value: n for one, n in counts.items()},
        "page": page,
        "changed": [entry for entry in listed if entry.before],
        "ready": [entry for entry in listed if not entry.before],
        "chosen": {text.partition(":")[0] for text in request.POST.getlist("form")},
        "delegated": delegated,
        "seal": chain_head(study.pk).n,
        "may_assess": request.user.profession == Profession.PHYSICIAN,
    }


def _chosen(texts: list[str]) -> dict[UUID, str]:
    seen = {}
    for text in texts:
        form, _colon, digest = text.partition(":")
        try:
            seen[UUID(form)] = digest
        except ValueError:
            raise InvalidInput({"": [_("Choose what you want to sign.")]}) from None
    return seen
