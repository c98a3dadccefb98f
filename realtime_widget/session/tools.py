"""Tool calls: exactly one answer for each, whatever happens.

A call is taken when its item is complete. It runs as soon as a place is free, and is
answered by its result, its failure, its time-out or its cancellation - whichever
comes first; everything later is ignored. When all calls of a response are answered
and the response has ended, the model is asked to go on, once.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from realtime_widget.exceptions import BadToolArguments, ToolError
from realtime_widget.session.composing import tool_output_item
from realtime_widget.session.config import Limits, ToolSpec
from realtime_widget.session.effects import CancelTool, Effects, StartTool
from realtime_widget.session.ports import ToolFact

Status = Literal[
    "completed", "failed", "timeout", "unknown_tool", "bad_arguments", "cancelled"
]

MAX_DEPTH: Final = 16
# Calls that may wait for a place; a model that asks for more is told so.
MAX_WAITING: Final = 32
# Answered call ids that are remembered against duplicates.
MAX_REMEMBERED: Final = 1_000

UNKNOWN = "There is no tool of this name."
TOO_LONG_ARGUMENTS = "The arguments are too long."
NOT_AN_OBJECT = "The arguments are not a JSON object."
TOO_DEEP = "The arguments are nested too deeply."
TOO_MANY = "Too many calls are waiting. Try again with fewer."
TIMED_OUT = "The tool did not answer in time."
FAILED = "The tool failed. Apologise, and offer to help in another way."
TOO_LONG_OUTPUT = "The tool's answer was too long to read. Ask for less."
NO_JSON_OUTPUT = "The tool's answer could not be read."


class Outcome(NamedTuple):
    """How a tool's task ended.

    Attributes:
        status: ``completed``, or how it failed.
        result: The handler's value; words for the model when it failed.
    """

    status: Status
    result: Any


def outcome_of(exc: Exception) -> Outcome:
    """Return the outcome of a handler that raised.

    Only the words of a ``ToolError`` are meant for the model.
    """
    if not isinstance(exc, ToolError):
        return Outcome("failed", FAILED)
    known: dict[str, Status] = {
        "timeout": "timeout",
        "unknown_tool": "unknown_tool",
        "bad_arguments": "bad_arguments",
    }
    return Outcome(known.get(exc.code, "failed"), str(exc) or FAILED)


@dataclass(slots=True)
class Call:
    """One call on its way.

    Attributes:
        arguments: JSON text as the model wrote it.
        parsed: The same, checked; None until then.
        deadline_s: When it times out; None while it waits.
    """

    call_id: str
    response_id: str
    name: str
    arguments: str
    arrived_s: float
    timeout_s: float = 0.0
    parsed: Mapping[str, Any] | None = None
    deadline_s: float | None = None


@dataclass(slots=True)
class Batch:
    """The calls of one response."""

    open: int = 0
    ended: bool = False


class ToolCalls:
    """All tool calls of a session.

    Args:
        effects: Where events, messages and facts are collected.
        tools: The tools the model may call.
        limits: Bounds of calls and answers.
    """

    def __init__(
        self, effects: Effects, *, tools: Iterable[ToolSpec], limits: Limits
    ) -> None:
        self._effects = effects
        self._tools = {tool.name: tool for tool in tools}
        self._limits = limits
        self._waiting: deque[Call] = deque()
        self._running: dict[str, Call] = {}
        self._seen: dict[str, None] = {}
        self._batches: dict[str, Batch] = {}

    @property
    def busy(self) -> bool:
        """Return whether a call is not answered yet."""
        return bool(self._running or self._waiting)

    def called(
        self, call_id: str, response_id: str, name: str, arguments: str, now_s: float
    ) -> bool:
        """Take a call that the model has completed.

        Returns:
            False when this call was taken before.
        """
        if call_id in self._seen:
            return False
        self._seen[call_id] = None
        if len(self._seen) > MAX_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        call = Call(call_id, response_id, name, arguments, now_s)
        self._batches.setdefault(response_id, Batch()).open += 1
        self._effects.page("tool.started", call_id=call_id, name=name, status="running")
        refusal = self._refusal(call)
        if refusal is not None:
            self._answer(call, *refusal, now_s)
        else:
            self._waiting.append(call)
            self._start_waiting(now_s)
        return True

    def finished(self, call_id: str, outcome: Outcome, now_s: float) -> None:
        """Answer a call by its task's outcome, unless it was answered before."""
        call = self._running.pop(call_id, None)
        if call is None:
            return
        if outcome.status == "completed":
            outcome = encoded(outcome.result, self._limits.tool_output_bytes)
            output: str = outcome.result
        else:
            output = error_output(outcome.result)
        self._answer(call, outcome.status, output, now_s)
        self._start_waiting(now_s)

    def response_ended(self, response_id: str) -> None:
        """Note that no more calls of this response will come."""
        batch = self._batches.get(response_id)
        if batch is not None:
            batch.ended = True

    def take_answered(self) -> bool:
        """Return whether a whole response's calls were answered since last asked."""
        answered = [
            response_id
            for response_id, batch in self._batches.items()
            if batch.ended and not batch.open
        ]
        for response_id in answered:
            del self._batches[response_id]
        return bool(answered)

    def tick(self, now_s: float) -> None:
        """Answer calls whose time is up."""
        for call in list(self._running.values()):
            if call.deadline_s is not None and now_s >= call.deadline_s:
                del self._running[call.call_id]
                self._effects.add(CancelTool(call.call_id))
                self._answer(call, "timeout", error_output(TIMED_OUT), now_s)
        self._start_waiting(now_s)

    def next_deadline_s(self) -> float | None:
        """Return when ``tick`` has something to do."""
        return min(
            (c.deadline_s for c in self._running.values() if c.deadline_s is not None),
            default=None,
        )

    def cancel_all(self, now_s: float) -> None:
        """Record the calls the session's end leaves unanswered."""
        for call in (*self._running.values(), *self._waiting):
            self._effects.add(CancelTool(call.call_id))
            self._record(call, "cancelled", "", now_s)
        self._running.clear()
        self._waiting.clear()

    def _refusal(self, call: Call) -> tuple[Status, str] | None:
        """Check a call; set its parsed arguments and timeout when it may run."""
        tool = self._tools.get(call.name)
        if tool is None:
            return "unknown_tool", error_output(UNKNOWN)
        if len(self._waiting) >= MAX_WAITING:
            return "failed", error_output(TOO_MANY)
        try:
            call.parsed = parsed_arguments(
                call.arguments, self._limits.tool_arguments_bytes
            )
        except BadToolArguments as exc:
            return "bad_arguments", error_output(str(exc))
        call.timeout_s = tool.timeout_s
        return None

    def _start_waiting(self, now_s: float) -> None:
        while self._waiting and len(self._running) < self._limits.tools_at_once:
            call = self._waiting.popleft()
            call.deadline_s = now_s + call.timeout_s
            self._running[call.call_id] = call
            self._effects.add(StartTool(call.call_id, call.name, call.parsed or {}))

    def _answer(self, call: Call, status: Status, output: str, now_s: float) -> None:
        self._batches[call.response_id].open -= 1
        self._effects.upstream(tool_output_item(call.call_id, output))
        self._effects.page(
            "tool.finished", call_id=call.call_id, name=call.name, status=status
        )
        self._record(call, status, output, now_s)

    def _record(self, call: Call, status: Status, output: str, now_s: float) -> None:
        self._effects.record(
            ToolFact(
                call_id=call.call_id,
                name=call.name,
                arguments=call.arguments[: self._limits.tool_arguments_bytes],
                output=output,
                status=status,
                duration_ms=int((now_s - call.arrived_s) * 1000),
            )
        )


def error_output(words: str) -> str:
    """Return the answer to a call that failed."""
    return json.dumps({"error": words}, ensure_ascii=False)


def encoded(result: Any, limit_bytes: int) -> Outcome:
    """Encode a handler's value as the JSON text the model is given.

    Returns:
        ``completed`` with the text; ``failed`` with an error's text when the value
        is no JSON (NaN and infinities are none) or is too long.
    """
    if not fits(result, limit_bytes, MAX_DEPTH * 4):
        return Outcome("failed", error_output(TOO_LONG_OUTPUT))
    try:
        text = json.dumps(result, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        return Outcome("failed", error_output(NO_JSON_OUTPUT))
    if size > limit_bytes:
        return Outcome("failed", error_output(TOO_LONG_OUTPUT))
    return Outcome("completed", text)


def parsed_arguments(text: str, limit_bytes: int) -> Mapping[str, Any]:
    """Parse the arguments a model wrote.

    Raises:
        BadToolArguments: If they are no JSON object or exceed their bounds.
    """
    if len(text) > limit_bytes or len(text.encode(errors="replace")) > limit_bytes:
        raise BadToolArguments(TOO_LONG_ARGUMENTS)
    try:
        value = json.loads(text or "{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise BadToolArguments(NOT_AN_OBJECT) from exc
    if not isinstance(value, dict):
        raise BadToolArguments(NOT_AN_OBJECT)
    if not fits(value, limit_bytes, MAX_DEPTH):
        raise BadToolArguments(TOO_DEEP)
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def fits(value: Any, limit_bytes: int, max_depth: int) -> bool:
    """Return whether a value stays within a size and a depth, cheaply.

    It stops at the bound, so a huge value costs no more than a large one.
    """
    left = limit_bytes
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        left -= len(item) if isinstance(item, str) else 1
        if left < 0:
            return False
        if not isinstance(item, Mapping | list | tuple):
            continue
        if depth > max_depth or len(item) > left:
            return False
        waiting.extend((inner, depth + 1) for inner in item)
        if isinstance(item, Mapping):
            waiting.extend((inner, depth + 1) for inner in item.values())
    return True
