"""What a scenario says, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class ScenarioError(ValueError):
    """Something in a scenario is wrong.

    Args:
        path: Keys and indexes that lead to it.
        message: What is wrong and what would be right.
    """

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(f"{spelled(path)}: {message}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Say:
    """Say or write some words."""

    text: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass."""

    wait_ms: float


@dataclass(frozen=True, slots=True)
class CallTool:
    """Call a function; ``arguments`` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Fail:
    """End the answer as failed."""


Step = Say | Wait | CallTool | Fail


@dataclass(frozen=True, slots=True)
class Rule:
    """Something to do to one of the events on their way out.

    Attributes:
        at: The event's type.
        nth: Which of them, counted from 1 within the turn or the connection.
        action: One of ``reading.ACTIONS``.
        value: The action's own value.
    """

    at: str
    nth: int
    action: str
    value: Any


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer, from its ``response.created`` to the next one.

    Attributes:
        hears: What was said before it, None to ask the model's recogniser.
        steps: What the answer is, None to ask the model's dialogue.
        events: What happens to its events.
    """

    hears: str | None = None
    steps: tuple[Step, ...] | None = None
    events: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a client is met.

    Attributes:
        status: HTTP status that refuses it, None to let it in.
        delay_ms: How long it waits for that.
    """

    status: int | None = None
    delay_ms: float = 0


@dataclass(frozen=True, slots=True)
class ConnectionScript:
    """What happens on one connection.

    Attributes:
        handshake: Its beginning.
        turns: Its answers in order; the model itself gives those after the last.
        events: What happens to its events, whichever turn they are in.
    """

    handshake: Handshake = Handshake()
    turns: tuple[Turn, ...] = ()
    events: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens, connection by connection; the last one also for all that follow."""

    connections: tuple[ConnectionScript, ...]

    def connection(self, index: int) -> ConnectionScript:
        """Return the script of a connection, counted from 0."""
        return self.connections[min(index, len(self.connections) - 1)]


def spelled(path: tuple[str | int, ...]) -> str:
    """Return a path as people write it: ``turns[0].steps[2]``."""
    words = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return words.removeprefix(".") or "the scenario"
