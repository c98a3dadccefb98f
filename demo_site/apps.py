"""The demo site's configuration."""

from __future__ import annotations

from django.apps import AppConfig


class DemoSiteConfig(AppConfig):
    """A bicycle workshop and shop with orders and appointments."""

    name = "demo_site"
    verbose_name = "Quillmere Cycles"
    default_auto_field = "django.db.models.BigAutoField"
