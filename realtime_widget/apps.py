"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RealtimeWidgetConfig(AppConfig):
    """Registers the checks and finds the site's functions."""

    name = "realtime_widget"
    label = "realtime_widget"
    verbose_name = _("Realtime widget")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Do what needs every app's models to be loaded."""
        from realtime_widget import checks, handlers, outgoing, telemetry

        checks.register_checks()
        telemetry.listen()
        outgoing.listen()
        handlers.autodiscover()
