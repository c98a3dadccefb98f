"""What is known of OpenAI's realtime models: voices, limits, and when they end.

Data, with the date it was true. A model's name stays free text: one that is missing
here works, it is only not suggested.

Source: developers.openai.com, pages of the models and of deprecations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

AS_OF: Final = date(2026, 11, 21)

VOICES: Final = (
    "alloy",
    "ash",
    "ballad",
    "cedar",
    "coral",
    "echo",
    "marin",
    "sage",
    "shimmer",
    "verse",
)
SESSION_LIMIT_S: Final = 3_600
# Servers of other makers keep to the beta's limit, as far as they have one.
COMPATIBLE_SESSION_LIMIT_S: Final = 1_800


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model.

    Attributes:
        context_tokens: Longest conversation that it keeps in view.
        max_output_tokens: Longest answer.
        voices: Names it speaks with.
        session_limit_s: Longest session.
        ends_on: Day on which it is switched off, None when none is announced.
        successor: The model to take then, "" for none.
    """

    context_tokens: int
    max_output_tokens: int
    voices: tuple[str, ...] = VOICES
    session_limit_s: int = SESSION_LIMIT_S
    ends_on: date | None = None
    successor: str = ""


MODELS: Final[Mapping[str, ModelFacts]] = {
    "gpt-realtime-2.1": ModelFacts(128_000, 32_000),
    "gpt-realtime-2.1-mini": ModelFacts(128_000, 32_000),
    "gpt-realtime-2": ModelFacts(128_000, 32_000),
    "gpt-realtime-1.5": ModelFacts(32_000, 4_096),
    "gpt-realtime": ModelFacts(
        32_000, 4_096, ends_on=date(2027, 1, 20), successor="gpt-realtime-2.1"
    ),
    "gpt-realtime-mini": ModelFacts(
        128_000, 32_000, ends_on=date(2027, 1, 20), successor="gpt-realtime-2.1-mini"
    ),
}


def suggested_models() -> list[str]:
    """Return the models to offer, best first: those whose end is not announced."""
    return [name for name, facts in MODELS.items() if facts.ends_on is None]


def ending(name: str, today: date, within_days: int = 120) -> ModelFacts | None:
    """Return the facts of a model that is, or soon will be, switched off."""
    facts = MODELS.get(name)
    if facts is None or facts.ends_on is None:
        return None
    return facts if (facts.ends_on - today).days <= within_days else None
