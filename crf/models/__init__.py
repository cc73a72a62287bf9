"""The data, what is found in them, what closes them."""

from crf.models.closing import Lock, LockKind, Meaning, Signature
from crf.models.data import EVENT_TRANSITIONS, ClosedFor, EventState, FormData, FormStatus, StudyEvent
from crf.models.links import PARTICIPANT, Answerer, Device, LinkChannel, PersonalLink, StopWish, WrongToken
from crf.models.quality import (
    Deviation,
    DeviationStatus,
    FoundBy,
    MessageKind,
    MonitoringVisit,
    Query,
    QueryMessage,
    QueryStatus,
    SourceType,
    Verification,
)
from crf.models.requests import Draft, ExportJob, ExportKind, ExportState, MaskRequest, Request
from crf.models.safety import SafetyAssessment, SafetyReport

__all__ = [
    "EVENT_TRANSITIONS",
    "PARTICIPANT",
    "Answerer",
    "ClosedFor",
    "Deviation",
    "DeviationStatus",
    "Device",
    "Draft",
    "EventState",
    "ExportJob",
    "ExportKind",
    "ExportState",
    "FormData",
    "FormStatus",
    "FoundBy",
    "LinkChannel",
    "Lock",
    "LockKind",
    "MaskRequest",
    "Meaning",
    "MessageKind",
    "MonitoringVisit",
    "PersonalLink",
    "Query",
    "QueryMessage",
    "QueryStatus",
    "Request",
    "SafetyAssessment",
    "SafetyReport",
    "Signature",
    "SourceType",
    "StopWish",
    "StudyEvent",
    "Verification",
    "WrongToken",
]
