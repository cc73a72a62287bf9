"""Tables beside the forms. Apps above register theirs, so that an export never imports a treatment."""

from collections.abc import Callable, Iterable
from typing import Any

from crf.exports.dataset import Scope
from sites.models import Consent, ConsentOption, ScreeningEntry, Subject
from trials.models import Study

Rows = tuple[str, list[str], Iterable[Iterable[Any]]]
Provider = Callable[[Study, Scope], Rows]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Add a table (file name, header, rows) to every export."""
    _providers.append(provider)


def tables(study: Study, scope: Scope) -> list[Rows]:
    return [provider(study, scope) for provider in (subjects, consents, consent_options, screening_log, *_providers)]


def subjects(study: Study, scope: Scope) -> Rows:
    fields = ["number", "site__code", "birth_year", "sex", "status"]
    found = Subject.objects.filter(study=study, site__code__in=scope.sites).order_by("number")
    return "SUBJECTS.csv", ["SUBJECT", "SITE", "BIRTH_YEAR", "SEX", "STATUS"], found.values_list(*fields)


def consents(study: Study, scope: Scope) -> Rows:
    found = Consent.objects.standing().filter(study=study, subject__site__code__in=scope.sites)
    rows = (
        [c.subject.number, c.version, _instant(c.signed_at), c.language, c.copy_given, c.interpreter_language]
        for c in found.select_related("subject").order_by("subject__number", "signed_at")
    )
    header = ["SUBJECT", "CONSENT_VERSION", "SIGNED_AT", "LANGUAGE", "COPY_GIVEN", "INTERPRETER_LANGUAGE"]
    return "CONSENTS.csv", header, rows


def consent_options(study: Study, scope: Scope) -> Rows:
    found = ConsentOption.objects.filter(study=study, subject__site__code__in=scope.sites, consent__corrected_by=None)
    rows = (
        [o.subject.number, o.consent.version, o.option, o.granted, _instant(o.withdrawn_at)]
        for o in found.select_related("subject", "consent").order_by("subject__number", "consent__signed_at", "option")
    )
    return "CONSENT_OPTIONS.csv", ["SUBJECT", "CONSENT_VERSION", "OPTION", "GRANTED", "WITHDRAWN_AT"], rows


def screening_log(study: Study, scope: Scope) -> Rows:
    fields = ["site__code", "own_number", "screened_in", "age_band", "sex", "outcome", "reason_code", "subject__number"]
    found = ScreeningEntry.objects.filter(study=study, site__code__in=scope.sites).order_by("site__code", "own_number")
    header = ["SITE", "ENTRY", "MONTH", "AGE_BAND", "SEX", "OUTCOME", "REASON", "SUBJECT"]
    return "SCREENING_LOG.csv", header, found.values_list(*fields)


def _instant(at: Any) -> str:
    """UTC as ISO 8601 with its zone; empty when there is none."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""
