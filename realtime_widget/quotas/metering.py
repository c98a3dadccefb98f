"""Quotas of one session: taken before the model is dialled, settled at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from realtime_widget.patience import asked
from realtime_widget.protocol.usage import Tariff
from realtime_widget.quotas.ledger import Reservation, Subject, reserve
from realtime_widget.quotas.meter import QuotaMeter


@asynccontextmanager
async def metered(subject: Subject, tariff: Tariff) -> AsyncIterator[QuotaMeter]:
    """Take from the quotas, and settle with them behind the session.

    Args:
        subject: Under what the session counts.
        tariff: What it costs at the provider that answers.

    Raises:
        QuotaUsedUp: With words for the visitor.
        DatabaseError: If the database does not answer.
    """
    reservation = Reservation()
    meter = QuotaMeter(reservation, tariff)
    try:
        await asked(lambda: reserve(subject, reservation))
        yield meter
    finally:
        await meter.end()
