"""Answer without a language model: tools by their words, arguments by their schema.

Small, and it says so. The same items on the same day always get the same answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from realtime_widget.engine.dialogue import phrases
from realtime_widget.engine.dialogue.answers import answer
from realtime_widget.engine.dialogue.frames import Call, Decision
from realtime_widget.engine.dialogue.memory import worked
from realtime_widget.engine.dialogue.messages import item_text
from realtime_widget.engine.dialogue.picking import Tool, read_tools
from realtime_widget.engine.dialogue.tracker import Tracker
from realtime_widget.engine.ports import (
    DialogueEvent,
    DialogueRequest,
    FunctionCall,
    TextDelta,
)
from realtime_widget.engine.speakable import sentences

# What was said before this does not matter to a rule.
_MOST_ITEMS: Final = 60
# English text has about four tokens for three words.
_TOKENS_PER_WORD: Final = 4 / 3


def local_today() -> date:
    """Return the day by the process's clock and time zone."""
    return datetime.now(UTC).astimezone().date()


class RulesDialogue:
    """Answers from tools alone.

    Args:
        today: Gives the day that "tomorrow" is counted from.
    """

    def __init__(self, today: Callable[[], date] = local_today) -> None:
        self._today = today

    async def reply(self, request: DialogueRequest) -> AsyncIterator[DialogueEvent]:
        """Yield the answer sentence by sentence, or function calls."""
        decision = decide(request, self._today())
        if decision.calls:
            for call in decision.calls:
                yield FunctionCall(call.tool.name, call.arguments)
            return
        text = _within(decision.text, request.max_output_tokens)
        for number, sentence in enumerate(sentences(text)):
            yield TextDelta(f" {sentence}" if number else sentence)


def decide(request: DialogueRequest, today: date) -> Decision:
    """Return what to do about a conversation."""
    tools = read_tools(request.tools)
    items = list(request.items)[-_MOST_ITEMS:]
    spoken = [at for at, item in enumerate(items) if _is_from_user(item)]
    tail = items[spoken[-1] + 1 :] if spoken else items
    if not spoken:
        told = _told(tail, tools, today)
        return Decision(told or phrases.greeting(request.instructions, tools))
    usable, forced = _choice(tools, request.tool_choice)
    tracker = Tracker(usable, today, tools)
    for item in items[: spoken[-1]]:
        _follow(tracker, item)
    decision = tracker.hear(item_text(items[spoken[-1]]), forced=forced)
    return _go_on(decision, tail, tools, today)


def _go_on(
    decision: Decision,
    tail: Sequence[Mapping[str, Any]],
    tools: Sequence[Tool],
    today: date,
) -> Decision:
    """Return what of a decision is still to be done, with what has been done told."""
    made = [str(item.get("name")) for item in tail if _is(item, "function_call")]
    told = _told(tail, tools, today)
    if not told:
        return replace(decision, calls=_first(decision.calls))
    if not any(_is(item, "function_call_output") for item in tail):
        return Decision(told)
    rest = _rest(decision.calls, made)
    if rest is None:
        return Decision(told)
    if rest and not (rest[0].hangs and not _worked(tail, tools)):
        return Decision(calls=_first(rest))
    return Decision(f"{told} {decision.text}".strip())


def _worked(tail: Sequence[Mapping[str, Any]], tools: Sequence[Tool]) -> bool:
    """Return whether the last call of these items did what it was for."""
    call = next(item for item in reversed(tail) if _is(item, "function_call"))
    output = next(item for item in reversed(tail) if _is(item, "function_call_output"))
    tool = next((tool for tool in tools if tool.name == call.get("name")), None)
    return tool is None or worked(tool, str(output.get("output") or ""))


def _rest(calls: Sequence[Call], made: Sequence[str]) -> list[Call] | None:
    """Return the calls not made yet; None when others were made than these."""
    rest = list(calls)
    for name in made:
        place = next((at for at, c in enumerate(rest) if c.tool.name == name), None)
        if place is None:
            return None
        del rest[place]
    return rest


def _first(calls: Sequence[Call]) -> Sequence[Call]:
    """Return the calls to make together: a deed's outcome is awaited before the next."""
    if sum(bool(call.tool.acts) for call in calls) < 2:
        return calls
    place = next(at for at, call in enumerate(calls) if call.tool.acts)
    return calls[: place + 1]


def _told(tail: Sequence[Mapping[str, Any]], tools: Sequence[Tool], today: date) -> str:
    """Return what the tools called for this question returned, "" when none was."""
    calls = [item for item in tail if _is(item, "function_call")]
    outputs = [item for item in tail if _is(item, "function_call_output")]
    if not outputs:
        return phrases.WORKING if calls else ""
    acting = {tool.name for tool in tools if tool.acts}
    acted = any(item.get("name") in acting for item in calls)
    # What was changed is confirmed in full; what was asked is not told back.
    known = [] if acted else [str(item.get("arguments") or "") for item in calls]
    return answer(
        [str(item.get("output") or "") for item in outputs],
        arguments=known,
        today=today,
        acted=acted,
    )


def _choice(tools: list[Tool], choice: Any) -> tuple[list[Tool], bool]:
    """Return the tools that may be called and whether one of them has to be."""
    if choice == "none":
        return [], False
    if isinstance(choice, Mapping):
        named = [tool for tool in tools if tool.name == choice.get("name")]
        return (named, True) if named else (tools, False)
    return tools, choice == "required"


def _follow(tracker: Tracker, item: Mapping[str, Any]) -> None:
    kind = item.get("type")
    if _is_from_user(item):
        tracker.hear(item_text(item))
    elif kind == "message" and item.get("role") == "assistant":
        tracker.answered(item_text(item))
    elif kind == "function_call":
        tracker.called(str(item.get("name")), str(item.get("arguments") or ""))
    elif kind == "function_call_output":
        tracker.returned(str(item.get("output") or ""))


def _is(item: Mapping[str, Any], kind: str) -> bool:
    return item.get("type") == kind


def _is_from_user(item: Mapping[str, Any]) -> bool:
    return item.get("type") == "message" and item.get("role") == "user"


def _within(text: str, max_output_tokens: int | None) -> str:
    """Return a text of no more than so many tokens."""
    if max_output_tokens is None:
        return text
    words = text.split(" ")
    most = max(1, int(max_output_tokens / _TOKENS_PER_WORD))
    return text if len(words) <= most else " ".join(words[:most])
