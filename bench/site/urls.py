"""The app, pages for a browser, and one that blocks the thread of synchronous views."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

BLOCK_S = 0.3
BARE = """<!doctype html><html lang="en"><title>Bench</title><body><p>Words.</p>"""
PAGE = (
    "{% load realtime_widget %}"
    + BARE
    + '{% realtime_widget "bench" %}<p>What stands below must not move.</p>'
)


def block(request: HttpRequest) -> HttpResponse:
    """Take 300 ms synchronously, as a slow query or call would."""
    time.sleep(BLOCK_S)
    return HttpResponse("done", content_type="text/plain")


def page(request: HttpRequest) -> HttpResponse:
    """Show the widget and nothing else."""
    template = engines["django"].from_string(PAGE)
    return HttpResponse(template.render({}, request))


def bare(request: HttpRequest) -> HttpResponse:
    """Show the same page without it."""
    return HttpResponse(BARE)


urlpatterns = [
    path("realtime/", include("realtime_widget.urls")),
    path("block", block),
    path("page", page),
    path("bare", bare),
]
