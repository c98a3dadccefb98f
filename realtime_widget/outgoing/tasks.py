"""The task of ``django.tasks`` (Django 6.0 and later); imported only where it is used."""

from __future__ import annotations

from datetime import timedelta

from django.tasks import task, task_backends  # type: ignore[import-not-found,unused-ignore]
from django.utils import timezone

from realtime_widget.outgoing.delivering import deliver_due


@task
def deliver_webhooks() -> None:
    """Send what is due, and come back when the next attempt is."""
    wait_s = deliver_due()
    backend = task_backends["default"]
    if wait_s is not None and backend.supports_defer:
        later = timezone.now() + timedelta(seconds=max(1.0, wait_s))
        deliver_webhooks.using(run_after=later).enqueue()
