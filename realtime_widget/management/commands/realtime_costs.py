"""``manage.py realtime_costs``: compute costs again, and say what was spent."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count, Q, Sum
from django.utils import timezone

from realtime_widget.models import Price, Usage
from realtime_widget.models.price_list import add_missing_prices
from realtime_widget.recorder import recompute_costs


class Command(BaseCommand):
    """Computes every cost from the provider's own figures and the rows of prices."""

    help = (
        "Compute the cost of every answer and transcription again, from the figures that"
        " the provider sent and the prices of their day. What has no price stays unknown."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--since",
            type=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="only what was used from this day on",
        )
        parser.add_argument(
            "--add-prices",
            action="store_true",
            help="first add the prices this release knows and the database does not",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        if options["add_prices"]:
            added = add_missing_prices(Price.objects)
            self.stdout.write(f"{added} prices added.")
        since = options["since"]
        start = None
        if since is not None:
            midnight = datetime.combine(since, time.min)
            start = timezone.make_aware(midnight) if settings_use_tz() else midnight
        seen, unknown = recompute_costs(start)
        rows = Usage.objects.all()
        if start is not None:
            rows = rows.filter(created_at__gte=start)
        models = rows.values("provider_kind", "model").annotate(
            cost=Sum("cost_usd"),
            answers=Count("pk"),
            unpriced=Count("pk", filter=Q(cost_usd=None)),
        )
        for line in models.order_by("provider_kind", "model"):
            cost = "unknown" if line["cost"] is None else f"{line['cost']:.4f} USD"
            text = f"{line['provider_kind'] or '?'} {line['model'] or '?'}: {cost}"
            if line["unpriced"] and line["cost"] is not None:
                text += f", and {line['unpriced']} of {line['answers']} without a price"
            self.stdout.write(text)
        self.stdout.write(
            self.style.SUCCESS(f"{seen} costs computed, {unknown} of them unknown.")
        )


def settings_use_tz() -> bool:
    """Return whether moments in the database know their time zone."""
    return timezone.is_aware(timezone.now())
