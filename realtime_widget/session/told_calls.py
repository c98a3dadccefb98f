"""Answered tool calls, kept so that another session of the model can be told of them."""

from __future__ import annotations

from typing import Final, NamedTuple

from realtime_widget.session.composing import Event, tool_call_item, tool_output_item

MAX_CALLS: Final = 30
MAX_CHARS: Final = 128 * 1024


class _Told(NamedTuple):
    """One call as the model wrote it, and what it was answered."""

    name: str
    arguments: str
    output: str


class ToldCalls:
    """The newest answered calls of a session, within bounds."""

    def __init__(self) -> None:
        self._calls: dict[str, _Told] = {}

    def keep(self, call_id: str, name: str, arguments: str, output: str) -> None:
        """Keep an answer; the oldest are forgotten for it."""
        self._calls[call_id] = _Told(name, arguments, output)
        size = sum(sum(map(len, told)) for told in self._calls.values())
        while size > MAX_CHARS or len(self._calls) > MAX_CALLS:
            size -= sum(map(len, self._calls.pop(next(iter(self._calls)))))

    def events(self, call_id: str) -> list[Event]:
        """Return the events that tell of a call and its answer; none if not kept."""
        told = self._calls.get(call_id)
        if told is None:
            return []
        return [
            tool_call_item(call_id, told.name, told.arguments),
            tool_output_item(call_id, told.output),
        ]
