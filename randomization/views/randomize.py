"""Randomise: read back, arm, act; afterwards the same page is the result, for everybody and for ever (S02)."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.pdf import can_make_pdf, pdf_of
from randomization import services
from randomization.forms import RandomizeForm
from randomization.models import Allocation
from randomization.readiness import readiness_of
from randomization.receipt import allocation_of, next_visits, receipt_for
from randomization.views.strip import strip_of
from sites.models import Subject, Task
from sites.permissions import Permission, has_permission, may_perform
from sites.selectors import subject_for
from sites.submitting import submitted

RECEIPT_CSS = "randomization/receipt.css"


@require_http_methods(["GET", "HEAD", "POST"])
def randomize_page(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """The page before randomisation, and the result after it. A repeated POST ends at the same result."""
    subject = subject_for(request.user, study_oid, number)
    form = RandomizeForm(request.POST or None, number=number)
    allocation = allocation_of(subject) or submitted(form, lambda: _randomize(form, subject, request))
    if allocation is None:
        return _before(request, subject, form)
    if request.method == "POST":
        return redirect("randomize", study_oid=study_oid, number=number)
    return _result(request, subject, allocation)


@require_safe
def receipt_pdf(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """The receipt to file. Http404 before randomisation and on a machine that cannot make PDF."""
    subject = subject_for(request.user, study_oid, number)
    allocation = allocation_of(subject)
    if allocation is None or not can_make_pdf():
        raise Http404
    context = {"receipt": receipt_for(request.user, subject, allocation), "subject": subject, "lang": get_language()}
    pdf = pdf_of(render_to_string("randomization/receipt.html", context), render_to_string(RECEIPT_CSS))
    name = _("randomisation-%(number)s.pdf") % {"number": number}
    return HttpResponse(pdf, "application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _randomize(form: RandomizeForm, subject: Subject, request: AuthenticatedRequest) -> Allocation:
    try:
        return services.randomize(subject=subject, by=request.user, **form.cleaned_data)
    except services.AlreadyRandomized as refusal:  # a colleague was quicker: show what stands
        return refusal.allocation


def _before(request: AuthenticatedRequest, subject: Subject, form: RandomizeForm) -> HttpResponse:
    ready = readiness_of(subject)
    context = {
        "study": subject.study,
        "subject": subject,
        "strip": strip_of(request.user, subject),
        "ready": ready,
        "form": form,
        "may_randomize": may_perform(request.user, Task.RANDOMIZE, subject.site),
    }
    return render(request, "randomization/randomize.html", context, status=422 if form.errors else 200)


def _result(request: AuthenticatedRequest, subject: Subject, allocation: Allocation) -> HttpResponse:
    context = {
        "study": subject.study,
        "subject": subject,
        "strip": strip_of(request.user, subject),
        "receipt": receipt_for(request.user, subject, allocation),
        "visits": next_visits(subject),
        "can_make_pdf": can_make_pdf(),
        "may_correct": has_permission(request.user, Permission.REQUEST_CORRECTION, subject.study, subject.site),
    }
    return render(request, "randomization/result.html", context)
