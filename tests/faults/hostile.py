"""A model's server that sends without end, on a port and a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from contextlib import contextmanager

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from tests.fakes.model import AnsweringModel
from tests.faults.machines import HOST

DELTA_S = 0.2
DELTA = b64encode(bytes(range(256)) * 38)[: int(DELTA_S * 48_000) * 4 // 3].decode()
WORDS = "and so on " * 40
UNKNOWN = "x" * 512 * 1024
STUCK_CALLS = 12


class HostileModel(AnsweringModel):
    """Answers ``everything`` with all it has, ``huge N`` with one event of N MiB."""

    def _answer(self):
        if self._last == "everything":
            response_id = self._id("resp")
            self._emit("response.created", response={"id": response_id})
            for _ in range(STUCK_CALLS):
                self._call(response_id, "blocked")
            for _ in range(3):
                self._emit("rumour", words=UNKNOWN)
            self._flood(response_id, 180.0)
        elif self._last.startswith("huge "):
            self._emit("rumour", words=UNKNOWN * 2 * int(self._last.split()[1]))
        else:
            super()._answer()

    def _flood(self, response_id, seconds):
        part = self._part(response_id)
        for _ in range(int(seconds / DELTA_S)):
            self._emit("response.output_audio_transcript.delta", **part, delta=WORDS)
            self._emit("response.output_audio.delta", **part, delta=DELTA)

    async def serve(self, socket):
        """Speak to one client until it goes."""
        sending = asyncio.create_task(self._send_all(socket))
        try:
            async for event in socket:
                await self.send(event.encode() if isinstance(event, str) else event)
        except ConnectionClosed:
            pass
        finally:
            sending.cancel()

    async def _send_all(self, socket):
        try:
            while True:
                await socket.send(await self.receive(), text=True)
        except ConnectionClosed:
            pass


@contextmanager
def hostile_server(port):
    """Serve until the block ends."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run(ready):
        async with serve(lambda one: HostileModel().serve(one), HOST, port):
            ready.set()
            await stop.wait()

    ready = threading.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(run(ready)), name="hostile", daemon=True
    )
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
