"""What a session has used so far, told to the page where its widget shows it."""

from __future__ import annotations

from decimal import Decimal

from realtime_widget.protocol.usage import cost_usd, read_usage
from realtime_widget.session.config import SessionConfig
from realtime_widget.session.effects import Effects
from realtime_widget.session.ports import UsageFact


class Spending:
    """Sums up usage.

    Args:
        effects: Where messages and facts are collected.
        config: Whether the page is told, and what the models cost.
    """

    def __init__(self, effects: Effects, config: SessionConfig) -> None:
        self._effects = effects
        self._config = config
        self._tokens = 0
        # None as soon as the cost of a part is not known.
        self._cost_usd: Decimal | None = Decimal(0)

    def used(self, fact: UsageFact) -> None:
        """Take what an answer or a transcription used."""
        self._effects.record(fact)
        config = self._config
        if not config.show_usage:
            return
        counts = read_usage(fact.usage)
        cost = cost_usd(counts, config.tariff.of(fact.kind))
        self._tokens += counts.total_tokens
        if cost is None or self._cost_usd is None:
            self._cost_usd = None
        else:
            self._cost_usd += cost
        self._effects.page(
            "usage",
            of=fact.kind,
            response_id=fact.response_id,
            tokens=counts.total_tokens,
            cost_usd=_text(cost),
            session_tokens=self._tokens,
            session_cost_usd=_text(self._cost_usd),
        )


def _text(cost: Decimal | None) -> str | None:
    """Return a sum as text: a page's numbers would round it."""
    return None if cost is None else f"{cost:f}"
