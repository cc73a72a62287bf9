"""Addresses of randomisation; all lie under one study. There is none to undo, repeat or change an allocation."""

from django.urls import path

from randomization.views import corrections, going_live, lists, randomize

SUBJECT = "subjects/<str:number>"

urlpatterns = [
    path(f"{SUBJECT}/randomize/", randomize.randomize_page, name="randomize"),
    path(f"{SUBJECT}/randomize/receipt.pdf", randomize.receipt_pdf, name="randomization-receipt"),
    path(f"{SUBJECT}/randomize/late/", lists.report_late, name="report-late-randomization"),
    path(f"{SUBJECT}/corrections/", corrections.corrections_page, name="corrections"),
    path(f"{SUBJECT}/corrections/<uuid:correction_id>/", corrections.decide, name="decide-correction"),
    path("going-live/", going_live.going_live, name="going-live"),
    path("randomization/", lists.lists_page, name="randomization-lists"),
    path("randomization/late/<uuid:entry_id>/", lists.confirm_late, name="confirm-late-randomization"),
]
