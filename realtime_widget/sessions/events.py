"""What a session of server code tells, under the names of the OpenAI Agents SDK.

============================  ======================================================
``agent_start``               ``agent``, its name: an answer begins
``agent_end``                 ``agent``, who began the answer that has ended
``audio``                     ``audio`` (bytes), ``item_id``
``audio_end``                 ``item_id``
``audio_interrupted``         ``item_id``, ``heard_ms``
``tool_start``, ``tool_end``  ``name``, ``arguments`` (an object); at its end ``output``
                              (JSON text), ``status`` and ``call_id``
``tool_approval_required``    ``call_id``, ``name``, ``summary``
``handoff``                   ``before``, ``after``
``guardrail_tripped``         ``name``, ``item_id``
``history_added``             ``item``
``history_updated``           ``history``, the whole list
``input_audio_timeout_triggered``  the visitor has been silent for long
``usage``                     ``usage``, as the provider counted it
``error``                     ``code``, ``message``, ``fatal``
``raw_model_event``           ``data``, an event of the model's side but for audio
``session_started``           ``session_id``
``state``                     ``state``
``conversation.updated``      ``item``, ``delta``: any change of an item
``conversation.item.appended``   ``item``: a new one
``conversation.item.completed``  ``item``
``conversation.interrupted``  the visitor speaks
============================  ======================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from realtime_widget.protocol.events import AUDIO_DELTA
from realtime_widget.session.ports import UpstreamPort

# What is looked for in the model's events.
MARKS: Final = (b"response.created", b"response.done", b"timeout_triggered")

# Message of the browser protocol -> event.
EVENT_NAMES: Final = {
    "audio.end": "audio_end",
    "audio.interrupted": "audio_interrupted",
    "tool.approval_required": "tool_approval_required",
    "guardrail": "guardrail_tripped",
    "speech.started": "conversation.interrupted",
    "state": "state",
    "error": "error",
}


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One message of a conversation.

    Attributes:
        item_id: The protocol's id.
        role: user, assistant or system.
        text: The words so far; of a cut answer what was heard.
        completed: Whether they are complete.
    """

    item_id: str
    role: str
    text: str = ""
    completed: bool = False


@dataclass(frozen=True)
class SessionEvent:
    """One thing that happened; its data are attributes too.

    Attributes:
        type: One of the names above.
        data: What belongs to it.
    """

    type: str
    data: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        """Return a value of ``data``.

        Raises:
            AttributeError: If there is none of this name.
        """
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(name) from None


class History:
    """The messages of a conversation in their order."""

    def __init__(self) -> None:
        self.items: list[HistoryItem] = []

    def take(self, message: dict[str, Any]) -> list[SessionEvent]:
        """Take a ``transcript`` message and return what it means."""
        item_id = message["item_id"]
        at = next((n for n, i in enumerate(self.items) if i.item_id == item_id), None)
        is_new = at is None
        if at is None:
            at = self._place(message.get("previous_item_id"))
            self.items.insert(at, HistoryItem(item_id, message["role"]))
        before = self.items[at]
        delta = message.get("delta", "")
        text = message["text"] if "text" in message else before.text + delta
        item = replace(before, text=text, completed=message["final"])
        self.items[at] = item
        events = [SessionEvent("conversation.updated", {"item": item, "delta": delta})]
        if is_new:
            events.append(SessionEvent("history_added", {"item": item}))
            events.append(SessionEvent("conversation.item.appended", {"item": item}))
        if item.completed:
            events.append(SessionEvent("conversation.item.completed", {"item": item}))
            events.append(SessionEvent("history_updated", {"history": [*self.items]}))
        return events

    def _place(self, previous: str | None) -> int:
        for n, item in enumerate(self.items):
            if item.item_id == previous:
                return n + 1
        return len(self.items)


class Tapped:
    """The model's end, which also tells what happens there.

    Args:
        upstream: The model's end.
        tell: Takes an event's name and data.
        agent: Returns the name of who answers now.
        raw: Whether everything but audio is told.
    """

    def __init__(
        self,
        upstream: UpstreamPort,
        tell: Callable[..., None],
        agent: Callable[[], str],
        *,
        raw: bool,
    ) -> None:
        self._upstream = upstream
        self._tell = tell
        self._agent = agent
        self._raw = raw
        # Response -> who began it: a handoff within it does not change that.
        self._answering: dict[str, str] = {}

    async def send(self, event: bytes) -> None:
        """Send one client event."""
        await self._upstream.send(event)

    async def receive(self) -> bytes:
        """Return the next server event, telling what it means."""
        event = await self._upstream.receive()
        # Most events are audio: they are looked at, not decoded.
        if self._raw or any(mark in event for mark in MARKS):
            self._take(json.loads(event))
        return event

    async def close(self) -> None:
        """End the connection."""
        await self._upstream.close()

    def _take(self, event: Any) -> None:
        if not isinstance(event, dict):
            return
        kind = event.get("type")
        if self._raw and kind != AUDIO_DELTA:
            self._tell("raw_model_event", data=event)
        response = event.get("response")
        response_id = response.get("id") if isinstance(response, dict) else None
        if kind == "response.created":
            agent = self._answering[str(response_id)] = self._agent()
            self._tell("agent_start", agent=agent)
        elif kind == "response.done":
            agent = self._answering.pop(str(response_id), self._agent())
            self._tell("agent_end", agent=agent)
        elif kind == "input_audio_buffer.timeout_triggered":
            self._tell("input_audio_timeout_triggered")
