"""What the models of a widget cost, whichever of its providers answers."""

from __future__ import annotations

from realtime_widget.models import Provider, Widget
from realtime_widget.models.days import site_today
from realtime_widget.models.price_book import PriceBook
from realtime_widget.protocol.usage import Tariff
from realtime_widget.session.config import DEFAULT_MODEL


class Tariffs:
    """The prices of one session, read once: make it in a thread, ask it anywhere.

    Args:
        widget: Says how the visitor's words are written down.
    """

    def __init__(self, widget: Widget) -> None:
        self._book = PriceBook.load()
        self._day = site_today()
        self._transcription_model = widget.transcription_model

    def of(self, provider: Provider | None) -> Tariff:
        """Return what a session costs at a provider, None for the engine's own."""
        kind = provider.kind if provider else Provider.Kind.LOCAL
        model = provider.model if provider else DEFAULT_MODEL
        return Tariff(
            response=self._book.rates(kind, model, self._day),
            transcription=self._book.rates(kind, self._transcription_model, self._day),
        )
