"""What usage costs, by the price that held on its day; functions for a thread."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from realtime_widget.models import Usage
from realtime_widget.models.days import site_day
from realtime_widget.models.price_book import PriceBook
from realtime_widget.protocol.usage import cost_usd, read_usage

# Columns of ``Usage`` that are read from the provider's own figures.
COLUMNS: Final = (
    "text_in",
    "audio_in",
    "image_in",
    "cached_in",
    "cached_text_in",
    "cached_audio_in",
    "cached_image_in",
    "text_out",
    "audio_out",
    "total_tokens",
    "duration_s",
)
ROWS_AT_ONCE: Final = 500


def put_cost(usage: Usage, book: PriceBook) -> None:
    """Read a row's own figures anew, and put columns and cost on it."""
    counts = read_usage(usage.raw)
    for name in COLUMNS:
        setattr(usage, name, getattr(counts, name))
    rates = book.rates(usage.provider_kind, usage.model, site_day(usage.created_at))
    usage.cost_usd = cost_usd(counts, rates)


def recompute_costs(since: datetime | None = None) -> tuple[int, int]:
    """Compute columns and costs again from the figures that were kept.

    Args:
        since: Only what was used from then on; None for all.

    Returns:
        How many rows were looked at, and how many of them have no known cost.
    """
    book = PriceBook.load()
    rows = Usage.objects.order_by("pk")
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    seen = unknown = 0
    batch: list[Usage] = []
    for usage in rows.iterator(chunk_size=ROWS_AT_ONCE):
        put_cost(usage, book)
        seen += 1
        unknown += usage.cost_usd is None
        batch.append(usage)
        if len(batch) == ROWS_AT_ONCE:
            _save(batch)
            batch = []
    _save(batch)
    return seen, unknown


def _save(rows: list[Usage]) -> None:
    if rows:
        Usage.objects.bulk_update(rows, [*COLUMNS, "cost_usd"])
