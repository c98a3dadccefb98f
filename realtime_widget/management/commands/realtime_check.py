"""``manage.py realtime_check``: ask every provider whether it works."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from realtime_widget.models import Provider
from realtime_widget.provider_checks import check_and_note


class Command(BaseCommand):
    """Checks providers, at most 5 s each, and writes the results into their rows."""

    help = (
        "Ask providers whether they work: key, address, certificate, model. Nothing is"
        " said to a model, so it costs nothing. Fails when one of them does not work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "names", nargs="*", help="Names of providers; all of them without one."
        )
        parser.add_argument(
            "--json", action="store_true", help="Print one JSON object a line."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        providers = self._chosen(options["names"])
        failing = 0
        for provider in providers:
            checked = check_and_note(provider)
            failing += not checked.ok
            if options["json"]:
                line = {
                    "name": provider.name,
                    "state": provider.health_state,
                    "reason": checked.reason,
                    "took_ms": checked.took_ms,
                }
                self.stdout.write(json.dumps(line))
                continue
            style = self.style.SUCCESS if checked.ok else self.style.ERROR
            words = f"{provider.name}: {provider.health_state}, {checked.took_ms} ms"
            self.stdout.write(style(f"{words} {checked.reason}".rstrip()))
        if failing:
            raise CommandError(f"{failing} of {len(providers)} providers do not work.")

    def _chosen(self, names: list[str]) -> list[Provider]:
        if not names:
            return list(Provider.objects.all())
        rows = {row.name: row for row in Provider.objects.filter(name__in=names)}
        unknown = [name for name in names if name not in rows]
        if unknown:
            known = ", ".join(Provider.objects.values_list("name", flat=True))
            raise CommandError(
                f"No provider {', '.join(unknown)}. There are: {known or 'none'}."
            )
        return [rows[name] for name in names]
