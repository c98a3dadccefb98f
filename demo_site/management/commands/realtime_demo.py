"""``manage.py realtime_demo``: the rows that the demo site starts with."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from demo_site.seeds import ADMIN, Seeds


class Command(BaseCommand):
    """Makes what is missing and leaves alone what an editor changed."""

    help = "Make the demo's shop, its customer, its administrator and its widgets."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--reset",
            action="store_true",
            help="Also undo what was edited since, orders and appointments included.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        seeds = Seeds(reset=options["reset"])
        seeds.plant()
        if seeds.admin_password:
            self.stdout.write(
                f"Admin: user {ADMIN}, password {seeds.admin_password}"
                " (shown this once)"
            )
        else:
            self.stdout.write(
                f"Admin: user {ADMIN}; a new password by"
                f" `.venv/bin/python manage.py changepassword {ADMIN}`"
            )
