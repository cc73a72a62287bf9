"""Every table of the database: trailed, trailed but for some columns, or exempt with the reason (decision D2).

A test compares this with the database: its tables, their triggers and the grants of the application's login.
"""

REGULATED = {
    "accounts_user",
    "crf_deviation",
    "crf_exportjob",
    "crf_formdata",
    "crf_lock",
    "crf_maskrequest",
    "crf_monitoringvisit",
    "crf_personallink",
    "crf_query",
    "crf_querymessage",
    "crf_safetyassessment",
    "crf_safetyreport",
    "crf_signature",
    "crf_studyevent",
    "crf_verification",
    "randomization_allocation",
    "randomization_correction",
    "randomization_lateentry",
    "randomization_scheme",
    "randomization_stratum",
    "sites_aliveinrecord",
    "sites_assignment",
    "sites_consent",
    "sites_consentoption",
    "sites_contactattempt",
    "sites_contactchange",
    "sites_death",
    "sites_delegation",
    "sites_erasure",
    "sites_sampletask",
    "sites_screeningentry",
    "sites_site",
    "sites_siteversion",
    "sites_stop",
    "sites_subject",
    "trials_study",
    "trials_studyversion",
}

PARTS = {"crf_formdata": ["data", "marks"]}  # documents trailed key by key

UNTRAILED_COLUMNS = {
    "accounts_user": {
        "password": "a secret, even as a hash; that it changed stands in the access log",
        "last_login": "signing in goes to the access log",
    },
    "crf_formdata": {"version": "counts the saves, which the trail itself tells; one changed item stays one row"},
    "crf_signature": {
        "salt": "hides what was signed; emptied when that is masked or erased, in the one place it is in"
    },
    "crf_verification": {
        "salt": "hides the verified value; emptied when the value is erased, in the one place it is in"
    },
    "randomization_allocation": {
        "arm": "the trail is readable by the application: arms already given betray the next",
        "seq": "as arm; verify_list compares both with the sealed list",
        "txid": "a technical number of the database",
    },
}

EXEMPT = {
    "account_emailaddress": "sign-in address kept by allauth; the user's own e-mail is trailed on the account",
    "account_emailconfirmation": "tokens of allauth",
    "auth_group": "unused: roles are assignments (sites.Assignment); the application has no grant",
    "auth_group_permissions": "unused, no grant",
    "auth_permission": "made by migrations, read only",
    "crf_draft": "typed and not saved: no data until the form is saved; discarding one goes to the access log",
    "crf_request": "answers kept for repeated POSTs; what they changed is trailed itself",
    "crf_wrongtoken": "counter of wrong personal links, by a digest of the network; forgotten in 15 minutes",
    "django_content_type": "made by migrations, read only",
    "django_migrations": "the history of the schema, read only",
    "django_session": "sessions; signing in and out goes to the access log",
    "mfa_authenticator": "second factors are secrets",
    "outbox_message": "obligations to send, ids only; rows are never deleted",
    "pallsoft_cache": "counters of rate limits",
    "randomization_tally": "counts of what is trailed, written by triggers only; randomization_recounted counts anew",
    "trials_ctcaetable": "NCI's published criteria, insert only, bound by the SHA-256 of their file",
    "trials_ctcaeterm": "the terms of trials_ctcaetable, insert only",
    "trials_itemcolumn": "derived from the definition, written only in the change set that publishes it",
}

OTHER_SCHEMAS = {
    "audit": "the trail itself: the application may only read it",
    "identity": "contact data, encrypted and deletable; a trigger writes to sites_contactchange that they change",
    "sealed": "future arms: no right for the application, insert only, bound by SHA-256",
}
