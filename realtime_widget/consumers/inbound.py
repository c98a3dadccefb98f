"""The receive loop of one page: bounds first, then straight to the bridge.

A frame of audio costs a few comparisons here: no task, no thread, no JSON, no row.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from realtime_widget.conf import Conf
from realtime_widget.consumers.sockets import BrowserSocket
from realtime_widget.exceptions import ProtocolError
from realtime_widget.protocol.audio import AudioFormat
from realtime_widget.protocol.bounded_json import parse_object
from realtime_widget.protocol.browser import FROM_BROWSER, CloseCode
from realtime_widget.quotas import SocketMeter
from realtime_widget.session.bridge import Bridge

Receive = Callable[[], Awaitable[dict[str, Any]]]
KNOWN_TYPES = frozenset(FROM_BROWSER)


class Violation(Exception):
    """The page did what ends the session.

    Args:
        what: For the log, without content.
        error_code: Of the browser protocol's table.
        close_code: What the socket is closed with.
    """

    def __init__(
        self,
        what: str,
        error_code: str = "bad_message",
        close_code: CloseCode = CloseCode.BAD_MESSAGE,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.error_code = error_code
        self.close_code = close_code


def read_message(text: str, conf: Conf) -> dict[str, Any]:
    """Return one message of the page.

    Raises:
        Violation: If it is too long or no acceptable JSON object.
    """
    if len(text) > conf.FRAME_BYTES:
        raise Violation("message too long")
    try:
        return parse_object(text)
    except ProtocolError as exc:
        raise Violation(str(exc)) from None


class Inbound:
    """Reads one page until it goes or does what ends the session.

    Args:
        receive: The ASGI callable.
        bridge: Where everything goes.
        socket: For errors.
        meter: Counts what comes; audio is measured already.
        conf: The settings, read when the socket opened.
    """

    def __init__(
        self,
        receive: Receive,
        bridge: Bridge,
        socket: BrowserSocket,
        meter: SocketMeter,
        conf: Conf,
    ) -> None:
        self._receive = receive
        self._bridge = bridge
        self._socket = socket
        self._meter = meter
        self._conf = conf
        self._sample_bytes = 1
        self._words: Mapping[str, str] = {}

    def expect(self, audio: AudioFormat, words: Mapping[str, str]) -> None:
        """Say what frames are made of and how errors are worded."""
        self._sample_bytes = audio.sample_bytes
        self._words = words

    async def read(self) -> int:
        """Read until the page is gone.

        Returns:
            The close code of its socket, 1006 when there was none.

        Raises:
            Violation: If the session is to be ended for what the page did.
        """
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                return int(event.get("code") or 1006)
            frame = event.get("bytes")
            if frame is not None:
                await self._take_audio(frame)
            else:
                await self._take_text(event.get("text") or "")

    async def _take_audio(self, frame: bytes) -> None:
        """Pass one frame on. HOT."""
        size_bytes = len(frame)
        if size_bytes > self._conf.FRAME_BYTES:
            raise Violation("frame too long")
        if not self._meter.take_audio(time.monotonic(), size_bytes):
            if self._meter.dropped_a_second(size_bytes):
                await self._mistake("too_fast")
        elif size_bytes % self._sample_bytes:
            await self._mistake("invalid_field")
        elif size_bytes:
            await self._bridge.receive_audio(frame)

    async def _take_text(self, text: str) -> None:
        now_s = time.monotonic()
        if not self._meter.messages.take(now_s):
            await self._mistake("too_fast")
            return
        message = read_message(text, self._conf)
        kind = message.get("type")
        if not isinstance(kind, str) or kind not in KNOWN_TYPES:
            await self._mistake("unknown_type")
            return
        if kind == "message" and not self._meter.turns.take(now_s):
            await self._mistake("too_fast")
            return
        if kind == "playback":
            self._socket.heard_from()
        if not await self._bridge.receive_message(message):
            self._count("refused message")

    async def _mistake(self, code: str) -> None:
        """Tell the page about a mistake and count it."""
        await self._socket.send_error(code, self._words)
        self._count(code)

    def _count(self, code: str) -> None:
        if self._meter.error():
            return
        if code == "too_fast":
            raise Violation("flood")
        raise Violation("too many errors", "limit", CloseCode.LIMIT)
