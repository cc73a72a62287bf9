"""What is shown of an allocation: on the result page, on the receipt, and as a line for the hospital record."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from crf.models import StudyEvent
from pallsoft.templatetags.ui import nb_date
from randomization.facts import arm_for
from randomization.models import Allocation
from randomization.moments import moment_in
from sites.models import Subject
from sites.permissions import AnyUser
from sites.selectors import definition_at
from trials.definition import Arm, StudyDef, Text, definition_of

NEXT_VISITS = 3


@dataclass(frozen=True)
class Receipt:
    """`arm` is None for who may not see it. `inputs`: (label, words) as they were at that moment."""

    allocation: Allocation
    arm: Arm | None
    at: str
    entered_at: str
    inputs: list[tuple[str, str]]

    @property
    def record_line(self) -> str:
        """To paste into the hospital record: no identity, nothing of the study but the subject number (S01)."""
        if self.arm is None:
            return ""
        return _("Randomised %(at)s. Subject number %(number)s. Treatment: %(arm)s.") % {
            "at": self.at,
            "number": self.allocation.subject.number,
            "arm": self.arm.label,
        }


def allocation_of(subject: Subject) -> Allocation | None:
    """The allocation of the subject with all that a receipt tells, None before randomisation."""
    related = ("subject", "study", "site", "allocated_by", "stratum__scheme")
    return Allocation.objects.filter(subject=subject).select_related(*related).first()


def receipt_for(user: AnyUser, subject: Subject, allocation: Allocation) -> Receipt:
    """Everything is told as it was at randomisation; later corrections are shown elsewhere."""
    study = subject.study
    happened = allocation.happened_at
    return Receipt(
        allocation=allocation,
        arm=arm_for(user, subject),
        at=moment_in(happened or allocation.at, study),
        entered_at=moment_in(allocation.at, study) if happened else "",
        inputs=_inputs(allocation),
    )


def next_visits(subject: Subject) -> list[tuple[str, StudyEvent]]:
    """(label, visit) of the first visits that are planned and have not begun."""
    study = definition_at(subject.site)
    planned = subject.events.filter(target_on__isnull=False, happened_on=None, not_done_reason="", forms=None)
    return [(str(study.event(e.event_oid).label), e) for e in planned.order_by("target_on", "pk")[:NEXT_VISITS]]


def _inputs(allocation: Allocation) -> list[tuple[str, str]]:
    """Read by the version of the definition that it was made under; nothing once the subject is erased."""
    if not allocation.inputs:
        return []
    study = definition_of(allocation.study.versions.get(number=allocation.inputs["definition"]))
    told: list[tuple[Text, str | None, str | None]] = [
        (factor.label, factor.code_list, allocation.inputs["factors"].get(factor.oid)) for factor in study.strata
    ]
    told += [(fact.label, fact.code_list, allocation.inputs["facts"].get(fact.oid)) for fact in study.facts]
    items = {study.item(ref.rpartition(".")[2]): value for ref, value in allocation.inputs["answers"].items()}
    told += [(item.label, item.code_list, value) for item, value in items.items()]
    shown = [(str(label), _words(study, codes, value)) for label, codes, value in told if value]
    return list(dict.fromkeys(shown))  # a factor and a fact may say the same


def _words(study: StudyDef, code_list: str | None, value: str) -> str:
    return str(study.code_list(code_list).label_of(value)) if code_list else nb_date(value)
