"""The dialogue of the model ``scripted``: a few rules that a test can count on."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from realtime_widget.engine.dialogue.messages import item_text
from realtime_widget.engine.ports import (
    DialogueEvent,
    DialogueRequest,
    FunctionCall,
    TextDelta,
)

# Two parts with a pause between, in which a client that judges the first part, as
# guardrails do, still finds an answer to cancel.
LONG_ANSWER: Final = (
    "This is a long sentence that goes on and on, so that there is time to interrupt it,"
    " to cut it off in the middle, and to see what becomes of the rest of its words. ",
    "And this is the rest.",
)
LONG_PAUSE_S: Final = 0.5
COUNT_STEP_S: Final = 0.25
_NUMBERS: Final = [
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
    "Twenty",
]
# What is quoted of a text; the answer stays short.
QUOTED_CHARS: Final = 200
_CALL: Final = re.compile(r"\s*([\w-]+)\s+(\{.*\})\s*", re.DOTALL)

Sleep = Callable[[float], Awaitable[None]]


class ScriptedDialogue:
    """Answers by rule; the same request always gets the same answer.

    Args:
        sleep: Waits some seconds.
    """

    def __init__(self, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep

    async def reply(self, request: DialogueRequest) -> AsyncIterator[DialogueEvent]:
        """Yield the answer to the last thing that happened."""
        outputs = _last_outputs(request.items)
        text = _last_user_text(request.items)
        if outputs:
            yield TextDelta(f"The tool says: {' '.join(outputs)}")
        elif calls := _calls(text or "", request):
            for call in calls:
                yield call
        elif "count slowly" in (text or "").lower():
            for at, number in enumerate(_NUMBERS):
                if at:
                    await self._sleep(COUNT_STEP_S)
                yield TextDelta(f"{number}. ")
        elif "something long" in (text or "").lower():
            beginning, rest = LONG_ANSWER
            yield TextDelta(beginning)
            await self._sleep(LONG_PAUSE_S)
            yield TextDelta(rest)
        else:
            yield TextDelta(quote(text))


def quote(text: str | None) -> str:
    """Return the short answer that quotes what was said.

    Args:
        text: What was typed or heard; "" for silence and for pictures,
            None when nobody has said anything.
    """
    if text is None:
        return "Hello."
    if not text:
        return "I heard you."
    if len(text) > QUOTED_CHARS:
        text = f"{text[: QUOTED_CHARS - 1]}…"
    return f'You said: "{text}".'


def _last_user_text(items: Sequence[Mapping[str, Any]]) -> str | None:
    for item in reversed(items):
        if item.get("type") == "message" and item.get("role") == "user":
            return item_text(item)
    return None


def _last_outputs(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the outputs of tools since anybody last spoke, oldest first."""
    outputs: list[str] = []
    for item in reversed(items):
        if item.get("type") == "message":
            break
        if item.get("type") == "function_call_output":
            outputs.append(str(item.get("output") or ""))
    return outputs[::-1]


def _calls(text: str, request: DialogueRequest) -> list[FunctionCall]:
    """Return the calls that a text asks for, or that the client demands."""
    choice = request.tool_choice
    names = [str(tool["name"]) for tool in request.tools]
    if choice == "none" or not names:
        return []
    named = choice.get("name") if isinstance(choice, Mapping) else None
    if named is not None:
        names = [name for name in names if name == named]
    whole = _call(text, names)
    calls = [whole] if whole else [_call(line, names) for line in text.splitlines()]
    if calls and all(calls):
        return [call for call in calls if call is not None]
    if names and (named is not None or choice == "required"):
        return [FunctionCall(names[0], "{}")]
    return []


def _call(text: str, names: Sequence[str]) -> FunctionCall | None:
    """Return the call of a text like ``name {"a": 1}``, None if it is none."""
    match = _CALL.fullmatch(text)
    if match is None or match[1] not in names:
        return None
    try:
        arguments = json.loads(match[2])
    except (ValueError, RecursionError):
        return None
    return FunctionCall(match[1], match[2]) if isinstance(arguments, dict) else None
