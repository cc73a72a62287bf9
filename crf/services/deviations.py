"""Departures from the protocol that a check finds: the fact is stored all the same, a person judges it later (D7)."""

from dataclasses import asdict
from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _

from crf.entry.document import Fired
from crf.models import Deviation, DeviationStatus, FormData, FoundBy
from crf.selectors.definitions import definition_for
from crf.selectors.deviation_log import kinds_for
from pallsoft.accounts.models import User
from pallsoft.errors import Conflict, InvalidInput
from sites.clock import local_today
from sites.models import Subject
from sites.permissions import Permission
from sites.services.holding import changing, needed
from trials.definition import DeviationRule, StudyDef


def propose_deviations(row: FormData, study: StudyDef, fired: list[Fired]) -> None:
    """A row for each fired check of severity "deviation" that has none yet, within the present change set."""
    checks = {check.oid: check for check in study.form(row.form_oid).checks if check.severity == "deviation"}
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
            rule_oid=_kind(study.deviation_rule(one.oid)),
            check_oid=one.oid,
            check_version=definition_for(row).version,
            message=asdict(checks[one.oid].message),
            explanation=one.why,
        )
        for one in found
        if one.oid not in known
    )


def record_deviation(
    *, subject: Subject, rule_oid: str, happened_on: date, description: str, key: UUID, by: User
) -> Deviation:
    """A departure that a person knows of, of a kind of the study's table; the principal investigator judges it.

    The same `key` returns the one it entered before. Raises NotPermitted, InvalidInput for a kind that there is none
    of, a day to come, or no description; Conflict for a key that was used for something else; NotAllowedNow.
    """
    permission, action = Permission.RECORD_DEVIATION, "crf.record_deviation"
    with changing(subject, permission=permission, by=by, action=action) as (held, _change):
        made_before = Deviation.objects.filter(request_key=key).first()
        rule = next((one for one in kinds_for(by, held) if one.oid == rule_oid), None)
        if rule is None:
            raise InvalidInput({"rule_oid": [_("Choose one of the answers on the list.")]})
        if happened_on > local_today(held.site.timezone):
            raise InvalidInput({"happened_on": [_("The day has not come yet.")]})
        description = needed(description, _("Say what happened."), "description")
        if made_before:
            return _same(made_before, held, rule_oid, happened_on, description)
        return Deviation.objects.create(
            study=held.study,
            subject=held,
            found_by=FoundBy.PERSON,
            rule_oid=rule.oid,
            happened_on=happened_on,
            message=asdict(rule.label),
            explanation=description,
            request_key=key,
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


def _kind(rule: DeviationRule | None) -> str:
    return rule.oid if rule else ""


def _same(entered: Deviation, subject: Subject, rule_oid: str, happened_on: date, description: str) -> Deviation:
    stored = (entered.subject_id, entered.rule_oid, entered.happened_on, entered.explanation)
    if stored != (subject.pk, rule_oid, happened_on, description):
        raise Conflict(_("This form was already saved with other content. Open the log of deviations to see it."))
    return entered
