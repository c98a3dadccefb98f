"""The model's end of a session, recorded while it is really used."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


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
        self._loop = asyncio.get_running_loop()

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

    def lose(self):
        """End the connection as the model's server would, from any thread."""
        asyncio.run_coroutine_threadsafe(self.upstream.close(), self._loop).result(5)

    def events_sent(self, kind):
        """Return the events of a kind that went to the model."""
        return [event for _, event in self.sent if event["type"] == kind]

    def events_received(self, kind):
        """Return the events of a kind that came from the model."""
        return [event for _, event in self.received if event["type"] == kind]


class RefusingServer:
    """A server on a TCP port that answers every handshake with 401."""

    def __init__(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Refuse)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Refuse(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        """Say nothing."""
