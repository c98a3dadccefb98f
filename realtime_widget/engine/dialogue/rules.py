"""Answer without a language model: tools by their words, arguments by their schema.

Small, and it says so. The same items on the same day always get the same answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from realtime_widget.engine.dialogue import phrases
from realtime_widget.engine.dialogue.answers import answer
from realtime_widget.engine.dialogue.messages import item_text
from realtime_widget.engine.dialogue.picking import Tool, read_tools
from realtime_widget.engine.dialogue.tracker import Decision, Tracker
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
        """Yield the answer sentence by sentence, or one function call."""
        decision = decide(request, self._today())
        if decision.tool is not None:
            yield FunctionCall(decision.tool.name, decision.arguments)
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
    if (finished := _finished(tail, tools, today)) is not None:
        return finished
    if not spoken:
        return Decision(phrases.greeting(request.instructions, tools))
    usable, forced = _choice(tools, request.tool_choice)
    tracker = Tracker(usable, today, tools)
    for item in items[: spoken[-1]]:
        _follow(tracker, item)
    return tracker.hear(item_text(items[spoken[-1]]), forced=forced)


def _finished(
    tail: Sequence[Mapping[str, Any]], tools: Sequence[Tool], today: date
) -> Decision | None:
    """Return the answer when tools have already been called for this question."""
    calls = [item for item in tail if item.get("type") == "function_call"]
    outputs = [item for item in tail if item.get("type") == "function_call_output"]
    if outputs:
        acting = {tool.name for tool in tools if tool.acts}
        acted = any(item.get("name") in acting for item in calls)
        # What was changed is confirmed in full; what was asked is not told back.
        known = [] if acted else [str(item.get("arguments") or "") for item in calls]
        said = answer(
            [str(item.get("output") or "") for item in outputs],
            arguments=known,
            today=today,
            acted=acted,
        )
        return Decision(said)
    return Decision(phrases.WORKING) if calls else None


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


def _is_from_user(item: Mapping[str, Any]) -> bool:
    return item.get("type") == "message" and item.get("role") == "user"


def _within(text: str, max_output_tokens: int | None) -> str:
    """Return a text of no more than so many tokens."""
    if max_output_tokens is None:
        return text
    words = text.split(" ")
    most = max(1, int(max_output_tokens / _TOKENS_PER_WORD))
    return text if len(words) <= most else " ".join(words[:most])
