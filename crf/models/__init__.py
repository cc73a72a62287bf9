"""The data, what is found in them, what closes them."""

from crf.models.closing import Lock, LockKind, Meaning, Signature
from crf.models.data import ClosedFor, FormData, FormStatus, StudyEvent
from crf.models.quality import (
    Deviation,
    DeviationStatus,
    MessageKind,
    MonitoringVisit,
    Query,
    QueryMessage,
    QueryStatus,
    SourceType,
    Verification,
)
from crf.models.requests import Draft, ExportJob, ExportState, Request

__all__ = [
    "ClosedFor",
    "Deviation",
    "DeviationStatus",
    "Draft",
    "ExportJob",
    "ExportState",
    "FormData",
    "FormStatus",
    "Lock",
    "LockKind",
    "Meaning",
    "MessageKind",
    "MonitoringVisit",
    "Query",
    "QueryMessage",
    "QueryStatus",
    "Request",
    "Signature",
    "SourceType",
    "StudyEvent",
    "Verification",
]
