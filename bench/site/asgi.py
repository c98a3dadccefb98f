"""The ASGI application of the benchmark's site."""

from __future__ import annotations

import gc
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.site.settings")
django_application = get_asgi_application()

from realtime_widget.routing import realtime_application  # noqa: E402 - needs apps

application = realtime_application(django_application)

# As the page on deployment says: a full collection would be a pause of every call.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 50)
