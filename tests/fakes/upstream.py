"""A model's server that does what the test says."""

from __future__ import annotations

import asyncio
import json
from collections import deque

from realtime_widget.exceptions import UpstreamClosed
from tests.fakes.schema import check


class ScriptedUpstream:
    """An ``UpstreamPort``: ``expect`` what is sent, ``emit`` what answers.

    Every event in either direction must fit the published schema; ``emit_raw`` is
    for what does not.
    """

    def __init__(self):
        self.audio = []
        self.closed = 0
        self.sends_blocked = False
        self._sent = deque()
        self._incoming = deque()
        self._wake = asyncio.Event()
        self._arrived = asyncio.Event()
        self._unblocked = asyncio.Event()
        self._events = 0
        self._error = None

    # --- the port

    async def send(self, event):
        if self.sends_blocked:
            await self._unblocked.wait()
        if self._error is not None:
            raise self._error
        decoded = json.loads(event)
        check("client", decoded)
        if decoded["type"] == "input_audio_buffer.append":
            self.audio.append(decoded["audio"])
            return
        self._sent.append(decoded)
        self._arrived.set()

    async def receive(self):
        while not self._incoming:
            if self._error is not None:
                raise self._error
            self._wake.clear()
            await self._wake.wait()
        return self._incoming.popleft()

    async def close(self):
        self.closed += 1

    # --- the script

    async def expect(self, kind, **fields):
        """Return the next event that was sent; it must be of this kind."""
        async with asyncio.timeout(30):
            while not self._sent:
                self._arrived.clear()
                await self._arrived.wait()
        event = self._sent.popleft()
        assert event["type"] == kind, f"expected {kind}, got {event}"
        for name, value in fields.items():
            assert event.get(name) == value, f"{name} is {event.get(name)!r}"
        return event

    def emit(self, kind, **fields):
        """Send a server event."""
        self._events += 1
        event = {"type": kind, "event_id": f"event_{self._events}", **fields}
        check("server", event)
        self.emit_raw(json.dumps(event).encode())

    def emit_raw(self, data):
        """Send bytes as they are."""
        self._incoming.append(data)
        self._wake.set()

    def lose(self, error=None):
        """End the connection, after what was emitted."""
        self._error = error or UpstreamClosed("gone")
        self._wake.set()

    @property
    def unexpected(self):
        """Return the events that were sent and not expected."""
        return [event["type"] for event in self._sent]

    def assert_complete(self):
        """Fail unless every event that was sent was expected."""
        assert not self._sent, f"not expected: {list(self._sent)}"
