"""Calls that are to be made, and what has to be known before."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from realtime_widget.engine.dialogue.arguments import Value
from realtime_widget.engine.dialogue.parameters import Parameter
from realtime_widget.engine.dialogue.picking import Tool


@dataclass(frozen=True, slots=True)
class Call:
    """A tool to call.

    Attributes:
        tool: The tool.
        values: Its arguments.
        hangs: Whether it is only to be made when the call before it worked.
    """

    tool: Tool
    values: Mapping[str, Value]
    hangs: bool = False

    @property
    def arguments(self) -> str:
        """Return the arguments as JSON text."""
        return json.dumps(self.values, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do: make the calls, and say the text (after them when there are any)."""

    text: str = ""
    calls: Sequence[Call] = ()


@dataclass(slots=True)
class Frame:
    """A tool that is to be called once its arguments are known.

    Attributes:
        tool: The tool.
        values: Arguments known so far.
        lead: What is said before it is asked about: "" or a sentence.
        unsure: Whether the visitor has to say yes first.
        then: What is to follow when it worked; complete.
        tries: Answers to its question that were not understood.
    """

    tool: Tool
    values: dict[str, Value]
    lead: str = ""
    unsure: bool = False
    then: tuple[Frame, ...] = field(default=())
    tries: int = 0

    @property
    def waits(self) -> bool:
        """Whether the visitor has to be asked something before the call."""
        return self.unsure or self.asked() is not None

    def asked(self) -> Parameter | None:
        """Return the argument to ask for, None when all are known."""
        return next(
            (p for p in self.tool.required() if p.name not in self.values), None
        )

    def call(self) -> Call:
        """Return the call, its arguments in the schema's order."""
        named = [p.name for p in self.tool.parameters if p.name in self.values]
        return Call(self.tool, {name: self.values[name] for name in named})


class Deeds:
    """Frames one after the other: what is complete is called, the rest waits its turn."""

    def __init__(self) -> None:
        self.waiting: list[Frame] = []

    @property
    def open(self) -> Frame | None:
        """The frame whose question is open."""
        return self.waiting[0] if self.waiting else None

    def add(self, frames: Sequence[Frame]) -> None:
        """Take frames, behind those that wait already."""
        self.waiting.extend(frames)

    def drop(self) -> None:
        """Leave the frame whose question is open."""
        self.waiting = self.waiting[1:]

    def ready(self) -> list[Call]:
        """Return the calls that can be made now, and keep the rest."""
        calls: list[Call] = []
        rest: list[Frame] = []
        for frame in self.waiting:
            _sort(frame, calls, rest)
        self.waiting = rest
        return calls


def _sort(frame: Frame, calls: list[Call], rest: list[Frame]) -> None:
    if frame.waits:
        rest.append(frame)
        return
    calls.append(frame.call())
    for following in frame.then:
        calls.append(replace(following.call(), hangs=True))
