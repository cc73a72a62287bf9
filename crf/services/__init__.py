"""Every write of clinical data. Keyword-only; `by` is who acts, `reason` where stored data change."""

from crf.selectors.place import NEW
from crf.services.batch import Entry, save_new_forms
from crf.services.drafts import discard_draft, keep_draft
from crf.services.eligibility import confirm_eligibility, record_screen_failure
from crf.services.events import (
    clear_not_done,
    mark_not_done,
    record_visit_date,
    start_screening_attempt,
)
from crf.services.masking import confirm_masking, refuse_masking, request_masking
from crf.services.migration import migrate_form
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
from crf.services.saving import SaveResult, save_form

__all__ = [
    "NEW",
    "Entry",
    "SaveResult",
    "answer_query",
    "cancel_query",
    "clear_not_done",
    "close_queries",
    "close_query",
    "confirm_eligibility",
    "confirm_masking",
    "discard_draft",
    "keep_draft",
    "mark_not_done",
    "migrate_form",
    "raise_query",
    "record_screen_failure",
    "record_visit_date",
    "refuse_masking",
    "reopen_query",
    "request_masking",
    "save_form",
    "save_new_forms",
    "schedule_events",
    "start_screening_attempt",
    "void_form",
]
