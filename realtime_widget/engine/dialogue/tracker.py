"""Follow a conversation by its items: what is asked for, and what is still missing.

Nothing is kept between answers. The items are gone through again each time, so an
item that is deleted or truncated is forgotten here too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from realtime_widget.engine.dialogue import phrases
from realtime_widget.engine.dialogue.arguments import Value, fill
from realtime_widget.engine.dialogue.parameters import Parameter
from realtime_widget.engine.dialogue.picking import DEEDS, Tool, pick
from realtime_widget.engine.dialogue.words import Said, stems

_MOST_TRIES: Final = 2
# Another tool has to fit this well to be taken for a change of subject.
_SURE: Final = 2.4
_FOLLOW_UP = re.compile(r"^(?:and|what about|how about|also)\b", re.IGNORECASE)
_FOLLOW_UP_WORDS: Final = 8
_REFERS = re.compile(r"\b(?:it|that|this|them|the same)\b", re.IGNORECASE)
_OWN = re.compile(r"\b(?:my|the|that|this)\s+(?:last\s+)?(\w+)", re.IGNORECASE)
_WANTS = re.compile(
    r"\b(?:need|want|(?:would|'d) like|looking for|(?:can|could|may) i (?:have|get))\b",
    re.IGNORECASE,
)
_UNWANTS = re.compile(r"\b(?:don't|do not|no longer) (?:need|want)\b", re.IGNORECASE)
_ASKS = re.compile(
    r"^(?:what|when|where|who|how|which|can|could|do|does|is|are|tell|show|i want|i'd|"
    r"actually|instead)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do: say ``text``, or call ``tool``."""

    text: str = ""
    tool: Tool | None = None
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def arguments(self) -> str:
        """Return the call's arguments as JSON text."""
        return json.dumps(self.values, ensure_ascii=False)


@dataclass(slots=True)
class _Frame:
    """A tool that is to be called once its arguments are known."""

    tool: Tool
    values: dict[str, Value]
    tries: int = 0

    def missing(self) -> list[Parameter]:
        return [p for p in self.tool.parameters if p.name not in self.values]

    def asked(self) -> Parameter | None:
        return next((p for p in self.missing() if p.required), None)


class Tracker:
    """Takes the conversation's items one after the other.

    Args:
        tools: What may be called.
        today: The day that "tomorrow" is counted from.
        known: Tools to speak of, when not all of them may be called now.
    """

    def __init__(
        self, tools: Sequence[Tool], today: date, known: Sequence[Tool] = ()
    ) -> None:
        self._tools = tools
        self._shown = known or tools
        self._today = today
        self._frame: _Frame | None = None
        self._last_call: tuple[Tool, dict[str, Any]] | None = None
        self._known: dict[str, Any] = {}
        self._last_said = ""

    def answered(self, text: str) -> None:
        """Take what the agent said."""
        self._last_said = text

    def called(self, name: str, arguments: str) -> None:
        """Take a function call that was made."""
        self._frame = None
        tool = next((tool for tool in self._tools if tool.name == name), None)
        values = _object(arguments)
        self._known.update(values)
        self._last_call = (tool, values) if tool is not None else None

    def returned(self, output: str) -> None:
        """Take a function call's output: what it names can be referred to."""
        for key, value in _object(output).items():
            if isinstance(value, str | int | float):
                self._known[key] = value

    def hear(self, text: str, *, forced: bool = False) -> Decision:
        """Take what the visitor said and decide.

        Args:
            text: The words.
            forced: Whether a tool has to be called whatever was said.
        """
        if forced and self._tools:
            return self._forced(text)
        if not text.strip():
            return Decision(phrases.UNHEARD)
        if self._frame is not None:
            decision = self._go_on(self._frame, text)
            if decision is not None:
                return decision
        return self._begin(text)

    def _begin(self, text: str) -> Decision:
        """Decide about something said while no question is open."""
        talk = phrases.small_talk(text)
        if talk:
            return Decision(self._talk(talk))
        request = phrases.without_greeting(text)
        tool = pick(self._tools, self._meaning(request))
        if tool is not None:
            return self._open(tool, request)
        return self._follow_up(request) or Decision(phrases.fallback(self._shown))

    def _open(self, tool: Tool, text: str) -> Decision:
        said = Said(text)
        values = fill(
            list(tool.parameters), said, self._today, tool_words=tool.name_words
        )
        frame = _Frame(tool, {**self._referred(tool, text, values), **values})
        return self._complete(frame)

    def _complete(self, frame: _Frame) -> Decision:
        """Call the frame's tool, or ask for what is missing."""
        asked = frame.asked()
        if asked is None:
            self._frame = None
            return Decision(tool=frame.tool, values=_in_order(frame))
        self._frame = frame
        return Decision(phrases.question(asked))

    def _go_on(self, frame: _Frame, text: str) -> Decision | None:
        """Take the answer to the open question; None when it is about something else."""
        asked = frame.asked()
        if asked is None:
            return None
        if phrases.wants_to_leave(text) and asked.kind != "boolean":
            self._frame = None
            return Decision(phrases.LEFT)
        if phrases.small_talk(text) in {"help", "who", "bye", "repeat"}:
            return Decision(self._talk(phrases.small_talk(text)))
        other = pick(self._tools, stems(text), at_least=_SURE)
        moved_on = other is not None and other is not frame.tool
        if moved_on and (
            asked.kind not in {"text", "name"} or _ASKS.match(text.strip())
        ):
            self._frame = None
            return None
        values = fill(
            frame.missing(),
            Said(text),
            self._today,
            asked=asked.name,
            tool_words=frame.tool.name_words,
        )
        frame.values.update(values)
        if values:
            frame.tries = 0
            return self._complete(frame)
        frame.tries += 1
        if frame.tries >= _MOST_TRIES:
            self._frame = None
            return Decision(phrases.GIVEN_UP)
        return Decision(phrases.again(asked))

    def _follow_up(self, text: str) -> Decision | None:
        """Ask the last tool again with what is new: "And on Friday?"."""
        said = Said(text)
        if self._last_call is None or len(said.words) > _FOLLOW_UP_WORDS:
            return None
        tool, before = self._last_call
        if tool.acts:
            return None
        values = fill(
            [p for p in tool.parameters if p.kind != "text"],
            said,
            self._today,
            tool_words=tool.name_words,
        )
        if not values or not (_FOLLOW_UP.match(text) or len(said.words) <= 3):
            return None
        return self._complete(_Frame(tool, {**before, **values}))

    def _forced(self, text: str) -> Decision:
        open_tool = self._frame.tool if self._frame is not None else None
        tool = pick(self._tools, stems(text), at_least=_SURE) or open_tool
        tool = tool or pick(self._tools, stems(text), at_least=-1.0)
        assert tool is not None  # noqa: S101 - there are tools, and any score will do
        values = fill(
            list(tool.parameters), Said(text), self._today, tool_words=tool.name_words
        )
        if self._frame is not None and self._frame.tool is tool:
            values = {**self._frame.values, **values}
        return Decision(tool=tool, values=values)

    def _referred(
        self, tool: Tool, text: str, said: Mapping[str, Value]
    ) -> dict[str, Value]:
        """Return arguments known from before that "it" or "my order" points at."""
        nouns = {word for match in _OWN.finditer(text) for word in stems(match[1])}
        if not (_REFERS.search(text) or nouns & tool.name_words):
            return {}
        return {
            p.name: self._known[p.name]
            for p in tool.parameters
            if p.required and p.name not in said and p.name in self._known
            # A day or a time of before is not what "it" means.
            if p.kind in {"id", "text", "name", "email", "integer"}
        }

    def _meaning(self, text: str) -> set[str]:
        """Return the stems said, with those that go without saying.

        Who needs an appointment wants to book one, who does not need it wants it
        cancelled, and "it" is what the last tool was about.
        """
        meaning = stems(text)
        if _UNWANTS.search(text):
            meaning.add("cancel")
        elif _WANTS.search(text) and not meaning & DEEDS:
            meaning |= {"book", "creat"}
        if _REFERS.search(text) and self._last_call is not None:
            last = self._last_call[0]
            meaning |= last.name_words - {last.acts}
        return meaning

    def _talk(self, kind: str) -> str:
        answers = {
            "hello": f"Hello! {phrases.abilities(self._shown)}",
            "how": phrases.FINE,
            "help": phrases.abilities(self._shown),
            "who": phrases.fallback(self._shown),
            "repeat": self._last_said or phrases.NOTHING_TO_REPEAT,
            "bye": phrases.GOODBYE,
            "thanks": phrases.WELCOME,
            "yes": phrases.AFFIRMED,
            "no": phrases.LEFT,
        }
        return answers[kind]


def _in_order(frame: _Frame) -> dict[str, Value]:
    return {
        p.name: frame.values[p.name]
        for p in frame.tool.parameters
        if p.name in frame.values
    }


def _object(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
