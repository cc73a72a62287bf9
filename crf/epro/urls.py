"""The participant's addresses: a token and a number, nothing that tells who it is."""

from django.urls import path

from crf.epro import views

urlpatterns = [
    path("<str:token>/", views.gate, name="link"),
    path("<str:token>/<int:n>/", views.question, name="link-question"),
    path("<str:token>/hand-in/", views.hand_in, name="link-hand-in"),
    path("<str:token>/pause/", views.pause, name="link-pause"),
    path("<str:token>/stop/", views.stop, name="link-stop"),
    path("", views.lost, name="link-none"),
    path("<path:rest>", views.lost, name="link-lost"),
]
