"""Who sends: a worker of ``django.tasks`` where the site has one, else a thread."""

from __future__ import annotations

import logging
import threading
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from realtime_widget.models.outgoing import deliveries_queued
from realtime_widget.outgoing.delivering import deliver_due

logger = logging.getLogger(__name__)

# Backends that run a task where it is asked for, or not at all.
NO_WORKERS: Final = ("ImmediateBackend", "DummyBackend")
# Another process may have queued something meanwhile.
LONGEST_PAUSE_S: Final = 60.0


class DeliveryThread:
    """A thread that sends while something is to be sent, and then ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Have what is due sent now; returns at once."""
        with self._lock:
            self._wake.set()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="realtime-webhooks", daemon=True
                )
                self._thread.start()

    @property
    def busy(self) -> bool:
        """Return whether it sends or waits for the next attempt."""
        return self._thread is not None

    def _run(self) -> None:
        wait_s: float | None = 0.0
        while wait_s is not None or not self._ended():
            if wait_s:
                self._wake.wait(min(wait_s, LONGEST_PAUSE_S))
            self._wake.clear()
            close_old_connections()
            try:
                wait_s = deliver_due()
            except DatabaseError as exc:
                logger.warning("Webhooks not sent: %s", type(exc).__name__)
                wait_s = LONGEST_PAUSE_S
            except Exception:
                # What is queued stays queued; whoever looks next sends it.
                logger.exception("Webhooks not sent")
                wait_s = None
        connections.close_all()

    def _ended(self) -> bool:
        """Return whether the thread may end: nobody has called meanwhile."""
        with self._lock:
            if self._wake.is_set():
                return False
            self._thread = None
            return True


thread = DeliveryThread()


def has_task_worker() -> bool:
    """Return whether the site runs tasks somewhere else (Django 6.0 and later)."""
    backend = getattr(settings, "TASKS", {}).get("default", {}).get("BACKEND", "")
    return bool(backend) and not backend.endswith(NO_WORKERS)


def deliver_soon(**_: Any) -> None:
    """Have what is due sent by whoever does that here; returns at once."""
    if not has_task_worker():
        thread.wake()
        return
    # Only Django 6.0 and later has tasks.
    from realtime_widget.outgoing.tasks import deliver_webhooks

    deliver_webhooks.enqueue()


def listen() -> None:
    """Begin to send what is queued; called once, when the app is ready."""
    deliveries_queued.connect(deliver_soon, dispatch_uid="realtime_widget.outgoing")
