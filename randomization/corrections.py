"""What of a randomisation can be corrected, and what was: as randomised beside as it truly was (S13, S14)."""

from dataclasses import dataclass

from django.db.models import QuerySet

from randomization.models import Allocation, Correction
from randomization.readiness import readiness_of
from sites.models import Subject
from sites.permissions import AnyUser, Permission, sites_for
from sites.selectors import definition_at
from trials.definition import CodeList, StudyDef
from trials.models import Study


@dataclass(frozen=True)
class Correctable:
    """A factor or coded fact. `randomized`: the value that the allocation was made with; `actual`: after confirmed
    corrections; `entered`: what the forms say now. All are codes of `codes`, or "" when there was none."""

    oid: str
    label: str
    codes: CodeList
    randomized: str
    actual: str
    entered: str

    @property
    def differs(self) -> bool:
        """Do the forms say something else than what is known of the subject?"""
        return self.entered not in ("", self.actual)

    @property
    def words_randomized(self) -> str:
        return self.words(self.randomized)

    @property
    def words_actual(self) -> str:
        return self.words(self.actual)

    @property
    def words_entered(self) -> str:
        return self.words(self.entered)

    def words(self, code: str) -> str:
        """The label of a code."""
        return str(self.codes.label_of(code)) if code else ""


def correctable(subject: Subject) -> list[Correctable]:
    """The factors, and the coded facts that are no factor; nothing before randomisation."""
    allocation = Allocation.objects.filter(subject=subject).first()
    if allocation is None:
        return []
    study = definition_at(subject.site)
    randomized = allocation.values
    actual = randomized | _confirmed(subject)
    ready = readiness_of(subject)
    entered = {one.oid: one.value for one in (*ready.factors, *ready.facts)}
    return [
        Correctable(oid, label, study.code_list(codes), randomized.get(oid, ""), actual.get(oid, ""), entered[oid])
        for oid, label, codes in coded(study)
    ]


@dataclass(frozen=True)
class Shown:
    """A request in words."""

    correction: Correction
    label: str
    randomized: str
    corrected: str


def shown_corrections(subject: Subject, choices: list[Correctable]) -> list[Shown]:
    """All requests, open and decided, in the order they were made."""
    by_factor = {one.oid: one for one in choices}
    return [_shown(correction, by_factor[correction.factor]) for correction in corrections_of(subject)]


def _shown(made: Correction, what: Correctable) -> Shown:
    return Shown(made, what.label, what.words(made.value_randomized), what.words(made.value_corrected))


def corrections_of(subject: Subject) -> QuerySet[Correction]:
    """All requests, open and decided, in the order they were made."""
    return subject.corrections.select_related("requested_by", "decided_by")


def open_corrections(user: AnyUser, study: Study) -> QuerySet[Correction]:
    """What waits for this person's confirmation."""
    sites = sites_for(user, study, Permission.CONFIRM_CORRECTION)
    return Correction.objects.filter(subject__site__in=sites, decided_at=None).select_related("subject")


def _confirmed(subject: Subject) -> dict[str, str]:
    """The newest confirmed value of each."""
    return dict(subject.corrections.filter(confirmed=True).values_list("factor", "value_corrected"))


def coded(study: StudyDef) -> list[tuple[str, str, str]]:
    """(OID, label, code list) of the factors, and of the coded facts that say something else than a factor."""
    factors = [(factor.oid, str(factor.label), factor.code_list) for factor in study.strata]
    taken = {codes for _oid, _label, codes in factors}
    facts = [(fact.oid, str(fact.label), fact.code_list) for fact in study.facts if fact.code_list]
    return factors + [(oid, label, codes) for oid, label, codes in facts if codes not in taken]
