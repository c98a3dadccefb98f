"""What becomes of a connection's events: the faults, without any I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.scenario.script import ConnectionScript, Rule
from realtime_widget.protocol import events

# No close frame was sent (RFC 6455, 7.1.5).
DROPPED: Final = 1006
_GOING_AWAY: Final = 1001
_IN_PLACE: Final = frozenset({"omit", "malform"})
RESPONSE_CREATED: Final = "response.created"


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait before what follows is sent."""

    delay_ms: float


@dataclass(frozen=True, slots=True)
class Stall:
    """Send nothing any more; the connection stays open."""


@dataclass(frozen=True, slots=True)
class End:
    """End the connection; with ``DROPPED`` as a lost network does."""

    code: int
    reason: str


Action = bytes | Delay | Stall | End


class Wire:
    """Follows one connection's events in the order in which they are sent.

    Args:
        script: What happens to them.
        new_id: Gives a new id that begins with a word.
    """

    def __init__(self, script: ConnectionScript, new_id: Callable[[str], str]) -> None:
        self._script = script
        self._new_id = new_id
        self._turn_rules: tuple[Rule, ...] = ()
        self._turns = 0
        self._in_connection: Counter[str] = Counter()
        self._in_turn: Counter[str] = Counter()
        # Type of event -> what is sent behind the next one.
        self._later: dict[str, list[bytes]] = {}

    def feed(self, event: bytes) -> list[Action]:
        """Return what is to be done instead of sending this event."""
        kind = str(events.decode(event).get("type"))
        if kind == RESPONSE_CREATED:
            self._begin_turn()
        self._in_connection[kind] += 1
        self._in_turn[kind] += 1
        before: list[Action] = []
        itself: list[Action] = [event]
        behind: list[Action] = []
        for rule in self._matching(kind):
            if rule.action in _IN_PLACE:
                itself = [] if rule.action == "omit" else [event[: len(event) // 2]]
            elif rule.action == "repeat":
                behind.append(event)
            elif rule.action == "after":
                self._later.setdefault(rule.value, []).append(event)
                itself = []
            else:
                before += self._do(rule)
        return [*before, *itself, *behind, *self._later.pop(kind, ())]

    def _begin_turn(self) -> None:
        turns = self._script.turns
        done = self._turns
        self._turn_rules = turns[done].events if done < len(turns) else ()
        self._turns += 1
        self._in_turn.clear()

    def _matching(self, kind: str) -> list[Rule]:
        counted = (
            (self._script.events, self._in_connection[kind]),
            (self._turn_rules, self._in_turn[kind]),
        )
        return [
            rule
            for rules, nth in counted
            for rule in rules
            if (rule.at, rule.nth) == (kind, nth)
        ]

    def _do(self, rule: Rule) -> list[Action]:
        value = rule.value
        match rule.action:
            case "delay_ms":
                return [Delay(value)]
            case "stall":
                return [Stall()]
            case "close":
                return [End(*value)]
            case "drop":
                return [End(DROPPED, "")]
            case "raw":
                return [value.encode()]
            case "send":
                return [self._event(value)]
            case "error":
                return [self._event({"type": "error", "error": value})]
        expired = errors.session_expired(60)
        body = {
            "type": errors.INVALID_REQUEST,
            "code": expired.code,
            "message": str(expired),
            "param": None,
            "event_id": None,
        }
        event = self._event({"type": "error", "error": body})
        return [event, End(_GOING_AWAY, str(expired))]

    def _event(self, fields: Mapping[str, Any]) -> bytes:
        return events.encode({"event_id": self._new_id("event"), **fields})
