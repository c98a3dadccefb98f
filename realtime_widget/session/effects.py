"""What the state machine wants done: the bridge carries these out in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realtime_widget.protocol.browser import ERRORS, StopReason
from realtime_widget.session.ports import ErrorFact, Fact, HandoffItem


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
        in_page: Whether the page runs it; then it is only checked here.
        guardrails: What the arguments must pass first.
        history: What a handoff's filter may choose from.
        only_checks: Whether somebody else runs it; then nothing more is done here.
    """

    call_id: str
    name: str
    arguments: Mapping[str, Any]
    in_page: bool = False
    guardrails: tuple[str, ...] = ()
    history: tuple[HandoffItem, ...] = ()
    only_checks: bool = False


@dataclass(frozen=True, slots=True)
class CancelTool:
    """Cancel the task of a call; its outcome no longer matters."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Check:
    """A text and the guardrails it must pass.

    Attributes:
        stage: ``output``, ``input`` or ``arguments``.
        text: What is checked.
        names: The guardrails, in their order.
        item_id: Where the text is from, "" for arguments.
        response_id: The answer it is part of, "" for none.
    """

    stage: str
    text: str
    names: tuple[str, ...]
    item_id: str = ""
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class CheckText:
    """Check a text in a task of its own, and report what it trips."""

    check: Check


@dataclass(frozen=True, slots=True)
class Record:
    """Hand a fact to the recorder."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class Note:
    """Log something odd, once per kind and session.

    Attributes:
        kind: A fixed word of ours, or one with the path of a field; never content.
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


@dataclass(frozen=True, slots=True)
class Prepare:
    """Open another connection to the model's side, to change to later."""


@dataclass(frozen=True, slots=True)
class Redial:
    """Leave the connection to the model's side, and go on over another."""


Effect = (
    SendUpstream
    | SendPage
    | StartTool
    | CancelTool
    | CheckText
    | Record
    | Note
    | Stop
    | Prepare
    | Redial
)


class Effects:
    """Collects the effects of one input.

    The core and its parts share one object, so that effects keep their order.

    Args:
        error_messages: Error code -> words for the visitor.
    """

    def __init__(self, error_messages: Mapping[str, str]) -> None:
        self._error_messages = error_messages
        self._effects: list[Effect] = []
        self._held: list[Effect] | None = None

    def add(self, effect: Effect) -> None:
        """Append one effect."""
        self._effects.append(effect)

    def upstream(self, event: Mapping[str, Any]) -> None:
        """Send a client event to the model's server."""
        held = self._effects if self._held is None else self._held
        held.append(SendUpstream(event))

    def hold(self) -> None:
        """Keep client events back: there is no session that could take them."""
        self._held = []

    def forget_held(self) -> None:
        """Forget what was kept back so far."""
        if self._held:
            self._held.clear()

    def release(self, first: Sequence[Mapping[str, Any]]) -> None:
        """Send client events, and behind them those that were kept back.

        Args:
            first: What to send first. A tool's answer that came meanwhile is among them
                already, and is not sent again.
        """
        held, self._held = self._held or [], None
        told = [SendUpstream(event) for event in first]
        self._effects += [*told, *(effect for effect in held if effect not in told)]

    def page(self, kind: str, **fields: Any) -> None:
        """Send a message to the page."""
        self._effects.append(SendPage({"type": kind, **fields}))

    def record(self, fact: Fact) -> None:
        """Keep a fact."""
        self._effects.append(Record(fact))

    def error(self, code: str, words: str = "") -> None:
        """Tell the page about an error of the fixed table.

        Args:
            code: Of the table.
            words: Instead of the table's, "" for these.
        """
        kind = ERRORS[code]
        self.record(ErrorFact(code))
        self.page(
            "error",
            code=code,
            message=words or self._error_messages.get(code, ""),
            retryable=kind.retryable,
            fatal=kind.fatal,
        )

    def take(self) -> list[Effect]:
        """Return what was collected and start anew."""
        effects, self._effects = self._effects, []
        return effects
