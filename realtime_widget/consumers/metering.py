"""Quotas of one session: taken before the model is dialled, settled at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from realtime_widget.consumers.opening import Admitted, Prepared
from realtime_widget.consumers.patience import asked
from realtime_widget.quotas import QuotaMeter, Reservation, Subject, reserve


def subject_of(admitted: Admitted, prepared: Prepared) -> Subject:
    """Return under what a session counts."""
    widget = admitted.widget
    return Subject(
        user=admitted.user,
        address=admitted.visit.address,
        widget_id=widget.pk,
        site_id=getattr(admitted.site, "pk", None),
        provider_id=widget.provider_id,
        language=prepared.config.language,
        resumed=prepared.config.resumed,
    )


@asynccontextmanager
async def metered(admitted: Admitted, prepared: Prepared) -> AsyncIterator[QuotaMeter]:
    """Take from the quotas, and settle with them behind the session.

    Raises:
        QuotaUsedUp: With words for the visitor.
        DatabaseError: If the database does not answer.
    """
    subject, config = subject_of(admitted, prepared), prepared.config
    reservation = Reservation()
    meter = QuotaMeter(
        reservation,
        answer_rates=config.answer_rates,
        transcription_rates=config.transcription_rates,
    )
    try:
        await asked(lambda: reserve(subject, reservation))
        yield meter
    finally:
        await meter.end()
