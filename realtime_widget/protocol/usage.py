"""What a ``usage`` object counts, and what that costs.

The sums are exact: ``Decimal`` throughout, in US dollars.

Source: Realtime API (GA), ``response.done`` and
``conversation.item.input_audio_transcription.completed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, Literal

MODALITIES: Final = ("text", "audio", "image")
# One token for 100 ms of what a user says.
USER_AUDIO_TOKENS_PER_MINUTE: Final = 600
PER_MILLION: Final = 1_000_000
# Ten places hold one token at any price of four places for a million.
COST_PLACES: Final = Decimal(1).scaleb(-10)
# What a row can store; more is no count.
MOST_TOKENS: Final = 2**31 - 1
MOST_S: Final = 10**7


@dataclass(frozen=True, slots=True)
class Counts:
    """One ``usage`` object, brought to one shape.

    Attributes:
        text_in: Text tokens given to the model, cached ones too; likewise the others.
        cached_text_in: How many of these were cached; likewise the others.
        cached_in: All cached tokens.
        total_tokens: Everything, as the provider sums it up.
        duration_s: Audio that was billed by time.
        complete: Whether every token has a kind; else no price can be put to them.
    """

    text_in: int = 0
    audio_in: int = 0
    image_in: int = 0
    cached_text_in: int = 0
    cached_audio_in: int = 0
    cached_image_in: int = 0
    cached_in: int = 0
    text_out: int = 0
    audio_out: int = 0
    total_tokens: int = 0
    duration_s: Decimal = Decimal(0)
    complete: bool = True


def read_usage(usage: Mapping[str, Any]) -> Counts:
    """Return what a provider's ``usage`` counts; what is no count counts as none.

    Args:
        usage: ``{"input_tokens", "output_tokens", ...}`` with or without details, or
            ``{"type": "duration", "seconds"}``.
    """
    if usage.get("type") == "duration":
        seconds = _seconds(usage.get("seconds"))
        return Counts(duration_s=seconds or Decimal(0), complete=seconds is not None)
    given = _mapping(usage, "input_token_details")
    made = _mapping(usage, "output_token_details")
    taken = {name: _count(given, f"{name}_tokens") for name in MODALITIES}
    output, audio_out = _count(usage, "output_tokens"), _count(made, "audio_tokens")
    # Thinking is billed as text, and not every server counts it among the text.
    text_out = max(_count(made, "text_tokens"), output - audio_out)
    cached, cached_known = _cached(given, taken)
    inputs = max(sum(taken.values()), _count(usage, "input_tokens"))
    return Counts(
        text_in=taken["text"],
        audio_in=taken["audio"],
        image_in=taken["image"],
        cached_text_in=cached["text"],
        cached_audio_in=cached["audio"],
        cached_image_in=cached["image"],
        cached_in=_count(given, "cached_tokens") or sum(cached.values()),
        text_out=text_out,
        audio_out=audio_out,
        total_tokens=min(
            MOST_TOKENS,
            max(_count(usage, "total_tokens"), inputs + text_out + audio_out),
        ),
        complete=cached_known
        and sum(taken.values()) == inputs
        and bool(made or not output or usage.get("type") == "tokens"),
    )


def _cached(
    given: Mapping[str, Any], taken: Mapping[str, int]
) -> tuple[dict[str, int], bool]:
    """Return the cached tokens of each kind, and whether their kinds are known."""
    details = _mapping(given, "cached_tokens_details")
    cached = {
        name: min(taken[name], _count(details, f"{name}_tokens")) for name in MODALITIES
    }
    missing = _count(given, "cached_tokens") - sum(cached.values())
    if missing > 0:
        kinds = [name for name in MODALITIES if taken[name]]
        if len(kinds) != 1:
            return cached, False
        cached[kinds[0]] = min(taken[kinds[0]], cached[kinds[0]] + missing)
    return cached, True


@dataclass(frozen=True, slots=True)
class Rates:
    """What one model costs; None where it is not known.

    Attributes:
        text_in: US dollars for a million tokens of text; likewise the others.
        text_cached: The same for cached ones; likewise the others.
        minute: US dollars for a minute of audio, where time is billed.
    """

    text_in: Decimal | None = None
    text_cached: Decimal | None = None
    text_out: Decimal | None = None
    audio_in: Decimal | None = None
    audio_cached: Decimal | None = None
    audio_out: Decimal | None = None
    image_in: Decimal | None = None
    image_cached: Decimal | None = None
    minute: Decimal | None = None


@dataclass(slots=True)
class Tariff:
    """What the models of a session cost; another provider brings other rates.

    Attributes:
        response: What answers cost, None when that is not known.
        transcription: The same of the visitor's words in writing.
    """

    response: Rates | None = None
    transcription: Rates | None = None

    def of(self, kind: Literal["response", "transcription"]) -> Rates | None:
        """Return what this kind of usage costs now."""
        return self.response if kind == "response" else self.transcription


RATE_NAMES: Final = tuple(field.name for field in fields(Rates))


def cost_usd(counts: Counts, rates: Rates | None) -> Decimal | None:
    """Return what was used costs in US dollars, None when that is not known.

    Nothing is guessed: a single token without a price makes the whole unknown. Where
    a model is billed by time and tokens of audio were counted, 600 are a minute.
    """
    if rates is None or not counts.complete:
        return None
    if counts.duration_s:
        return _by_time(counts.duration_s, rates)
    if rates.minute is not None and rates.audio_in is None and counts.audio_in:
        seconds = Decimal(counts.audio_in * 60) / USER_AUDIO_TOKENS_PER_MINUTE
        return _by_time(seconds, rates)
    priced = (
        (counts.text_in - counts.cached_text_in, rates.text_in),
        (counts.cached_text_in, rates.text_cached),
        (counts.text_out, rates.text_out),
        (counts.audio_in - counts.cached_audio_in, rates.audio_in),
        (counts.cached_audio_in, rates.audio_cached),
        (counts.audio_out, rates.audio_out),
        (counts.image_in - counts.cached_image_in, rates.image_in),
        (counts.cached_image_in, rates.image_cached),
    )
    total = Decimal(0)
    for tokens, rate in priced:
        if not tokens:
            continue
        if rate is None:
            return None
        total += tokens * rate
    return (total / PER_MILLION).quantize(COST_PLACES, ROUND_HALF_UP)


def _by_time(seconds: Decimal, rates: Rates) -> Decimal | None:
    if rates.minute is None:
        return None
    return (rates.minute * seconds / 60).quantize(COST_PLACES, ROUND_HALF_UP)


def _mapping(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = usage.get(name)
    return part if isinstance(part, Mapping) else {}


def _count(usage: Mapping[str, Any], name: str) -> int:
    count = usage.get(name)
    fits = isinstance(count, int) and 0 <= count <= MOST_TOKENS
    return count if fits and count is not None else 0


def _seconds(value: Any) -> Decimal | None:
    if not isinstance(value, int | float) or not 0 <= value <= MOST_S:
        return None
    return Decimal(str(value))
