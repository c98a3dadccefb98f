"""The test site's addresses, and one that tells what a process still holds of calls."""

from __future__ import annotations

import asyncio

from django.http import JsonResponse
from django.urls import include, path

from realtime_widget import quotas


async def left(request):
    """Return the places that are taken and the tasks of sessions, by name."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    ours = sorted(name for name in names if name.startswith("realtime "))
    return JsonResponse({"sessions": quotas.counters.running(), "tasks": ours})


urlpatterns = [path("left/", left), path("", include("tests.urls"))]
