"""The model's end of a session, recorded while it is really used."""

from __future__ import annotations

import base64
import json
import time


class RecordedUpstream:
    """An ``UpstreamPort`` around a real one.

    Attributes:
        sent: ``(time.monotonic(), event)`` of what went to the model, without audio.
        received: ``(time.monotonic(), event)`` of what came from it, without audio.
        audio: Item id -> PCM that came for it.
    """

    def __init__(self, upstream):
        self.upstream = upstream
        self.sent = []
        self.received = []
        self.audio = {}
        self.closed = False

    async def send(self, event):
        """Send on, and write it down."""
        decoded = json.loads(event)
        if decoded["type"] != "input_audio_buffer.append":
            self.sent.append((time.monotonic(), decoded))
        await self.upstream.send(event)

    async def receive(self):
        """Receive, and write it down."""
        event = await self.upstream.receive()
        decoded = json.loads(event)
        if decoded["type"] == "response.output_audio.delta":
            pcm = base64.b64decode(decoded["delta"])
            item = decoded["item_id"]
            self.audio[item] = self.audio.get(item, b"") + pcm
        else:
            self.received.append((time.monotonic(), decoded))
        return event

    async def close(self):
        """Close the real one."""
        self.closed = True
        await self.upstream.close()

    def events_sent(self, kind):
        """Return the events of a kind that went to the model."""
        return [event for _, event in self.sent if event["type"] == kind]

    def events_received(self, kind):
        """Return the events of a kind that came from the model."""
        return [event for _, event in self.received if event["type"] == kind]
