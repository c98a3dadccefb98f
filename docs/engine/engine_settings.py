"""Settings of a Django project that is nothing but the engine."""

from __future__ import annotations

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "realtime_widget",
]
