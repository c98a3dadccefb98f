"""The app, and a page that blocks the thread all synchronous views share."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

BLOCK_S = 0.3


def block(request: HttpRequest) -> HttpResponse:
    """Take 300 ms synchronously, as a slow query or call would."""
    time.sleep(BLOCK_S)
    return HttpResponse("done", content_type="text/plain")


urlpatterns = [path("realtime/", include("realtime_widget.urls")), path("block", block)]
