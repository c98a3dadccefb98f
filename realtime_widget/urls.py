"""HTTP addresses; a site includes them where it likes."""

from __future__ import annotations

from django.urls import path

from realtime_widget import embedding, views

app_name = "realtime_widget"
urlpatterns = [
    path("widgets/<slug:slug>/session", views.open_session, name="session"),
    path("widgets/<slug:slug>/config", embedding.widget_config, name="config"),
    path("embed.js", embedding.embed_script, name="embed"),
    path("health", views.health, name="health"),
]
