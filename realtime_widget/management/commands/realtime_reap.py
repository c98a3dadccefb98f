"""``manage.py realtime_reap``: close the conversations of processes that died."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from realtime_widget.models import Conversation
from realtime_widget.recorder import end_lost
from realtime_widget.signals import session_stopped


class Command(BaseCommand):
    """Ends what is open without a sign of life; safe to run at any time, anywhere."""

    help = (
        "Close conversations whose server process died in the middle of the call, and"
        " send session_stopped for each. Processes that have calls and the health address"
        " do the same by themselves; run this from cron where neither is certain."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        closed = 0
        while rows := end_lost():
            for row in rows:
                session_stopped.send_robust(
                    Conversation,
                    conversation=row.conversation,
                    reason=row.reason,
                    duration=row.duration_s,
                    error_code=row.error_code,
                )
            closed += len(rows)
        self.stdout.write(self.style.SUCCESS(f"{closed} conversations closed."))
