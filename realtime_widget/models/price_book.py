"""Which price holds for a model on a day."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final

from realtime_widget.models.prices import Price
from realtime_widget.protocol.usage import Rates

# How providers name a release of a model: gpt-realtime-2025-08-28.
RELEASE: Final = re.compile(r"-\d{4}-\d{2}-\d{2}$")


class PriceBook:
    """All prices, read once.

    Args:
        prices: Rows.
    """

    def __init__(self, prices: Iterable[Price]) -> None:
        self._prices: dict[tuple[str, str], list[Price]] = defaultdict(list)
        for price in sorted(prices, key=lambda row: row.valid_from):
            self._prices[price.provider_kind, price.model].append(price)

    @classmethod
    def load(cls) -> PriceBook:
        """Return the prices of the database."""
        return cls(Price.objects.all())

    def rates(self, provider_kind: str, model: str, day: date) -> Rates | None:
        """Return what a model cost on a day, None when nobody knows.

        The model's own price comes first, then that of the model it is a release of,
        then the one for every other model of the kind.
        """
        for name in (model, RELEASE.sub("", model), ""):
            rows = self._prices.get((provider_kind, name), [])
            at = bisect_right(rows, day, key=lambda row: row.valid_from)
            if at:
                return rows[at - 1].rates
        return None
