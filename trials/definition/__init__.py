"""What a trial is: frozen dataclasses with the nouns of CDISC ODM 1.3.2, read from one canonical JSON document.

The classes are the description of the format: `needs` and `may` say how each key is read (trials/definitions/README.md
explains it for those who write the files). Expressions stay text here; `trials.scope.compiled` gives them meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trials.definition.deviations import Asked, DeviationRule, Unanswered
from trials.definition.flow import AnalysisSet, FlowPlan, FlowStep
from trials.definition.forms import CommonCheck, EditCheck, FormDef, ItemDef, ItemGroupDef, Proposal
from trials.definition.links import ByLink, FirstQuestion, LinkPlan
from trials.definition.plan import (
    Anchor,
    Arm,
    Cancellation,
    Consent,
    ConsentOption,
    ConsentVersion,
    Contact,
    Criterion,
    Eligibility,
    Fact,
    Factor,
    FormRef,
    Gate,
    RecruitmentPlan,
    Setting,
    StudyEventDef,
    Table,
    TimelineLane,
)
from trials.definition.reminders import PARTICIPANT, Reminder, ReminderPlan
from trials.definition.safety import SafetyPlan, SponsorAssessment
from trials.definition.study import CTCAE_VERSION, DAYS_SETTINGS, Default, StudyDef
from trials.definition.texts import MISSING_CODES, YES_NO, CodeList, CodeListItem, Text
from trials.definition.verification import VerificationPlan, VerificationRule, VerificationSample
from trials.definition.wording import NrsAnchors, Wording
from trials.reading import At, Path, record

if TYPE_CHECKING:
    from trials.models import StudyVersion

__all__ = [
    "CTCAE_VERSION",
    "DAYS_SETTINGS",
    "MISSING_CODES",
    "PARTICIPANT",
    "YES_NO",
    "AnalysisSet",
    "Anchor",
    "Arm",
    "Asked",
    "ByLink",
    "Cancellation",
    "CodeList",
    "CodeListItem",
    "CommonCheck",
    "Consent",
    "ConsentOption",
    "ConsentVersion",
    "Contact",
    "Criterion",
    "Default",
    "DefinitionError",
    "DeviationRule",
    "EditCheck",
    "Eligibility",
    "Fact",
    "Factor",
    "FirstQuestion",
    "FlowPlan",
    "FlowStep",
    "FormDef",
    "FormRef",
    "Gate",
    "ItemDef",
    "ItemGroupDef",
    "LinkPlan",
    "NrsAnchors",
    "Proposal",
    "RecruitmentPlan",
    "Reminder",
    "ReminderPlan",
    "SafetyPlan",
    "Setting",
    "SponsorAssessment",
    "StudyDef",
    "StudyEventDef",
    "Table",
    "Text",
    "TimelineLane",
    "Unanswered",
    "VerificationPlan",
    "VerificationRule",
    "VerificationSample",
    "Wording",
    "definition_of",
    "parse",
    "read",
]  # fmt: skip


class DefinitionError(ValueError):
    """The document is no valid definition; `problems` = [(path, sentence)]."""

    def __init__(self, problems: list[tuple[Path, str]]) -> None:
        super().__init__("; ".join(f"{'/'.join(map(str, path))}: {message}" for path, message in problems[:5]))
        self.problems = problems


def parse(document: Mapping[str, Any]) -> StudyDef:
    """The definition in a canonical document. Raises DefinitionError with every fault of its structure."""
    study, problems = read(document)
    if problems:
        raise DefinitionError(problems)
    return study


def read(document: Mapping[str, Any]) -> tuple[StudyDef, list[tuple[Path, str]]]:
    """The definition as far as it can be read, and what is wrong with its structure."""
    at = At([])
    return record(StudyDef)(document, at), at.problems


@lru_cache(maxsize=64)
def definition_of(version: StudyVersion) -> StudyDef:
    """The definition of a published version: parsed once per process, as a version never changes (decision D14)."""
    return _parsed(_Document(version.sha256, version.definition))


@dataclass(frozen=True)
class _Document:
    """The same content is the same document, whichever row holds it: what was worked out of it is found again."""

    sha256: str
    content: Mapping[str, Any] = field(compare=False)


@lru_cache(maxsize=64)
def _parsed(document: _Document) -> StudyDef:
    return parse(document.content)
