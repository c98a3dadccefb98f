"""``manage.py realtime_deliver``: send the webhooks that are due."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from realtime_widget.models import WebhookDelivery
from realtime_widget.outgoing import deliver_due

# While it watches, it looks for what others have queued at least so often.
LOOK_S = 5.0


class Command(BaseCommand):
    """Sends what is due; safe to run at any time and several times at once."""

    help = (
        "Send outgoing webhooks that are due. Serving processes do that themselves, and"
        " a worker of django.tasks where the site has one; run this from cron, or with"
        " --watch as a service, where neither runs at all times."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--watch", action="store_true", help="go on until it is interrupted"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        wait_s = deliver_due()
        while options["watch"]:
            time.sleep(LOOK_S if wait_s is None else min(LOOK_S, wait_s))
            close_old_connections()
            wait_s = deliver_due()
        states = WebhookDelivery.Status
        waiting = WebhookDelivery.objects.filter(status=states.PENDING).count()
        failed = WebhookDelivery.objects.filter(status=states.FAILED).count()
        self.stdout.write(
            self.style.SUCCESS(f"{waiting} deliveries wait, {failed} were given up.")
        )
