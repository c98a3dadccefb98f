"""What the state machine wants done: the bridge carries these out in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from realtime_widget.protocol.browser import ERRORS, StopReason
from realtime_widget.session.ports import Fact


@dataclass(frozen=True, slots=True)
class SendUpstream:
    """Send one client event of the Realtime API."""

    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SendPage:
    """Send one message of the browser protocol; it overtakes waiting audio."""

    message: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StartTool:
    """Run a tool in a task of its own and report its outcome.

    Attributes:
        call_id: The call to answer.
        name: A tool of the agent.
        arguments: Parsed and within their bounds.
    """

    call_id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CancelTool:
    """Cancel the task of a call; its outcome no longer matters."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Record:
    """Hand a fact to the recorder."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class Note:
    """Log something odd, once per kind and session.

    Attributes:
        kind: A fixed word of ours, never content.
    """

    kind: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End the session.

    Attributes:
        reason: One of the browser protocol's stop reasons.
        error_code: Code of the error table, "" for a normal end.
    """

    reason: StopReason
    error_code: str = ""


Effect = SendUpstream | SendPage | StartTool | CancelTool | Record | Note | Stop


class Effects:
    """Collects the effects of one input.

    The core and its parts share one object, so that effects keep their order.

    Args:
        error_messages: Error code -> words for the visitor.
    """

    def __init__(self, error_messages: Mapping[str, str]) -> None:
        self._error_messages = error_messages
        self._effects: list[Effect] = []

    def add(self, effect: Effect) -> None:
        """Append one effect."""
        self._effects.append(effect)

    def upstream(self, event: Mapping[str, Any]) -> None:
        """Send a client event to the model's server."""
        self._effects.append(SendUpstream(event))

    def page(self, kind: str, **fields: Any) -> None:
        """Send a message to the page."""
        self._effects.append(SendPage({"type": kind, **fields}))

    def record(self, fact: Fact) -> None:
        """Keep a fact."""
        self._effects.append(Record(fact))

    def error(self, code: str) -> None:
        """Tell the page about an error of the fixed table."""
        kind = ERRORS[code]
        self.page(
            "error",
            code=code,
            message=self._error_messages.get(code, ""),
            retryable=kind.retryable,
            fatal=kind.fatal,
        )

    def take(self) -> list[Effect]:
        """Return what was collected and start anew."""
        effects, self._effects = self._effects, []
        return effects
