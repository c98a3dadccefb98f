"""The driver of the extra ``fast``: picows frames and masks in C.

It answers callbacks, so what comes is queued here until the bridge takes it.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Any, Final

import picows
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from realtime_widget.exceptions import UpstreamError, UpstreamUnreachable
from realtime_widget.upstream import faults
from realtime_widget.upstream.providers import Target
from realtime_widget.upstream.route import (
    CLOSE_TIMEOUT_S,
    PING_INTERVAL_S,
    PING_TIMEOUT_S,
    USER_AGENT,
    WRITE_LIMIT_BYTES,
    Route,
    wire_logger,
)

# Events that may wait for the bridge before the socket is left unread, and at how
# many it is read again; the numbers of the library websockets.
MOST_WAITING: Final = 16
FEW_WAITING: Final = 4
# What the kernel may hold unread; it takes twice this. picows doubles its own buffer
# whenever one read fills it, for the rest of the connection: a server that sends
# quickly would make it as large as the kernel's, some 6 MB.
RECEIVE_BYTES: Final = 128 * 1024
_DATA: Final = (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION)


class PicowsConnection(WSListener):
    """An open connection; an ``UpstreamPort``.

    Args:
        max_event_bytes: Largest event that is taken.
    """

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self._transport: WSTransport | None = None
        self._events: deque[bytes] = deque()
        self._parts: list[bytes] = []
        self._parts_bytes = 0
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._reading = True
        self._over = False

    # --- the port --------------------------------------------------------------

    async def send(self, event: bytes) -> None:
        """Send one client event. HOT.

        Raises:
            UpstreamClosed: If the connection has ended.
            UpstreamRefused: If the server ended it with a refusal.
        """
        if not self._writable.is_set():
            await self._writable.wait()
        if self._over or self._transport is None:
            raise self._why_over()
        self._transport.send(WSMsgType.TEXT, event)

    async def receive(self) -> bytes:
        """Return the next server event; cancelling this loses none.

        Raises:
            UpstreamClosed: When the connection has ended.
            UpstreamRefused: When the server ended it with a refusal.
        """
        while not self._events:
            if self._over:
                raise self._why_over()
            self._arrived.clear()
            await self._arrived.wait()
        event = self._events.popleft()
        if len(self._events) <= FEW_WAITING:
            self._resume_reading()
        return event

    async def close(self) -> None:
        """End the connection; idempotent, never raises, at most about a second."""
        transport = self._transport
        if transport is None:
            return
        if not transport.is_disconnected:
            transport.send_close(picows.WSCloseCode.OK)
            self._resume_reading()
        # Waited for also when it is over: it holds the fault that ended it.
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await transport.wait_disconnected()
        except Exception:
            transport.disconnect(graceful=False)

    # --- what picows calls -----------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Keep the open connection."""
        self._transport = transport
        underlying = transport.underlying_transport
        underlying.set_write_buffer_limits(WRITE_LIMIT_BYTES)
        sock = underlying.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one frame; its memory is picows' own and is copied. HOT."""
        kind = frame.msg_type
        if kind in _DATA:
            if transport.is_close_frame_sent:
                # Too late, or too long: picows hands that over after its refusal.
                return
            if frame.fin and not self._parts:
                self._events.append(frame.get_payload_as_bytes())
            else:
                self._take_part(transport, frame)
            self._arrived.set()
            if len(self._events) >= MOST_WAITING:
                self._pause_reading(transport)
        elif kind == WSMsgType.CLOSE:
            if not transport.is_close_frame_sent:
                transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Let everyone who waits know that it is over."""
        self._over = True
        self._arrived.set()
        self._writable.set()

    def pause_writing(self) -> None:
        """Have senders wait: the server does not read."""
        if not self._over:
            self._writable.clear()

    def resume_writing(self) -> None:
        """Let senders go on."""
        self._writable.set()

    # --- inside ----------------------------------------------------------------

    def _take_part(self, transport: WSTransport, frame: WSFrame) -> None:
        """Put an event together that comes in several frames."""
        self._parts.append(frame.get_payload_as_bytes())
        self._parts_bytes += len(self._parts[-1])
        if self._parts_bytes > self._max_event_bytes:
            transport.send_close(picows.WSCloseCode.MESSAGE_TOO_BIG)
            transport.disconnect(graceful=False)
        elif frame.fin:
            self._events.append(b"".join(self._parts))
            self._parts, self._parts_bytes = [], 0

    def _pause_reading(self, transport: WSTransport) -> None:
        if self._reading:
            self._reading = False
            transport.underlying_transport.pause_reading()

    def _resume_reading(self) -> None:
        if not self._reading and self._transport is not None and not self._over:
            self._reading = True
            self._transport.underlying_transport.resume_reading()

    def _why_over(self) -> UpstreamError:
        """Return why the connection is over, as the close frames say."""
        # Typed as an enum, but any number a server may send is in there.
        handshake: Any = self._transport.close_handshake if self._transport else None
        if handshake is not None and handshake.recv is not None:
            theirs = handshake.recv
            return faults.ended(int(theirs.code), theirs.reason or "")
        if handshake is not None and handshake.sent is not None:
            return faults.ended(int(handshake.sent.code), "")
        return faults.ended(faults.ABNORMAL_CLOSE, "")


async def dial(target: Target, route: Route) -> PicowsConnection:
    """Open a WebSocket; the route must be a direct one.

    Raises:
        UpstreamError: If there is no connection.
    """

    async def connected(_url: object) -> socket.socket | None:
        return await _connect(route.address) if route.address else None

    with faults.told_of(_not_opened):
        _transport, connection = await picows.ws_connect(
            lambda: PicowsConnection(target.max_event_bytes),
            target.url,
            ssl_context=route.tls,
            extra_headers={**target.headers, "User-Agent": USER_AGENT},
            max_frame_size=target.max_event_bytes,
            max_redirects=0,
            socket_factory=connected,
            websocket_handshake_timeout=None,
            enable_auto_ping=True,
            auto_ping_strategy=picows.WSAutoPingStrategy.PING_PERIODICALLY,
            auto_ping_idle_timeout=PING_INTERVAL_S,
            auto_ping_reply_timeout=PING_TIMEOUT_S,
            logger_name=wire_logger,
        )
    if not isinstance(connection, PicowsConnection):
        # The server hung up before it had answered: picows makes no listener then.
        raise UpstreamUnreachable("the server could not be reached")
    return connection


async def _connect(address: tuple[str, int]) -> socket.socket:
    """Return a socket that is connected to a numeric address."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)  # noqa: FBT003 - the standard library's own
    try:
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _not_opened(exc: Exception) -> UpstreamError | None:
    """Return our error for a handshake that failed, None for an error of ours."""
    if isinstance(exc, picows.WSInvalidStatusError) and exc.response is not None:
        return faults.refused(int(exc.response.status))
    if isinstance(exc, picows.WSInvalidURL):
        return faults.no_address()
    if isinstance(exc, picows.WSError):
        return faults.no_websocket()
    return faults.not_reached(exc)
