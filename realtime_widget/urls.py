"""HTTP addresses; a site includes them where it likes."""

from __future__ import annotations

from django.urls import path

from realtime_widget import views

app_name = "realtime_widget"
urlpatterns = [
    path("widgets/<slug:slug>/session", views.open_session, name="session"),
    path("health", views.health, name="health"),
]
