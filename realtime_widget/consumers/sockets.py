"""The page's end of the bridge over an ASGI socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from realtime_widget.exceptions import SessionClosed
from realtime_widget.protocol.browser import ERRORS

Send = Callable[[dict[str, Any]], Awaitable[None]]

# uvicorn waits for a page that reads nothing; nobody waits longer for its goodbye.
CLOSE_S = 2.0


class BrowserSocket:
    """Sends to one page.

    Daphne takes whatever it is given and keeps it in memory, so what the page has
    not answered for is counted here.

    Args:
        send: The ASGI callable.
        outbound_bytes: Most bytes without a sign from the page that it reads.
        on_stalled: Called once when that is too much.
    """

    def __init__(
        self,
        send: Send,
        *,
        outbound_bytes: int,
        on_stalled: Callable[[], None] = lambda: None,
    ) -> None:
        self._send = send
        self._outbound_bytes = outbound_bytes
        self._unanswered_bytes = 0
        self.on_stalled = on_stalled
        self.closed = False

    async def accept(self, subprotocol: str | None) -> None:
        """Complete the handshake."""
        await self._give({"type": "websocket.accept", "subprotocol": subprotocol}, 0)

    async def send_text(self, text: str) -> None:
        """Send one JSON message.

        Raises:
            SessionClosed: If the page is gone or reads no more.
        """
        await self._give({"type": "websocket.send", "text": text}, len(text))

    async def send_audio(self, audio: bytes) -> None:
        """Send one frame of audio. HOT.

        Raises:
            SessionClosed: If the page is gone or reads no more.
        """
        await self._give({"type": "websocket.send", "bytes": audio}, len(audio))

    async def send_error(self, code: str, words: Mapping[str, str]) -> None:
        """Send an ``error`` of the fixed table; a page that is gone misses it.

        Args:
            code: Of the browser protocol's table.
            words: Code -> words for the visitor.
        """
        kind = ERRORS[code]
        error = {
            "type": "error",
            "code": code,
            "message": words.get(code, ""),
            "retryable": kind.retryable,
            "fatal": kind.fatal,
        }
        try:
            await self.send_text(json.dumps(error))
        except SessionClosed:
            pass

    def heard_from(self) -> None:
        """Note that the page has read and answered."""
        self._unanswered_bytes = 0

    async def close(self, code: int) -> None:
        """Close with a code that every server can send; idempotent, at most 2 s."""
        if self.closed:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._give({"type": "websocket.close", "code": int(code)}, 0)
        except (SessionClosed, TimeoutError):
            pass
        self.closed = True

    async def _give(self, message: dict[str, Any], size_bytes: int) -> None:
        """Hand a message to the server. HOT."""
        if self.closed:
            raise SessionClosed("the page is gone")
        self._unanswered_bytes += size_bytes
        if self._unanswered_bytes > self._outbound_bytes:
            self._unanswered_bytes = 0
            self.on_stalled()
            raise SessionClosed("the page reads no more")
        try:
            await self._send(message)
        except Exception as exc:
            # Sending to a page that has gone raises another class on each server
            # (autobahn's Disconnected, uvicorn's ClientDisconnected, RuntimeError).
            self.closed = True
            raise SessionClosed("the page is gone") from exc
