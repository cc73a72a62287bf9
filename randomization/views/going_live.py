"""The page on which the trial goes live."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from pallsoft.accounts.request import AuthenticatedRequest
from randomization.going_live import obstacles, warnings
from randomization.services import make_live
from sites.forms import ArmedForm
from sites.permissions import Permission
from sites.selectors import study_for
from sites.submitting import submitted
from trials.models import Mode


@require_http_methods(["GET", "HEAD", "POST"])
def going_live(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.MANAGE_STUDY)
    form = ArmedForm(request.POST or None, study_oid=study.oid)
    if submitted(form, lambda: make_live(study=study, reason=form.cleaned_data["reason"], by=request.user)):
        messages.success(request, _("The trial is live. Now the list holder imports the randomisation list."))
        return redirect("sites", study_oid=study_oid)
    context = {
        "study": study,
        "form": form,
        "is_live": study.mode == Mode.LIVE,
        "obstacles": obstacles(study),
        "warnings": list(warnings(study)),
    }
    return render(request, "randomization/going_live.html", context, status=422 if form.errors else 200)
