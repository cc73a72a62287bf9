"""Addresses of places and people; all lie under one study."""

from django.urls import path

from sites.views import consent, contact, corrections, people, places, screening, subjects

urlpatterns = [
    path("subjects/", subjects.subject_list, name="subject-list"),
    path("subjects/<str:number>/consent/", consent.consent_page, name="consent"),
    path("subjects/<str:number>/consent/new/", consent.further_consent, name="further-consent"),
    path("subjects/<str:number>/consent/<uuid:option_id>/withdraw/", consent.withdraw, name="withdraw-consent-option"),
    path("subjects/<str:number>/contact/", contact.contact_page, name="contact"),
    path("subjects/<str:number>/correct/", corrections.correct_subject, name="correct-subject"),
    path(
        "subjects/<str:number>/consent/<uuid:consent_id>/correct/", corrections.correct_consent, name="correct-consent"
    ),
    path("screening/", screening.screening_log, name="screening"),
    path("screening/new/", screening.log_entry, name="log-screening"),
    path("screening/<uuid:entry_id>/close/", screening.close_entry, name="close-screening"),
    path("sites/", places.site_list, name="sites"),
    path("sites/<str:code>/enrol/", consent.enrol, name="enrol"),
    path("sites/<str:code>/status/", places.site_status, name="site-status"),
    path("sites/<str:code>/phone/", places.site_phone, name="site-phone"),
    path("sites/<str:code>/versions/", places.approve_version, name="approve-version"),
    path("sites/<str:code>/delegations/", people.delegate, name="delegate-task"),
    path("status/", places.study_status, name="study-status"),
    path("stop/", places.stop, name="stop-randomization"),
    path("resume/", places.resume, name="resume-randomization"),
    path("users/", people.user_list, name="users"),
    path("users/invite/", people.invite, name="invite-user"),
    path("users/<uuid:user_id>/invitation/", people.invite_again, name="invite-again"),
    path("users/<uuid:user_id>/identity/", people.verify, name="verify-identity"),
    path("users/<uuid:user_id>/close/", people.close_account, name="close-account"),
    path("roles/", people.assign, name="assign-role"),
    path("roles/<uuid:assignment_id>/end/", people.end_role, name="end-role"),
    path("delegations/<uuid:delegation_id>/end/", people.end_delegated, name="end-delegation"),
]
