"""The ASGI application of the demo site."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_site.settings")
django_application = get_asgi_application()

from realtime_widget.routing import realtime_application  # noqa: E402 - after setup

application = realtime_application(django_application)
