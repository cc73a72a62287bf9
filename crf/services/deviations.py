"""Departures from the protocol that a check finds: the fact is stored all the same, a person judges it later (D7)."""

from dataclasses import asdict

from django.utils.translation import gettext as _

from crf.entry.document import Fired
from crf.models import Deviation, DeviationStatus, FormData
from crf.selectors.definitions import definition_for
from pallsoft.accounts.models import User
from pallsoft.errors import Conflict
from sites.permissions import Permission
from sites.services.holding import changing, needed
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


def judge_deviation(
    *, deviation: Deviation, status: DeviationStatus, seen: DeviationStatus, by: User, reason: str = ""
) -> None:
    """The principal investigator says whether it is one. `seen`: the status that the page showed.

    Saying that it is none takes a reason, and so does another judgement than before. Raises NotPermitted, InvalidInput,
    Conflict when somebody else has judged meanwhile, NotAllowedNow when the form is locked or the data are erased.
    """
    permission, action = Permission.JUDGE_DEVIATION, "crf.judge_deviation"
    with changing(deviation.subject, permission=permission, by=by, action=action, reason=reason):
        stands = Deviation.objects.get(pk=deviation.pk)
        if stands.status != seen:
            raise Conflict(_("Somebody has judged the deviation meanwhile. Read what stands now."))
        if status == stands.status:
            return
        if status == DeviationStatus.REJECTED or stands.status != DeviationStatus.PROPOSED:
            needed(reason, _("Say why it is judged so."))
        stands.status = status
        stands.save(update_fields=["status"])
