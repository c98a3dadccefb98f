"""A backend of ``django.tasks`` that keeps tasks until a test works them off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.tasks.backends.base import BaseTaskBackend


@dataclass
class Kept:
    """One task that waits."""

    task: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def run_after(self) -> datetime:
        """Return when it may be worked off."""
        return self.task.run_after

    def work(self) -> None:
        """Do what a worker does."""
        self.task.call(*self.args, **self.kwargs)


kept: list[Kept] = []


class KeptTasks(BaseTaskBackend):
    """Keeps what is enqueued in ``kept``."""

    supports_defer = True

    def enqueue(self, task, args, kwargs):
        self.validate_task(task)
        kept.append(Kept(task, tuple(args), dict(kwargs)))
