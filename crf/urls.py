"""Addresses of visits and forms; all lie under one subject of one study."""

from django.urls import path

from crf.epro import card
from crf.reminders.views import messages_waiting, reminders_page
from crf.safety.views import event_reports_page, safety_page, serious_event_paper
from crf.views import (
    access_log,
    amendment,
    deviations,
    drafts,
    eligibility,
    entry,
    erasure,
    forms,
    locking,
    masking,
    migration,
    monitoring,
    participation,
    queries,
    scores,
    screening,
    signing,
    subjects,
    survival,
    to_sign,
    trail,
    verification,
    visits,
)

LEAVING = "subjects/<str:number>/participation/"
VISIT = "subjects/<str:number>/events/<str:event_oid>-<int:ordinal>/"
FORM = f"{VISIT}forms/<str:form_oid>/<str:repeat_key>/"

urlpatterns = [
    path("queries/", queries.query_list, name="queries"),
    path("queries/<uuid:query_id>/", queries.query_step, name="query"),
    path("subjects/<str:number>/", subjects.subject_page, name="subject"),
    path(LEAVING, participation.participation_page, name="participation"),
    path(f"{LEAVING}death/", participation.record_death, name="record-death"),
    path(f"{LEAVING}death/<uuid:death_id>/undo/", participation.undo_death, name="undo-death"),
    path(f"{LEAVING}alive/<uuid:alive_id>/undo/", participation.undo_alive, name="undo-alive"),
    path(f"{LEAVING}stop/", participation.record_withdrawal, name="record-withdrawal"),
    path(f"{LEAVING}stop/<uuid:stop_id>/end/", participation.end_stop, name="end-stop"),
    path(f"{LEAVING}lost/", participation.record_lost, name="record-lost"),
    path(f"{LEAVING}samples/<uuid:task_id>/", participation.confirm_destroyed, name="confirm-destroyed"),
    path(f"{LEAVING}erasure/", erasure.erasure_page, name="erasure"),
    path("subjects/<str:number>/scores/", scores.scores_page, name="scores"),
    path("subjects/<str:number>/eligibility/", eligibility.eligibility_page, name="eligibility"),
    path("subjects/<str:number>/copies/<uuid:form_id>/", forms.copy, name="form-copy"),
    path("subjects/<str:number>/visits/new/", visits.add_visit, name="add-visit"),
    path(VISIT, visits.visit_page, name="visit"),
    path(f"{VISIT}link/", card.link_card, name="link-card"),
    path(f"{VISIT}forms/<str:form_oid>/", forms.repeat_list, name="form-list"),
    path(FORM, entry.form_entry, name="form"),
    path(f"{FORM}preview/", entry.preview, name="form-preview"),
    path(f"{FORM}draft/", drafts.draft, name="form-draft"),
    path(f"{FORM}draft/discard/", drafts.discard, name="form-draft-discard"),
    path(f"{FORM}patient/", entry.patient_entry, name="form-patient"),
    path(f"{FORM}thanks/", forms.thanks, name="form-thanks"),
    path(f"{FORM}trail/", trail.trail_page, name="form-trail"),
    path(f"{FORM}items/<str:item_oid>/queries/", queries.item_queries, name="item-queries"),
    path(f"{FORM}sign/", signing.form_page, name="form-sign"),
    path(f"{VISIT}sign/", signing.visit_page, name="visit-sign"),
    path("subjects/<str:number>/sign/", signing.casebook_page, name="casebook-sign"),
    path("sign/", to_sign.to_sign, name="to-sign"),
    path("amendment/", amendment.amendment_page, name="amendment"),
    path(f"{FORM}mask/", masking.form_mask, name="form-mask"),
    path("masking/", masking.maskings, name="maskings"),
    path("masking/<uuid:request_id>/", masking.decide_masking, name="decide-masking"),
    path("reminders/", reminders_page, name="reminders"),
    path("survival/", survival.survival_check, name="survival-check"),
    path("messages-waiting/", messages_waiting, name="messages-waiting"),
    path("subjects/<str:number>/deviations/new/", deviations.record, name="record-deviation"),
    path("screening/screening.csv", screening.screening_csv, name="screening-csv"),
    path("deviations/", deviations.deviation_page, name="deviations"),
    path("deviations/deviations.csv", deviations.deviation_csv, name="deviations-csv"),
    path("deviations/<uuid:deviation_id>/", deviations.judge, name="judge-deviation"),
    path("safety/", safety_page, name="safety"),
    path(f"{FORM}reports/", event_reports_page, name="event-reports"),
    path(f"{FORM}serious-event/", serious_event_paper, name="serious-event-paper"),
    path("access/", access_log.access_page, name="access-log"),
    path(f"{FORM}next/", forms.go_on, name="form-next"),
    path(f"{FORM}void/", forms.void, name="form-void"),
    path(f"{FORM}migrate/", migration.form_migrate, name="form-migrate"),
]

# Source data verification, and the log of the monitor's visits.
urlpatterns += [
    path("verification/", verification.overview, name="verification"),
    path("verification/visits/new/", monitoring.log_visit, name="log-monitoring-visit"),
    path("verification/visits/<uuid:visit_id>/", monitoring.visit_page, name="monitoring-visit"),
    path("verification/visits/<uuid:visit_id>/edit/", monitoring.edit_visit, name="edit-monitoring-visit"),
    path("subjects/<str:number>/verification/", verification.subject_verification, name="subject-verification"),
    path("subjects/<str:number>/verification/<uuid:verification_id>/", verification.take_back, name="take-back"),
]

# Freeze and lock, and the way back.
urlpatterns += [
    path("locking/", locking.closed, name="locking"),
    path("locking/study/", locking.study_lock, name="lock-study"),
    path("locking/sites/<str:code>/", locking.site_lock, name="lock-site"),
    path("locking/<uuid:lock_id>/", locking.lift, name="lift-lock"),
    path("subjects/<str:number>/lock/", locking.subject_lock, name="lock-subject"),
    path(f"{VISIT}lock/", locking.visit_lock, name="lock-visit"),
    path(f"{VISIT}lock/<str:form_oid>/", locking.form_lock, name="lock-form"),
]
