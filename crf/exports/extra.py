"""Tables beside the forms. Apps above register theirs, so that an export never imports a treatment."""

from collections.abc import Callable, Iterable
from typing import Any

from crf.exports.dataset import Scope
from crf.exports.visits import visits
from crf.models import FormData, SafetyAssessment, SafetyReport, Signature
from crf.selectors.secrets import betrays_arm, event_betrays_arm
from pallsoft.audit.models import ChangeSet
from sites.models import AliveInRecord, Consent, ConsentOption, Death, ScreeningEntry, Stop, Subject
from sites.participation import participations
from trials.definition import StudyDef, definition_of
from trials.models import Study
from trials.selectors import live_version

FORM_ADDRESS = ("SUBJECT", "EVENT", "ORDINAL", "FORM", "REPEAT")
Rows = tuple[str, list[str], Iterable[Iterable[Any]]]
Provider = Callable[[Study, Scope], Rows]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Add a table (file name, header, rows) to every export."""
    _providers.append(provider)


def tables(study: Study, scope: Scope) -> list[Rows]:
    return [provider(study, scope) for provider in _OWN + _providers]


def subjects(study: Study, scope: Scope) -> Rows:
    """An erased subject keeps its row: how many there were does not change (S18)."""
    found = Subject.objects.filter(study=study, site__code__in=scope.sites).order_by("number").select_related("site")
    states = participations(set(found.values_list("pk", flat=True)))
    rows = (
        [s.number, s.site.code, s.birth_year or "", s.sex, s.status, states[s.pk].state or ""] for s in found.iterator()
    )
    return "SUBJECTS.csv", ["SUBJECT", "SITE", "BIRTH_YEAR", "SEX", "STATUS", "LEFT"], rows


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


def deaths(study: Study, scope: Scope) -> Rows:
    fields = ["subject__number", "day", "cause", "place", "told_by"]
    found = Death.objects.standing().filter(study=study, subject__site__code__in=scope.sites)
    header = ["SUBJECT", "DIED_ON", "DIED_OF", "DIED_AT", "TOLD_BY"]
    return "DEATHS.csv", header, found.order_by("subject__number").values_list(*fields)


def stops(study: Study, scope: Scope) -> Rows:
    """What participants no longer take part in, as it stands; the reason is theirs to give."""
    fields = ["subject__number", "kind", "day", "told_by", "data_wish", "told_reason"]
    found = Stop.objects.standing().filter(study=study, subject__site__code__in=scope.sites)
    header = ["SUBJECT", "STOPPED", "FROM", "TOLD_BY", "DATA_WISH", "REASON"]
    return "STOPS.csv", header, found.order_by("subject__number", "kind").values_list(*fields)


def alive_in_record(study: Study, scope: Scope) -> Rows:
    """Days on which participants were found alive in the hospital record, as it stands: each may be the last known."""
    found = AliveInRecord.objects.standing().filter(study=study, subject__site__code__in=scope.sites).exclude(day=None)
    rows = found.order_by("subject__number", "day").values_list("subject__number", "day")
    return "ALIVE_IN_RECORD.csv", ["SUBJECT", "ALIVE_ON"], rows


def screening_log(study: Study, scope: Scope) -> Rows:
    fields = ["site__code", "own_number", "screened_in", "age_band", "sex", "outcome", "reason_code", "subject__number"]
    found = ScreeningEntry.objects.filter(study=study, site__code__in=scope.sites).order_by("site__code", "own_number")
    header = ["SITE", "ENTRY", "MONTH", "AGE_BAND", "SEX", "OUTCOME", "REASON", "SUBJECT"]
    return "SCREENING_LOG.csv", header, found.values_list(*fields)


def signatures(study: Study, scope: Scope) -> Rows:
    """Printed name, time with zone and meaning (11.50), those that became void too; none that would tell the arm."""
    found = Signature.objects.filter(study=study, subject__site__code__in=scope.sites)
    found = found.select_related("subject", "event", "form_data", "delegation__delegated_by")
    definition = definition_of(live_version(study))  # the newest knows every form and visit that there ever was
    rows = (
        [
            one.subject.number,
            one.event.event_oid if one.event else "",
            one.event.ordinal if one.event else "",
            one.form_data.form_oid if one.form_data else "",
            one.form_data.repeat_key if one.form_data else "",
            one.meaning,
            one.printed_name,
            _instant(one.signed_at),
            one.timezone,
            one.delegation.delegated_by.full_name if one.delegation else "",
            one.sha256,
            bool(one.voided_in),
        ]
        for one in found.order_by("subject__number", "signed_at", "id")
        if scope.with_arm or not _tells_arm(one, definition)
    )
    header = ["SUBJECT", "EVENT", "ORDINAL", "FORM", "REPEAT", "MEANING", "PRINTED_NAME", "SIGNED_AT", "TIMEZONE"]
    return "SIGNATURES.csv", [*header, "ON_DELEGATION_FROM", "SHA256", "VOID"], rows


def safety_reports(study: Study, scope: Scope) -> Rows:
    """Each report of a serious event, when and by whom it was sent and read."""
    found = SafetyReport.objects.filter(study=study, subject__site__code__in=scope.sites)
    found = found.select_related("subject", "form_data__event", "created_in")
    reports = list(found.order_by("subject__number", "form_data__repeat_key", "number"))
    reading = ChangeSet.objects.in_bulk([one.read_in for one in reports if one.read_in])
    rows = (
        [
            *_form_address(one.form_data, one.subject),
            one.number,
            _instant(one.created_in.at),
            one.created_in.actor_name,
            _instant(reading[one.read_in].at) if one.read_in else "",
            reading[one.read_in].actor_name if one.read_in else "",
        ]
        for one in reports
    )
    header = [*FORM_ADDRESS, "REPORT", "REPORTED_AT", "REPORTED_BY", "READ_AT", "READ_BY"]
    return "SAFETY_REPORTS.csv", header, rows


def safety_assessments(study: Study, scope: Scope) -> Rows:
    """What the sponsor judges of serious events, as it stands; the investigator's judgement is in the form."""
    found = SafetyAssessment.objects.filter(study=study, subject__site__code__in=scope.sites)
    found = found.select_related("subject", "form_data__event")
    rows = (
        [
            *_form_address(one.form_data, one.subject),
            {None: "", True: "Y", False: "N"}[one.expected],
            one.related,
            one.authority_on or "",
        ]
        for one in found.order_by("subject__number", "form_data__repeat_key")
    )
    return "SAFETY_ASSESSMENTS.csv", [*FORM_ADDRESS, "EXPECTED", "RELATED", "AUTHORITY_TOLD_ON"], rows


def _form_address(form: FormData, subject: Subject) -> list[Any]:
    return [subject.number, form.event.event_oid, form.event.ordinal, form.form_oid, form.repeat_key]


def _tells_arm(signature: Signature, definition: StudyDef) -> bool:
    """Is it about a form or visit whose being there depends on the arm?"""
    row, event = signature.form_data, signature.event
    return bool(row and betrays_arm(definition, definition.form(row.form_oid))) or bool(
        event and event_betrays_arm(definition, definition.event(event.event_oid))
    )


def _instant(at: Any) -> str:
    """UTC as ISO 8601 with its zone; empty when there is none."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


_OWN: list[Provider] = [
    subjects,
    visits,
    consents,
    consent_options,
    deaths,
    stops,
    alive_in_record,
    screening_log,
    signatures,
    safety_reports,
    safety_assessments,
]
