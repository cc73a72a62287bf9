"""The one page that every administrative form is shown on."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sites.models import Subject


def form_page(request: HttpRequest, form: forms.Form, **page: Any) -> HttpResponse:
    """`page`: title, action (the button's words), back (where "Cancel" leads), and optionally lead, study, tone."""
    status = 422 if form.errors else 200
    return render(request, "sites/form.html", {"form": form, **page}, status=status)


def consent_form_page(
    request: HttpRequest, form: forms.Form, subject: Subject, title: str, action: str, lead: str = ""
) -> HttpResponse:
    """A form about a subject's consent; "Cancel" leads back to the consent as it stands."""
    return form_page(
        request,
        form,
        study=subject.study,
        title=title,
        lead=lead,
        action=action,
        back="consent",
        back_number=subject.number,
    )
