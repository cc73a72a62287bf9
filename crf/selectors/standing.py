"""Which forms are signed now."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from crf.models import FormData, Meaning, Signature
from sites.models import Subject

# An assessment is one part of a form's review: it does not make the form signed.
SIGNS = (Meaning.REVIEWED, Meaning.ELIGIBILITY)


def covering(meanings: tuple[str, ...] = SIGNS) -> Exists:
    """Of a form: does a signature stand for it, be it its own, its visit's or the casebook's?

    The database voids those of visit and casebook as soon as anything in them changes or a form comes to them, so
    what stands covers every form that is there.
    """
    wider = Q(form_data=None) & (Q(event=OuterRef("event")) | Q(event=None))
    return Exists(
        Signature.objects.filter(
            Q(form_data=OuterRef("pk")) | wider, subject=OuterRef("subject"), voided_in=None, meaning__in=meanings
        )
    )


def signed_forms(subject: Subject) -> set[UUID]:
    """The forms of a subject that are signed. One query."""
    forms = FormData.objects.filter(covering(), subject=subject, removed_in=None)
    return set(forms.values_list("pk", flat=True))
