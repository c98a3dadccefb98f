"""What a conversation has brought so far: calls, their outputs, and what they name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from realtime_widget.engine.dialogue import phrases
from realtime_widget.engine.dialogue.answers import answer, is_error
from realtime_widget.engine.dialogue.arguments import Value
from realtime_widget.engine.dialogue.picking import Tool
from realtime_widget.engine.dialogue.words import stem, stems

_REFERS: Final = re.compile(r"\b(?:it|that|this|them|the same)\b", re.IGNORECASE)
_OWN: Final = re.compile(r"\b(?:my|the|that|this)\s+(?:last\s+)?(\w+)", re.IGNORECASE)
# A day or a time of before is not what "it" means.
_LASTING_KINDS: Final = frozenset({"id", "text", "name", "email", "integer"})


class Memory:
    """Follows the calls of a conversation.

    Args:
        today: For telling outputs again.
    """

    def __init__(self, today: date) -> None:
        self._today = today
        self._known: dict[str, Any] = {}
        self._outcomes: list[tuple[Tool, str]] = []
        self.last: Tool | None = None
        self.values: dict[str, Any] = {}
        self.worked = True

    def called(self, tool: Tool | None, arguments: str) -> None:
        """Take a call; None for a tool that is not there any more."""
        values = read_object(arguments)
        self._known.update(values)
        self.last = tool
        self.values = values if tool is not None else {}
        self.worked = True

    def returned(self, output: str) -> None:
        """Take a call's output: what it names can be referred to."""
        read = read_object(output)
        for key, value in read.items():
            if isinstance(value, str | int | float):
                self._known[key] = value
        if self.last is not None:
            self.worked = worked(self.last, output)
            self._outcomes.append((self.last, output))

    def told(self, tool: Tool) -> str:
        """Return what is known of a deed that someone asks about."""
        for done, output in reversed(self._outcomes):
            if done.family and done.nouns & tool.nouns:
                return answer([output], arguments=(), today=self._today, acted=True)
        return phrases.NOT_DONE_YET

    def topic(self, text: str) -> frozenset[str]:
        """Return the stems of what "it" means in a text."""
        if self.last is None or not _REFERS.search(text):
            return frozenset()
        return self.last.nouns

    def referred(
        self, tool: Tool, text: str, said: Mapping[str, Value]
    ) -> dict[str, Value]:
        """Return arguments known from before that "it" or "my order" points at."""
        nouns = {word for match in _OWN.finditer(text) for word in stems(match[1])}
        if not (_REFERS.search(text) or nouns & tool.name_words):
            return {}
        return {
            p.name: self._known[p.name]
            for p in tool.required()
            if p.name not in said and p.name in self._known and p.kind in _LASTING_KINDS
        }

    def undoing(self, tools: tuple[Tool, ...], undo: str) -> tuple[Tool, Any] | None:
        """Return the tool that takes the last deed back, and its arguments."""
        for tool in tools:
            if self.last is None or tool.family != undo:
                continue
            if not tool.nouns & self.last.nouns:
                continue
            known = {**self._known, **self.values}
            values = {p.name: known[p.name] for p in tool.parameters if p.name in known}
            if all(p.name in values for p in tool.required()):
                return tool, values
        return None


def read_object(text: str) -> dict[str, Any]:
    """Return a JSON object, an empty one for any other text."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def worked(tool: Tool, output: str) -> bool:
    """Return whether an output says that the deed was done; ``booked: false`` does not."""
    if is_error(output):
        return False
    return not any(
        value is False and (key in {"ok", "success", "done"} or stem(key) == tool.acts)
        for key, value in read_object(output).items()
    )
