"""The values of tool calls: arguments in, outputs and failures out; pure functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, Protocol

from realtime_widget.exceptions import BadToolArguments, ToolError
from realtime_widget.session.ports import ToolFact

Status = Literal[
    "completed",
    "failed",
    "timeout",
    "unknown_tool",
    "bad_arguments",
    "cancelled",
    "rejected",
    "refused",
    "guardrail",
    # Not an end: a call of the page that passed the checks before it is asked.
    "permitted",
]

MAX_DEPTH: Final = 16
# What a page may say about its own failure.
PAGE_ERROR_CHARS: Final = 500

UNKNOWN: Final = "There is no tool of this name."
TOO_LONG_ARGUMENTS: Final = "The arguments are too long."
NOT_AN_OBJECT: Final = "The arguments are not a JSON object."
TOO_DEEP: Final = "The arguments are nested too deeply."
TOO_MANY: Final = "Too many calls are waiting. Try again with fewer."
TIMED_OUT: Final = "The tool did not answer in time."
FAILED: Final = "The tool failed. Apologise, and offer to help in another way."
TOO_LONG_OUTPUT: Final = "The tool's answer was too long to read. Ask for less."
NO_JSON_OUTPUT: Final = "The tool's answer could not be read."
SPOKEN_OVER: Final = "The visitor spoke before this was done, so it was given up."
REJECTED: Final = "The visitor did not allow this. Do not try it again unless asked."
NOT_APPROVED: Final = "The visitor was asked to allow this and did not answer."
GUARDED: Final = "A rule of this site forbids this call. Say that you cannot do it."
PASSED_ON: Final = "The conversation has been passed on already."
USED_UP: Final = "This tool may not be called again in this conversation."
TOO_OFTEN: Final = "Too many calls in one minute. Answer with what you know."


class Outcome(NamedTuple):
    """How a tool's task ended.

    Attributes:
        status: ``completed``, or how it failed.
        result: The handler's value; words for the model when it failed.
        guardrail: The one that the arguments have tripped, "" for none.
    """

    status: Status
    result: Any
    guardrail: str = ""


class RecordedCall(Protocol):
    """What the record keeps of a call, whoever runs it."""

    call_id: str
    name: str
    arguments: str
    arrived_s: float


def fact(
    call: RecordedCall, status: Status, output: str, now_s: float, limit_bytes: int
) -> ToolFact:
    """Return what the record keeps of a call that has ended.

    Args:
        call: As the model wrote it.
        status: How it ended.
        output: What the model was told, "" for nothing.
        now_s: The time.
        limit_bytes: Longer arguments are cut; they were not accepted either.
    """
    return ToolFact(
        call_id=call.call_id,
        name=call.name,
        arguments=call.arguments[:limit_bytes],
        output=output,
        status=status,
        duration_ms=int((now_s - call.arrived_s) * 1000),
    )


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


def page_outcome(message: Mapping[str, Any]) -> Outcome:
    """Return the outcome that a page's ``tool.result`` tells.

    A page is the visitor's: what it says is data for the model, like any tool's answer.
    """
    if "error" not in message:
        return Outcome("completed", message.get("output"))
    error = message["error"]
    if not isinstance(error, str) or error in ("", "failed"):
        return Outcome("failed", FAILED)
    return Outcome("failed", error[:PAGE_ERROR_CHARS])


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
