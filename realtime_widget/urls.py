"""HTTP addresses; a site includes them where it likes."""

from __future__ import annotations

from django.urls import path

from realtime_widget import embedding, telemetry, views

app_name = "realtime_widget"
urlpatterns = [
    path("widgets/<slug:slug>/session", views.open_session, name="session"),
    path("widgets/<slug:slug>/feedback", views.give_feedback, name="feedback"),
    path("widgets/<slug:slug>/config", embedding.widget_config, name="config"),
    path("widgets/<slug:slug>/frame", embedding.widget_frame, name="frame"),
    path("embed.js", embedding.embed_script, name="embed"),
    path("health", views.health, name="health"),
    path("metrics", telemetry.metrics, name="metrics"),
]
