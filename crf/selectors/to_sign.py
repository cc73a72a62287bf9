"""What waits for a signature: first what was signed and has changed since, then what is complete and not signed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from crf.models import FormData, FormStatus, Meaning, Signature
from crf.selectors.signed_content import Difference, ShownForm, changes_of, differences_of, shown_form
from crf.selectors.signing import PHYSICIAN, signable_form
from crf.selectors.standing import covering
from pallsoft.accounts.models import Profession, User
from pallsoft.audit.models import ItemChange
from sites.models import Site, Task
from sites.permissions import Permission, may_perform, sites_for
from trials.definition import definition_of
from trials.models import Study


@dataclass(frozen=True)
class Entry:
    """One form to sign. `before`: the signature that became void; `changes`: what has happened since it was given."""

    shown: ShownForm
    seen: str
    before: Signature | None
    changes: list[Difference]

    @property
    def row(self) -> FormData:
        return self.shown.row

    @property
    def can_be_signed(self) -> bool:
        return self.row.status == FormStatus.COMPLETE


def signing_sites(user: User, study: Study) -> list[Site]:
    """The sites at which the person may sign today, by the role and by a delegation."""
    sites = sites_for(user, study, Permission.SIGN).select_related("study")
    return [site for site in sites if may_perform(user, Task.SIGN, site)]


def forms_to_sign(sites: Iterable[Site], meaning: Meaning) -> "QuerySet[Any]":
    """With `was_signed`, those first; a form that was signed waits also while it is incomplete again (SIG-04)."""
    wider = Q(form_data=None) & (Q(event=OuterRef("event")) | Q(event=None))
    void = Signature.objects.filter(
        Q(form_data=OuterRef("pk")) | wider, subject=OuterRef("subject"), voided_in__isnull=False, meaning=meaning
    )
    forms: QuerySet[Any] = FormData.objects.filter(subject__site__in=sites, removed_in=None)
    forms = forms.annotate(was_signed=Exists(void))
    if meaning == Meaning.ASSESSED:
        forms = _without_physicians_own(forms, sites).filter(~covering((Meaning.ASSESSED,)))
    else:
        forms = forms.filter(~covering())
    return (
        forms.filter(Q(status=FormStatus.COMPLETE) | Q(was_signed=True))
        .select_related("subject__site__study", "subject__study", "event")
        .order_by("-was_signed", "subject__number", "event__target_on", "event__event_oid", "form_oid", "repeat_key")
    )


def entries(forms: Iterable[FormData], meaning: Meaning) -> list[Entry]:
    """The forms with exactly what would be signed, and what has changed; a constant number of queries."""
    rows = list(forms)
    for row in rows:
        row.event.subject = row.subject
    before = _last_void(rows, meaning)
    first = min((one.seal_n or 0 for one in before.values()), default=0)
    changes = changes_of((row for row in rows if row.pk in before), first)
    return [
        Entry(
            shown_form(row),
            signable_form(row).seen,
            before.get(row.pk),
            differences_of(row, changes.after(row.pk, before[row.pk].seal_n or 0)) if row.pk in before else [],
        )
        for row in rows
    ]


def _last_void(rows: list[FormData], meaning: Meaning) -> dict[UUID, Signature]:
    """The newest void signature that covered each form."""
    signatures = list(
        Signature.objects.filter(
            subject__in={row.subject_id for row in rows}, meaning=meaning, voided_in__isnull=False
        ).order_by("signed_at")
    )
    return {row.pk: one for row in rows for one in signatures if _covered(one, row)}


def _covered(signature: Signature, row: FormData) -> bool:
    return signature.form_data_id == row.pk or (
        signature.form_data_id is None
        and signature.subject_id == row.subject_id
        and signature.event_id in (None, row.event_id)
    )


def _without_physicians_own(forms: "QuerySet[Any]", sites: Iterable[Site]) -> "QuerySet[Any]":
    """Assessments whose last answer was typed by somebody else than a physician."""
    typed = (
        ItemChange.objects.filter(tbl="crf_formdata", row_id=OuterRef("pk"), part__in=["data", "marks"])
        .exclude(change_set__action="crf.recalculate")
        .order_by("-id")
    )
    by_physician = User.objects.filter(pk=OuterRef("author"), profession=Profession.PHYSICIAN)
    author = Coalesce(Subquery(typed.values("change_set__actor_id")[:1]), F("created_in__actor_id"))
    assessments: QuerySet[Any] = forms.filter(form_oid__in=_assessed_forms(sites)).annotate(author=author)
    return assessments.filter(~Exists(by_physician))


def _assessed_forms(sites: Iterable[Site]) -> set[str]:
    versions = {version for study in {site.study for site in sites} for version in study.versions.all()}
    return {form.oid for one in versions for form in definition_of(one).forms if form.assessed_by == PHYSICIAN}
