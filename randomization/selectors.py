"""Finding lists and what is wrong with them."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from randomization.models import Allocation, Correction, LateEntry, Scheme
from randomization.readiness import digest
from sites.models import Erasure
from trials.definition import definition_of
from trials.models import Study
from trials.selectors import live_version


@dataclass(frozen=True)
class Finding:
    """Something wrong with a list or one of its allocations; `subject`: a number, "" for the list itself."""

    problem: str
    subject: str

    def __str__(self) -> str:
        return _SENTENCES[self.problem]() % {"subject": self.subject}


_SENTENCES = {
    "list": lambda: _("The stored list is not the one that its commitment was made for."),
    "arm": lambda: _("%(subject)s: the arm is not that of the slot on the list."),
    "gap": lambda: _("%(subject)s: the slot before it in the stratum was left out."),
    "order": lambda: _("%(subject)s: the slots of the stratum were not taken in the order of the list."),
    "inputs": lambda: _("%(subject)s: the inputs are not those that the allocation was made from."),
    "unconfirmed": lambda: _("%(subject)s: the list was never confirmed by a second person."),
}


def findings(scheme: Scheme) -> list[Finding]:
    """Everything that is wrong with a list and the allocations from it; nothing of what is still to come is told."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT problem, subject FROM randomization_problems(%s)", [scheme.pk])
        found = [Finding(*row) for row in cursor.fetchall()]
    allocations = Allocation.objects.filter(stratum__scheme=scheme).select_related("subject")
    erased = set(Erasure.objects.filter(study=scheme.study).exclude(erased_at=None).values_list("subject", flat=True))
    return found + [Finding("inputs", a.subject.number) for a in allocations if not _stands(a, a.subject_id in erased)]


def _stands(allocation: Allocation, erased: bool) -> bool:
    """Are the inputs those that the allocation was made from, or gone with the subject's other data?"""
    if erased:
        return (allocation.inputs, allocation.inputs_sha256) == ({}, "")
    return digest(allocation.inputs) == allocation.inputs_sha256


def schemes_of(study: Study) -> QuerySet[Scheme]:
    """The lists of a study in the order they were imported."""
    return Scheme.objects.filter(study=study).select_related("imported_by", "confirmed_by")


def late_entries(study: Study) -> QuerySet[LateEntry]:
    """Telephone randomisations that wait for the list holder, in the order in which they happened."""
    waiting = LateEntry.objects.filter(study=study, confirmed_at=None)
    return waiting.select_related("subject__site", "subject__study", "reported_by")


def misstratified(study: Study) -> QuerySet[Correction]:
    """Confirmed corrections of what decides the stratum: for the statistician only (S14)."""
    factors = [factor.oid for factor in definition_of(live_version(study)).strata]
    found = Correction.objects.filter(study=study, confirmed=True, factor__in=factors)
    return found.select_related("subject__site", "decided_by")
