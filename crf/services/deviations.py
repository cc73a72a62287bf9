"""Departures from the protocol that a check finds: the fact is stored all the same, a person judges it later (D7)."""

from dataclasses import asdict

from crf.entry.document import Fired
from crf.models import Deviation, FormData
from crf.selectors.definitions import definition_for
from trials.definition import FormDef


def propose_deviations(row: FormData, form: FormDef, fired: list[Fired]) -> None:
    """A row for each fired check of severity "deviation" that has none yet, within the present change set."""
    checks = {check.oid: check for check in form.checks if check.severity == "deviation"}
    found = [one for one in fired if one.oid in checks]
    if not found:
        return
    known = set(row.deviations.values_list("check_oid", flat=True))
    Deviation.objects.bulk_create(
        Deviation(
            study=row.study,
            subject=row.subject,
            event=row.event,
            form_data=row,
            check_oid=one.oid,
            check_version=definition_for(row).version,
            message=asdict(checks[one.oid].message),
            explanation=one.why,
        )
        for one in found
        if one.oid not in known
    )
