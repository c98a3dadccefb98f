"""A model that answers by itself, for tests of what is around a session."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64encode

from realtime_widget.exceptions import UpstreamClosed


class AnsweringModel:
    """An ``UpstreamPort`` that repeats what is typed.

    ``tool NAME {JSON}`` makes it call a tool and say the tool's answer; ``hang up``
    ends the connection, ``hang up once`` only the first one of a talk; ``flood N``
    answers with N seconds of audio.
    """

    def __init__(self, *, first=True):
        self._first = first
        self.received = []
        self.audio_at_s = []
        self.closed = 0
        self._events = asyncio.Queue()
        self._numbers = 0
        self._last = ""
        self._emit("session.created", session={"type": "realtime", "id": "sess_1"})

    async def send(self, event):
        if self.closed:
            raise UpstreamClosed("closed")
        if event.startswith(b'{"type":"input_audio_buffer.append"'):
            self.audio_at_s.append(time.monotonic())
            return
        event = json.loads(event)
        self.received.append(event)
        if event["type"] == "session.update":
            self._emit("session.updated", session=event["session"])
        elif event["type"] == "conversation.item.create":
            self._take(event["item"])
        elif event["type"] == "response.create":
            self._answer()

    async def receive(self):
        event = await self._events.get()
        if event is None:
            raise UpstreamClosed("hung up")
        return event

    async def close(self):
        self.closed += 1

    def of(self, kind):
        """Return the events of one type that were sent."""
        return [event for event in self.received if event["type"] == kind]

    def session_tools(self):
        """Return the tools of the newest configuration."""
        return self.of("session.update")[-1]["session"]["tools"]

    def emit(self, kind, **fields):
        """Send an event as the test says."""
        self._emit(kind, **fields)

    def _take(self, item):
        item = {"id": self._id("item"), **item}
        self._emit("conversation.item.added", item=item, previous_item_id=None)
        if item["type"] == "function_call_output":
            self._last = item["output"]
        elif item["type"] == "message":
            self._last = item["content"][0]["text"]

    def _answer(self):
        words = self._last
        if words == "hang up" or (words == "hang up once" and self._first):
            self._events.put_nowait(None)
            return
        response = {"id": self._id("resp")}
        self._emit("response.created", response=response)
        if words.startswith("tool "):
            self._call(response["id"], *words.split(" ", 2)[1:])
        elif words.startswith("flood "):
            self._speak(response["id"], int(words.split()[1]))
        else:
            part = self._part(response["id"])
            self._emit("response.output_text.delta", **part, delta=f"You: {words}")
            self._emit("response.output_text.done", **part, text=f"You: {words}")
        self._emit(
            "response.done",
            response={
                **response,
                "status": "completed",
                "usage": {
                    "total_tokens": 3,
                    "input_tokens": 2,
                    "output_tokens": 1,
                    "input_token_details": {"text_tokens": 2},
                    "output_token_details": {"text_tokens": 1},
                },
            },
        )

    def _call(self, response_id, name, arguments="{}"):
        self._emit(
            "response.output_item.done",
            output_index=0,
            response_id=response_id,
            item={
                "id": self._id("item"),
                "type": "function_call",
                "status": "completed",
                "call_id": self._id("call"),
                "name": name,
                "arguments": arguments,
            },
        )

    def _speak(self, response_id, seconds):
        part = self._part(response_id)
        second = b64encode(bytes(48_000)).decode()
        for _ in range(seconds):
            self._emit("response.output_audio.delta", **part, delta=second)
        self._emit("response.output_audio.done", **part)

    def _part(self, response_id):
        return {
            "item_id": self._id("item"),
            "response_id": response_id,
            "output_index": 0,
            "content_index": 0,
        }

    def _emit(self, kind, **fields):
        event = {"type": kind, "event_id": self._id("event"), **fields}
        self._events.put_nowait(json.dumps(event).encode())

    def _id(self, kind):
        self._numbers += 1
        return f"{kind}_{id(self)}_{self._numbers}"
