"""What a participant no longer takes part in, and what takes it back (S17).

At once, in the same transaction: messages to the participant are cancelled, contact data go with the consent,
ticks of the consent end, samples get a task, visits are closed (apps above follow through sites.following). The rows
stay for ever: only a new consent, or the word that something was recorded wrongly or is taken up again, ends what they
say.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.days import first_day
from sites.following import follow
from sites.models import Consent, ConsentOption, DataWish, Erasure, Stop, StopKind, Subject, ToldBy
from sites.participation import latest_day, participation_of
from sites.permissions import Permission
from sites.services import consequences
from sites.services.contact import forget_contact
from sites.services.holding import PARTICIPATION, changing, check_day, needed, zone_of


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """What was said. `kinds`: all that stops; `data_wish`: needed with the consent itself, and only then."""

    kinds: frozenset[StopKind]
    day: str
    told_by: ToldBy
    data_wish: DataWish | None = None
    told_reason: str = ""


def record_withdrawal(*, subject: Subject, said: Withdrawal, by: User) -> list[Stop]:
    """Everything that stops, from a day on. What stood before stays as it was; the same again changes nothing.

    Raises InvalidInput, NotPermitted, NotAllowedNow.
    """
    with changing(subject, permission=Permission.RECORD_CONSENT, by=by, action="sites.record_withdrawal") as (
        subject,
        change,
    ):
        check_said(subject, said)
        stops = store_stops(subject, said)
        consequences.withdraw_options(subject, stops)
        follow_stops(subject, stops, change, by)
    return stops


def end_stop(*, stop: Stop, by: User, reason: str) -> None:
    """Recorded wrongly, or taken up again: visits reopen, nothing is sent by itself.

    With a wrongly recorded withdrawal of consent everything recorded together with it ends. A consent that was truly
    withdrawn is given back by a new consent only (`record_consent`). Raises InvalidInput, NotAllowedNow.
    """
    reason = needed(reason, _("Say why it is taken back."))
    with changing(
        stop.subject, permission=Permission.RECORD_CONSENT, by=by, action="sites.end_stop", reason=reason
    ) as (subject, change):
        standing = participation_of(subject).stops
        if standing.get(stop.kind) != stop:
            raise NotAllowedNow(_("This was taken back already. Open the page again to see what stands."))
        ended = _together(standing.values(), stop) if stop.kind == StopKind.CONSENT else [stop]
        _end(ended, change)
        consequences.give_back_options(subject, ended)
        _decline_erasures(ended, change)
        follow(subject, PARTICIPATION, by)


def lift_by(consent: Consent, change: uuid.UUID, by: User) -> None:
    """A new consent, within its change set: what was withdrawn together with the old one is taken up again."""
    subject = consent.subject
    standing = participation_of(subject).stops
    withdrawn = standing.get(StopKind.CONSENT)
    if withdrawn is None or consent.signed_at.astimezone(zone_of(subject)).date() < first_day(withdrawn.day):
        return
    lifted = [stop for stop in _together(standing.values(), withdrawn) if consequences.is_allowed_again(consent, stop)]
    _end(lifted, change, consent)
    _decline_erasures(lifted, change)
    follow(subject, PARTICIPATION, by)


def follow_withdrawn_option(option: ConsentOption, change: uuid.UUID, by: User) -> None:
    """One tick of the consent withdrawn, within its change set: what it allowed stops, and other ticks with that."""
    subject, at = option.subject, option.withdrawn_at
    kinds = consequences.kinds_allowed_by(option)
    if not kinds or at is None:
        return
    wish = DataWish.KEEP if StopKind.CONSENT in kinds else None
    day = _local_day(at, subject)
    said = Withdrawal(kinds=kinds, day=day, told_by=ToldBy.PARTICIPANT, data_wish=wish)
    stops = store_stops(subject, said)
    consequences.withdraw_options(subject, stops)
    follow_stops(subject, stops, change, by)


def store_stops(subject: Subject, said: Withdrawal) -> list[Stop]:
    standing = participation_of(subject).stops
    stops = [
        Stop(
            study=subject.study,
            subject=subject,
            kind=kind,
            day=said.day,
            told_by=said.told_by,
            data_wish=(said.data_wish or "") if kind == StopKind.CONSENT else "",
            told_reason=said.told_reason,
        )
        for kind in StopKind
        if kind in said.kinds and kind not in standing
    ]
    return Stop.objects.bulk_create(stops)


def follow_stops(subject: Subject, stops: Collection[Stop], change: uuid.UUID, by: User) -> None:
    """Everything that new stops bring with them, in their own change set."""
    for stop in stops:
        if stop.kind == StopKind.SAMPLES:
            consequences.owe_destruction(subject, stop)
        if stop.data_wish == DataWish.ERASE:
            Erasure.objects.create(study=subject.study, subject=subject, wished_on=latest_day(stop))
    kinds = {stop.kind for stop in stops}
    consequences.silence(subject, kinds, change)
    if StopKind.CONSENT in kinds:
        forget_contact(subject)
    if stops:
        follow(subject, PARTICIPATION, by)


def check_said(subject: Subject, said: Withdrawal) -> None:
    """Raises InvalidInput for what cannot be recorded so."""
    if not said.kinds:
        raise InvalidInput({"": [_("Nothing is chosen. Answer yes to what the participant wants to stop.")]})
    check_day(subject, said.day, "day")
    if (StopKind.CONSENT in said.kinds) != (said.data_wish is not None):
        raise InvalidInput({"data_wish": [_("Say what shall become of the data, when the consent is withdrawn.")]})


def _together(stops: Collection[Stop], withdrawn: Stop) -> list[Stop]:
    """What was recorded in the same act."""
    return [stop for stop in stops if stop.created_in_id == withdrawn.created_in_id]


def _end(stops: Collection[Stop], change: uuid.UUID, consent: Consent | None = None) -> None:
    for stop in stops:
        stop.ended_in, stop.lifted_by = change, consent
        stop.save(update_fields=["ended_in", "lifted_by"])
        consequences.drop_destruction(stop)


def _decline_erasures(stops: Collection[Stop], change: uuid.UUID) -> None:
    """The wish falls with the withdrawal, told together with it or later; what is erased already stays so."""
    if any(stop.kind == StopKind.CONSENT for stop in stops):
        subjects = {stop.subject_id for stop in stops}
        Erasure.objects.filter(subject__in=subjects, declined_in=None, erased_at=None).update(declined_in=change)


def _local_day(at: datetime, subject: Subject) -> str:
    return at.astimezone(zone_of(subject)).date().isoformat()
