"""Settings of the benchmark's site: the defaults, without bounds on the load."""

from __future__ import annotations

import os
from pathlib import Path

DIRECTORY = Path(os.environ["REALTIME_WIDGET_BENCH_DIR"])
SECRET_KEY = "benchmark-only"  # noqa: S105 - the site lives for one run on loopback
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.staticfiles",
    "channels",
    "realtime_widget",
]
SITE_ID = 1
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "bench.site.urls"
ASGI_APPLICATION = "bench.site.asgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DIRECTORY / "bench.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
STATIC_URL = "static/"
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "file": {"class": "logging.FileHandler", "filename": DIRECTORY / "site.log"}
    },
    "root": {"handlers": ["file"], "level": "WARNING"},
}
REALTIME_WIDGET = {
    "SESSIONS_PER_IP": 0,
    "SESSIONS_PER_USER": 0,
    "SESSIONS_PER_PROCESS": 5_000,
    "OPENS_PER_MINUTE_PER_IP": 0,
    "UPSTREAM_DRIVER": os.environ.get("REALTIME_WIDGET_BENCH_DRIVER", "auto"),
    "UPSTREAM_HOSTS": (os.environ.get("REALTIME_WIDGET_BENCH_MODEL", ""),),
    # The scripted model sends faster than a talk is heard; pacing would hold the end
    # of each answer back on purpose and be measured as latency.
    "PLAYBACK_LEAD_S": 10.0,
}
