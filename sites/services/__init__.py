"""Every write about places and people. Keyword-only; `by` is who acts, None the system; `reason` where data change."""

from sites.services.consent import ConsentFacts, enrol_subject, record_consent, withdraw_consent_option
from sites.services.contact import ContactFacts, delete_contact, forget_contact, keep_contact, send_test_message
from sites.services.corrections import correct_consent, correct_subject
from sites.services.death import DeathFacts, record_death, undo_death
from sites.services.erasure import confirm_erasure, decline_erasure, request_erasure
from sites.services.lost import Attempt, log_attempt, record_lost
from sites.services.people import (
    assign_role,
    deactivate_user,
    delegate_task,
    end_assignment,
    end_delegation,
    invite_user,
    send_invitation,
    verify_identity,
)
from sites.services.places import (
    approve_version,
    create_site,
    pause_reminders,
    resume_randomization,
    set_site_phone,
    set_site_status,
    set_study_status,
    stop_randomization,
)
from sites.services.samples import confirm_destroyed
from sites.services.screening import close_screening, log_screening
from sites.services.withdrawal import Withdrawal, end_stop, record_withdrawal

__all__ = [
    "Attempt",
    "ConsentFacts",
    "ContactFacts",
    "DeathFacts",
    "Withdrawal",
    "approve_version",
    "assign_role",
    "close_screening",
    "confirm_destroyed",
    "confirm_erasure",
    "correct_consent",
    "correct_subject",
    "create_site",
    "deactivate_user",
    "decline_erasure",
    "delegate_task",
    "delete_contact",
    "end_assignment",
    "end_delegation",
    "end_stop",
    "enrol_subject",
    "forget_contact",
    "invite_user",
    "keep_contact",
    "log_attempt",
    "log_screening",
    "pause_reminders",
    "record_consent",
    "record_death",
    "record_lost",
    "record_withdrawal",
    "request_erasure",
    "resume_randomization",
    "send_invitation",
    "send_test_message",
    "set_site_phone",
    "set_site_status",
    "set_study_status",
    "stop_randomization",
    "undo_death",
    "verify_identity",
    "withdraw_consent_option",
]
