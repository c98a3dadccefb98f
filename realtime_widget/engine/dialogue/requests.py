"""Read what is asked for in an utterance: one request or several, in any mood."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from realtime_widget.engine.dialogue import phrases
from realtime_widget.engine.dialogue.arguments import Value, fill
from realtime_widget.engine.dialogue.clauses import pieces, revised
from realtime_widget.engine.dialogue.deeds import (
    DEED_WORDS,
    UNDO,
    Meaning,
    Mood,
    meaning_of,
)
from realtime_widget.engine.dialogue.frames import Frame
from realtime_widget.engine.dialogue.memory import Memory
from realtime_widget.engine.dialogue.parameters import Parameter
from realtime_widget.engine.dialogue.picking import Tool, pick
from realtime_widget.engine.dialogue.words import Said, stems

# Values of these kinds are recognised by their form wherever they are said.
_SURE_KINDS: Final = frozenset(
    {"enum", "email", "phone", "datetime", "date", "weekday", "time", "id", "integer",
     "number"}
)  # fmt: skip
_ANOTHER: Final = re.compile(
    r"\b(?:it|that|them|another|the same|one(?= (?:on|for|at|in|please)\b|$))\b", re.I
)
# Said along with a deed, without naming what it is to be done to.
_NEUTRAL: Final = stems("come longer able going think time sorry afraid instead")
_COMMA: Final = re.compile(r"\s*,\s*")


@dataclass(frozen=True, slots=True)
class Request:
    """What a clause asks for: a frame, or a remark to answer it with."""

    frame: Frame | None = None
    remark: str = ""


class Requests:
    """Reads utterances.

    Args:
        tools: What may be called.
        today: The day that "tomorrow" is counted from.
        memory: What was called before.
    """

    def __init__(self, tools: Sequence[Tool], today: date, memory: Memory) -> None:
        self._tools = tools
        self._today = today
        self._memory = memory

    def read(self, text: str) -> list[Request]:
        """Return what is asked for, in the order it was said."""
        found: list[Request] = []
        before: Frame | None = None
        for clause in self._clauses(text):
            request = self._request(clause, before)
            if request is None:
                continue
            found.append(request)
            before = request.frame or before
        _share([request.frame for request in found if request.frame is not None])
        return found

    def topic(self, text: str, before: Tool | None = None) -> Tool | None:
        """Return the tool that a text is about."""
        return pick(self._tools, self._meaning(text, before))

    def values(
        self, tool: Tool, text: str, *, asked: str = "", revises: bool = False
    ) -> dict[str, Value]:
        """Return the arguments that a text says by their form alone.

        Args:
            tool: Whose arguments.
            text: What was said.
            asked: Parameter whose question the text answers.
            revises: Whether it revises arguments, so that a bare word will do.
        """
        sure = sure_parameters(tool)
        if revises and not asked:
            asked = revised_by_a_bare_word(tool)
        parameters = [p for p in tool.parameters if p in sure or p.name == asked]
        return fill(
            parameters,
            Said(text),
            self._today,
            asked=asked,
            tool_words=tool.name_words,
        )

    # --- clauses -------------------------------------------------------------

    def _clauses(self, text: str) -> list[str]:
        spans: list[tuple[int, int]] = []
        for start, end in pieces(text):
            if spans:
                first, last = spans[-1]
                between, piece = text[last:start], text[start:end]
                if not self._is_new(text[first:last], between, piece):
                    spans[-1] = first, end
                    continue
            spans.append((start, end))
        return [text[start:end] for start, end in spans]

    def _is_new(self, before: str, between: str, piece: str) -> bool:
        """Return whether a piece asks for something of its own."""
        tool = self.topic(before)
        if tool is None or revised(piece).begins:
            return False
        other = self.topic(piece) or self.topic(piece, tool)
        if other is not None and other is not tool:
            return True
        if _COMMA.fullmatch(between):
            return False  # digits are said in groups, and names of days in lists
        first, second = self.values(tool, before), self.values(tool, piece)
        return any(name in first and first[name] != second[name] for name in second)

    def _meaning(self, text: str, before: Tool | None = None) -> Meaning:
        meaning = meaning_of(text)
        nouns = self._memory.topic(text)
        if before is not None and _ANOTHER.search(text):
            nouns = before.nouns
        return replace(meaning, said=meaning.said | nouns) if nouns else meaning

    # --- one clause ----------------------------------------------------------

    def _request(self, clause: str, before: Frame | None) -> Request | None:
        cut = revised(clause)
        if cut.withdrawn:
            return Request(remark=phrases.LEFT)
        parts = cut.parts()
        earlier = before.tool if before is not None else None
        tool: Tool | None = None
        start = 0
        for at, part in enumerate(parts):
            picked = self.topic(part) or self.topic(part, earlier)
            if picked is not None and picked is not tool:
                tool, start = picked, at
        whole = tool is None
        tool = tool or self.topic(clause) or self.topic(clause, earlier)
        text = clause if whole else " ".join(parts[start:])
        meaning = self._meaning(text, earlier)
        if tool is None:
            return self._continued(before, text) or self._untold(meaning, text)
        values = self._values_of(tool, [clause] if whole else parts[start:], clause)
        values = {**self._memory.referred(tool, text, values), **values}
        return self._in_mood(tool, values, meaning)

    def _continued(self, before: Frame | None, text: str) -> Request | None:
        """Return the request before it once more: "... and on Friday"."""
        values = self.values(before.tool, text) if before is not None else {}
        if before is None or not values:
            return None
        return Request(Frame(before.tool, values, unsure=before.unsure))

    def _values_of(
        self, tool: Tool, parts: Sequence[str], clause: str
    ) -> dict[str, Value]:
        """Return the arguments of a clause, what was said later in place of the first."""
        later = [self.values(tool, part, revises=True) for part in parts[1:]]
        if not any(later):
            text = parts[0] if len(parts) == 1 else clause
            return self._all_values(tool, Said(text))
        values = self._all_values(tool, Said(parts[0]))
        for more in later:
            values.update(more)
        return values

    def _all_values(self, tool: Tool, said: Said) -> dict[str, Value]:
        head = meaning_of(said.text).head
        return fill(
            list(tool.parameters),
            said,
            self._today,
            tool_words=tool.name_words | ({head} & DEED_WORDS),
            about=frozenset(tool.weights),
        )

    def _in_mood(
        self, tool: Tool, values: dict[str, Value], meaning: Meaning
    ) -> Request | None:
        if not tool.family:
            if meaning.unasked:
                return Request(remark=phrases.NOT_DOING)
            return Request(Frame(tool, values))
        mood = tool.mood(meaning)
        if mood == "whether":
            reading = pick([t for t in self._tools if not t.family], meaning)
            if reading is not None:
                return Request(Frame(reading, values))
        return self._deed(tool, values, mood)

    def _deed(self, tool: Tool, values: dict[str, Value], mood: Mood) -> Request | None:
        if mood == "asked" or (mood == "may" and tool.family != UNDO):
            return Request(Frame(tool, values))
        if mood in {"how", "may", "maybe"}:
            lead = phrases.can_do(tool) if mood == "how" else ""
            return Request(Frame(tool, values, lead, unsure=True))
        if mood == "whether":
            return Request(remark=self._memory.told(tool))
        return Request(
            remark=phrases.NOT_DOING if mood == "negated" else phrases.AFFIRMED
        )

    def _untold(self, meaning: Meaning, text: str) -> Request | None:
        """Return what is asked for when a deed or its thing was not named."""
        for family, mood in meaning.deeds.items():
            tools = [tool for tool in self._tools if tool.family == family]
            if not tools:
                continue
            said = Said(text)
            values = self._all_values(tools[0], said)
            others = stems(said.unused()) - DEED_WORDS - _NEUTRAL
            if others:
                continue
            if mood == "negated":
                return Request(remark=phrases.NOT_DOING)
            if len(tools) == 1 and mood in {"asked", "may", "maybe", "how"}:
                return self._deed(tools[0], values, "maybe")
        if meaning.deeds:
            return None
        return self._all_said(meaning, text)

    def _all_said(self, meaning: Meaning, text: str) -> Request | None:
        """Return an offer when all that a deed needs was said, but not the deed."""
        deeds: dict[str, Mood] = {tool.family: "asked" for tool in self._tools}
        tools = [tool for tool in self._tools if not tool.family or tool.required()]
        tool = pick(tools, replace(meaning, deeds=deeds))
        if tool is None or not tool.family:
            return None
        values = self._all_values(tool, Said(text))
        if any(p.name not in values for p in tool.required()):
            return None
        return Request(Frame(tool, values, unsure=True))


def sure_parameters(tool: Tool) -> list[Parameter]:
    """Return the parameters whose values are recognised by their form."""
    return [p for p in tool.parameters if p.kind in _SURE_KINDS]


def revised_by_a_bare_word(tool: Tool) -> str:
    """Return the parameter that "make it eleven" or "I meant Paris" is about."""
    if len(tool.parameters) == 1:
        return tool.parameters[0].name
    sure = sure_parameters(tool)
    if any(p.kind in {"id", "integer", "number", "phone"} for p in sure):
        return ""
    return next((p.name for p in sure if p.kind == "time"), "")


def _share(frames: Sequence[Frame]) -> None:
    """Give requests for one tool what only one of them says: a day for two services."""
    for one in frames:
        for other in frames:
            if one is other or one.tool is not other.tool or not one.tool.family:
                continue
            for parameter in one.tool.required():
                if parameter.name in other.values:
                    one.values.setdefault(parameter.name, other.values[parameter.name])
