"""How an agent is asked to say given words."""

from __future__ import annotations

from typing import Final

SAY_EXACTLY: Final = "Say exactly the following, and nothing else:\n"


def say_exactly(text: str) -> str:
    """Return the instructions of a response that speaks ``text`` as it stands."""
    return SAY_EXACTLY + text


def words_to_say(instructions: str) -> str | None:
    """Return the words that ``say_exactly`` asked for, None for other instructions."""
    if not instructions.startswith(SAY_EXACTLY):
        return None
    return instructions[len(SAY_EXACTLY) :]
