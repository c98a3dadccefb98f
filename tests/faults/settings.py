"""Settings of the server processes: the databases and caches that a test names.

``tests.faults.processes`` sets the variables.
"""

from __future__ import annotations

import json
import os

from tests.faults import wall_clock
from tests.faults.parts import ENGINE
from tests.settings import *  # noqa: F403

wall_clock.listen()
ROOT_URLCONF = "tests.faults.urls"
LANGUAGE_CODE = "en"
DATABASES = {"default": json.loads(os.environ["FAULTS_DATABASE"])}
# Bounded waits, as the page on deployment tells to set them.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["FAULTS_CACHE"],
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [os.environ["FAULTS_LAYER"]]},
    }
}
REALTIME_WIDGET = {"ENGINE": ENGINE} | json.loads(os.environ["FAULTS_WIDGET"])
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {
        "handlers": ["console"],
        "level": os.environ.get("FAULTS_LOG_LEVEL", "WARNING"),
    },
    "loggers": {
        "realtime_widget": {"level": os.environ.get("FAULTS_LOG_LEVEL", "INFO")}
    },
}
