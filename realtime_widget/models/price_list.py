"""The prices this release knows; each becomes a row that an editor may change.

In US dollars for a million tokens: text in, cached, out; audio in, cached, out; images
in, cached. Transcription models that are billed by time have a price for a minute.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

from realtime_widget.protocol.usage import RATE_NAMES

AS_OF: Final = date(2026, 11, 21)
# The pages said so from July to October 2026.
VALID_FROM: Final = date(2026, 7, 1)
SOURCE: Final = "https://developers.openai.com/api/docs/pricing"
OWN_ENGINE: Final = "The embedded engine runs on the site's own machines."

_TOKENS: Final = (
    "text_in",
    "text_cached",
    "text_out",
    "audio_in",
    "audio_cached",
    "audio_out",
    "image_in",
    "image_cached",
)
_BY_TOKEN: Final = {
    "gpt-realtime-2.1": "4 0.40 24 32 0.40 64 5 0.50",
    "gpt-realtime-2": "4 0.40 24 32 0.40 64 5 0.50",
    "gpt-realtime-2.1-mini": "0.60 0.06 2.40 10 0.30 20 0.80 0.08",
    "gpt-realtime-1.5": "4 0.40 16 32 0.40 64 5 0.50",
    "gpt-realtime": "4 0.40 16 32 0.40 64 5 0.50",
    "gpt-realtime-mini": "0.60 0.06 2.40 10 0.30 20 0.80 0.08",
}
_BY_MINUTE: Final = {
    "gpt-transcribe": "0.0045",
    "gpt-live-transcribe": "0.017",
    "gpt-realtime-whisper": "0.017",
}


def known_prices() -> list[dict[str, Any]]:
    """Return the values of each row."""
    openai = {"provider_kind": "openai", "valid_from": VALID_FROM}
    read = {"source": SOURCE, "as_of": AS_OF}
    by_token = [
        {
            **openai,
            "model": model,
            **dict(zip(_TOKENS, map(Decimal, prices.split()), strict=True)),
            **read,
        }
        for model, prices in _BY_TOKEN.items()
    ]
    by_minute = [
        {**openai, "model": model, "minute": Decimal(price), **read}
        for model, price in _BY_MINUTE.items()
    ]
    nothing = {
        "provider_kind": "local",
        "model": "",
        "valid_from": date(2026, 1, 1),
        **{name: Decimal(0) for name in RATE_NAMES},
        "source": OWN_ENGINE,
        "as_of": AS_OF,
    }
    return [*by_token, *by_minute, nothing]


def add_missing_prices(prices: Any) -> int:
    """Add the rows that are not there, and leave the others as an editor made them.

    Args:
        prices: The manager or query set of the model, also as a migration has it.

    Returns:
        How many were added.
    """
    key = ("provider_kind", "model", "valid_from")
    added = 0
    for values in known_prices():
        wanted = {name: values[name] for name in key}
        _, new = prices.get_or_create(**wanted, defaults=values)
        added += new
    return added
