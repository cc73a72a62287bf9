"""Every address of the product."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from crf import api
from crf.exports import views as exports
from pallsoft import health, home
from pallsoft.flow import page as flow
from pallsoft.followup import page as followup
from pallsoft.recruitment import recruitment_csv, recruitment_page
from pallsoft.study_page import study_description

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("accounts/", include("pallsoft.accounts.urls")),
    path("language/", login_not_required(set_language), name="set_language"),
    path("q/", include("crf.epro.urls")),
    path("", home.worklist, name="worklist"),
    path("s/<str:study_oid>/", home.study_home, name="study"),
    path("s/<str:study_oid>/", include("sites.urls")),
    path("s/<str:study_oid>/", include("crf.urls")),
    path("s/<str:study_oid>/", include("randomization.urls")),
    path("s/<str:study_oid>/study/", study_description, name="study-description"),
    path("s/<str:study_oid>/recruitment/", recruitment_page, name="recruitment"),
    path("s/<str:study_oid>/recruitment/<str:table>.csv", recruitment_csv, name="recruitment-csv"),
    path("s/<str:study_oid>/flow/", flow.flow_page, name="flow"),
    path("s/<str:study_oid>/flow/flow.csv", flow.flow_csv, name="flow-csv"),
    path("s/<str:study_oid>/flow/flow.pdf", flow.flow_pdf, name="flow-pdf"),
    path("s/<str:study_oid>/flow/rows/", flow.flow_rows, name="flow-rows"),
    path("s/<str:study_oid>/flow/rows.csv", flow.flow_rows_csv, name="flow-rows-csv"),
    path("s/<str:study_oid>/follow-up/", followup.follow_up_page, name="follow-up"),
    path("s/<str:study_oid>/follow-up/follow-up.csv", followup.follow_up_csv, name="follow-up-csv"),
    path("s/<str:study_oid>/follow-up/rows/", followup.follow_up_rows, name="follow-up-rows"),
    path("s/<str:study_oid>/follow-up/rows.csv", followup.follow_up_rows_csv, name="follow-up-rows-csv"),
    path("s/<str:study_oid>/export/", exports.export_page, name="export"),
    path("s/<str:study_oid>/documents/", exports.documents_page, name="documents"),
    path("s/<str:study_oid>/subjects/<str:number>/casebook/", exports.casebook, name="casebook"),
    path("s/<str:study_oid>/export/<uuid:job_id>/", exports.download, name="export-download"),
    path("api/v1/<str:study_oid>/subjects/", api.subjects, name="api-subjects"),
    path("api/v1/<str:study_oid>/subjects/<str:number>/", api.forms, name="api-forms"),
]

handler500 = "pallsoft.failures.server_error"
