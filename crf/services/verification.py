"""Source data verification: many items at once, each by the digest of what the monitor saw (DAT-13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from crf.entry.document import Answer
from crf.models import FormData, MonitoringVisit, SourceType, Verification
from crf.selectors.definitions import definition_for
from crf.selectors.seen import answer_of, consent_digests, item_digest
from crf.selectors.words import answer_words
from crf.services.visits import explained, lock_subject
from pallsoft.accounts.models import User
from pallsoft.audit.selectors import trail_for
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.acting import acting
from sites.models import Consent, Subject
from sites.permissions import Permission
from trials.definition import ItemDef
from trials.verification import source_type_of


@dataclass(frozen=True)
class Seen:
    """A tick of the monitor. `row`: a form, or with `item_oid` "" a consent; `digest`: of the value as it was shown.

    `source_type`: where the source was found; "" for where the definition says that it lies.
    """

    row: UUID
    item_oid: str
    digest: str
    source_type: str = ""


@dataclass(frozen=True)
class Changed:
    """A tick that was refused: the value is another one now. `seen` "": it cannot be told any more."""

    label: str
    seen: str
    now: str
    by: str


@dataclass(frozen=True)
class Verified:
    count: int
    changed: list[Changed]


def verify_items(
    *, subject: Subject, marks: Sequence[Seen], visit: MonitoringVisit | None = None, by: User
) -> Verified:
    """Verify what was seen and still stands; what has changed since is refused with the difference, the rest is stored.

    An item that is verified already stays as it is. Raises NotPermitted, InvalidInput (nothing ticked, unknown source,
    an item that is none), NotAllowedNow under a lock.
    """
    if not marks:
        raise InvalidInput({"": [_("Tick at least one answer.")]})
    if any(mark.source_type and mark.source_type not in SourceType for mark in marks):
        raise InvalidInput({"": [_("Choose a source from the list.")]})
    site = subject.site
    with acting(Permission.VERIFY, study=subject.study, by=by, action="crf.verify_items", site=site):
        subject = lock_subject(subject)
        if visit and visit.site_id != subject.site_id:
            raise InvalidInput({"": [_("The visit was to another site.")]})
        batch = _Batch(subject, visit, by)
        for mark in dict.fromkeys(marks):
            batch.add(mark)
        Verification.objects.bulk_create(batch.rows)
    return Verified(len(batch.rows), batch.changed)


def drop_verification(*, verification: Verification, by: User, reason: str) -> Verification:
    """Take back a mark that was set by mistake. Raises InvalidInput without a reason, NotAllowedNow when it is gone."""
    reason = explained(reason, _("Say why the verification is taken back."))
    subject = verification.subject
    with acting(
        Permission.VERIFY, study=subject.study, by=by, action="crf.drop_verification", reason=reason, site=subject.site
    ) as current:
        lock_subject(subject)
        verification = Verification.objects.get(pk=verification.pk)
        if verification.dropped_in:
            raise NotAllowedNow(_("The verification does not stand any more."))
        verification.dropped_in = current
        verification.save(update_fields=["dropped_in"])
    return verification


class _Batch:
    """The ticks of one subject, sorted into those that stand and those that do not."""

    def __init__(self, subject: Subject, visit: MonitoringVisit | None, by: User) -> None:
        self.subject, self.visit, self.by = subject, visit, by
        forms = subject.forms.filter(removed_in=None).select_related("event")
        self.forms = {form.pk: form for form in forms}
        self.consents = {one.pk: one for one in subject.consents.standing()}
        standing = subject.verifications.filter(dropped_in=None)
        self.standing = {(one.form_data_id or one.consent_id, one.item_oid) for one in standing}
        self.rows: list[Verification] = []
        self.changed: list[Changed] = []

    def add(self, mark: Seen) -> None:
        if (mark.row, mark.item_oid) in self.standing:
            return
        if mark.item_oid:
            self._add_item(mark)
        else:
            self._add_consent(mark)

    def _add_item(self, mark: Seen) -> None:
        form, item = self._found(mark)
        if item_digest(form, item.oid, answer_of(form, item.oid)) != mark.digest:
            self.changed.append(self._difference(form, mark))
            return
        source_type = mark.source_type or source_type_of(definition_for(form).form(form.form_oid), item)
        self.rows.append(self._row(mark, source_type, form_data=form))

    def _found(self, mark: Seen) -> tuple[FormData, ItemDef]:
        form = self.forms.get(mark.row)
        items = definition_for(form).form(form.form_oid).items if form else ()
        item = next((one for one in items if one.oid == mark.item_oid and not one.derived), None)
        if form is None or item is None:
            raise InvalidInput({"": [_("One of the answers is not there any more. Open the page again.")]})
        return form, item

    def _add_consent(self, mark: Seen) -> None:
        consent = self.consents.get(mark.row)
        if consent is None:
            raise InvalidInput({"": [_("One of the answers is not there any more. Open the page again.")]})
        if consent_digests(self.subject.pk)[consent.pk] != mark.digest:
            self.changed.append(Changed(_("Consent"), "", _("Corrected since"), ""))
            return
        self.rows.append(self._row(mark, mark.source_type or SourceType.CONSENT_FORM, consent=consent))

    def _row(
        self, mark: Seen, source_type: str, form_data: FormData | None = None, consent: Consent | None = None
    ) -> Verification:
        return Verification(
            study=self.subject.study,
            subject=self.subject,
            form_data=form_data,
            consent=consent,
            item_oid=mark.item_oid,
            value_digest=mark.digest,
            source_type=source_type,
            visit=self.visit,
            verified_by=self.by,
        )

    def _difference(self, form: FormData, mark: Seen) -> Changed:
        """What stood there when the monitor looked, found in the trail by its digest; what stands there now."""
        study, zone = definition_for(form), ZoneInfo(self.subject.site.timezone)
        item = study.item(mark.item_oid)
        trail = [row for row in trail_for(table="crf_formdata", row_id=form.pk, item=item.oid) if row.part]
        told = [_answer(row.part, value) for row in trail for value in (row.old, row.new)]
        seen = next((one for one in told if item_digest(form, item.oid, one) == mark.digest), None)
        return Changed(
            label=f"{study.form(form.form_oid).title}: {item.label}",
            seen=answer_words(study, item, seen, zone) if seen is not None else "",
            now=answer_words(study, item, answer_of(form, item.oid), zone),
            by=trail[0].actor_name if trail else "",
        )


def _answer(part: str, value: object) -> Answer:
    if part == "data":
        return Answer(str(value or ""))
    return Answer("", value.get("missing", "")) if isinstance(value, dict) else Answer()
