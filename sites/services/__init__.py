"""Every write about places and people. Keyword-only; `by` is who acts, None the system; `reason` where data change."""

from sites.services.consent import ConsentFacts, enrol_subject, record_consent, withdraw_consent_option
from sites.services.corrections import correct_consent, correct_subject
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
    resume_randomization,
    set_site_status,
    set_study_status,
    stop_randomization,
)
from sites.services.screening import close_screening, log_screening

__all__ = [
    "ConsentFacts",
    "approve_version",
    "assign_role",
    "close_screening",
    "correct_consent",
    "correct_subject",
    "create_site",
    "deactivate_user",
    "delegate_task",
    "end_assignment",
    "end_delegation",
    "enrol_subject",
    "invite_user",
    "log_screening",
    "record_consent",
    "resume_randomization",
    "send_invitation",
    "set_site_status",
    "set_study_status",
    "stop_randomization",
    "verify_identity",
    "withdraw_consent_option",
]
