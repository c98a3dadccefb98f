"""A dialogue that knows what it was told, so that a visitor can ask whether it still does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from realtime_widget.engine.dialogue.messages import item_text
from realtime_widget.engine.ports import DialogueEvent, DialogueRequest, TextDelta
from realtime_widget.engine.scripted.dialogue import ScriptedDialogue

TELL: Final = "Remember the word {word}"
RECALL: Final = "Which words did I tell you?"
RECALLED: Final = "You told me:"
COUNT: Final = "count slowly"
_TOLD: Final = re.compile(TELL.format(word=r"(\w+)"))


class Remembering:
    """Answers a recall from the conversation it was given, all else by fixed rules."""

    def __init__(self) -> None:
        self._else = ScriptedDialogue()

    async def reply(self, request: DialogueRequest) -> AsyncIterator[DialogueEvent]:
        """Yield the answer to what the visitor said last."""
        said = [item_text(item) for item in request.items if _is_visitors(item)]
        if said and said[-1] == RECALL:
            words = [found[1] for text in said if (found := _TOLD.fullmatch(text))]
            yield TextDelta(f"{RECALLED} {' '.join(words)}")
            return
        async for event in self._else.reply(request):
            yield event


def dialogue(options: object) -> Remembering:
    """Return the part for the engine's setting ``DIALOGUE``."""
    return Remembering()


def _is_visitors(item: Mapping[str, Any]) -> bool:
    return item.get("type") == "message" and item.get("role") == "user"
