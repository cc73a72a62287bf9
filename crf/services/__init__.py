"""Every write of clinical data. Keyword-only; `by` is who acts, `reason` where stored data change."""

from crf.selectors.place import NEW
from crf.services.batch import Entry, save_new_forms
from crf.services.deviations import judge_deviation, record_deviation
from crf.services.drafts import discard_draft, keep_draft
from crf.services.eligibility import confirm_eligibility, record_screen_failure
from crf.services.events import (
    add_unscheduled_visit,
    clear_not_done,
    mark_not_done,
    record_visit_date,
    start_screening_attempt,
)
from crf.services.locking import confirm_unlock, freeze, lock, request_unlock, unlock, withdraw_unlock_request
from crf.services.masking import confirm_masking, refuse_masking, request_masking
from crf.services.migration import migrate_form
from crf.services.monitoring import WrittenMeanwhile, log_monitoring_visit, update_monitoring_visit
from crf.services.planning import schedule_events
from crf.services.queries import (
    answer_query,
    cancel_query,
    close_queries,
    close_query,
    raise_query,
    reopen_query,
)
from crf.services.removal import void_form
from crf.services.reporting import Assessed, assess_event, read_report, report_event
from crf.services.saving import SaveResult, save_form
from crf.services.survival import record_alive, take_back_alive
from crf.services.unchanged import take_over_unchanged
from crf.services.verification import Seen, Verified, drop_verification, verify_items

__all__ = [
    "NEW",
    "Assessed",
    "Entry",
    "SaveResult",
    "Seen",
    "Verified",
    "WrittenMeanwhile",
    "add_unscheduled_visit",
    "answer_query",
    "assess_event",
    "cancel_query",
    "clear_not_done",
    "close_queries",
    "close_query",
    "confirm_eligibility",
    "confirm_masking",
    "confirm_unlock",
    "discard_draft",
    "drop_verification",
    "freeze",
    "judge_deviation",
    "keep_draft",
    "lock",
    "log_monitoring_visit",
    "mark_not_done",
    "migrate_form",
    "raise_query",
    "read_report",
    "record_alive",
    "record_deviation",
    "record_screen_failure",
    "record_visit_date",
    "refuse_masking",
    "reopen_query",
    "report_event",
    "request_masking",
    "request_unlock",
    "save_form",
    "save_new_forms",
    "schedule_events",
    "start_screening_attempt",
    "take_back_alive",
    "take_over_unchanged",
    "unlock",
    "update_monitoring_visit",
    "verify_items",
    "void_form",
    "withdraw_unlock_request",
]
