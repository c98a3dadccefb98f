"""The driver that is always there: the library ``websockets``."""

from __future__ import annotations

from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
)
from websockets.protocol import State

from realtime_widget.exceptions import UpstreamError
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


class _Connect(connect):
    """A handshake that follows no redirect: another host would get our key."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class WebsocketsConnection:
    """An open connection; an ``UpstreamPort``.

    Args:
        websocket: The library's connection.
    """

    def __init__(self, websocket: ClientConnection) -> None:
        self._websocket = websocket

    async def send(self, event: bytes) -> None:
        """Send one client event. HOT.

        The library's own ``send`` enters a lock and two contexts for what is one
        write while the connection is open and its buffer has room.

        Raises:
            UpstreamClosed: If the connection has ended.
            UpstreamRefused: If the server ended it with a refusal.
        """
        websocket = self._websocket
        if (
            websocket.state is State.OPEN
            and websocket.transport.get_write_buffer_size() < WRITE_LIMIT_BYTES
        ):
            websocket.protocol.send_text(event)
            for data in websocket.protocol.data_to_send():
                websocket.transport.write(data)
            return
        try:
            await websocket.send(event, text=True)
        except ConnectionClosed as exc:
            raise _ended(exc) from None

    async def receive(self) -> bytes:
        """Return the next server event; cancelling this loses none.

        Raises:
            UpstreamClosed: When the connection has ended.
            UpstreamRefused: When the server ended it with a refusal.
        """
        try:
            return await self._websocket.recv(decode=False)
        except ConnectionClosed as exc:
            raise _ended(exc) from None

    async def close(self) -> None:
        """End the connection; idempotent, never raises, at most about a second."""
        await self._websocket.close()


async def dial(target: Target, route: Route) -> WebsocketsConnection:
    """Open a WebSocket.

    Raises:
        UpstreamError: If there is no connection.
    """
    options: dict[str, Any] = {"proxy": route.proxy or None}
    if route.tls is not None:
        options["ssl"] = route.tls
    if route.address is not None:
        options["host"], options["port"] = route.address
    with faults.told_of(_not_opened):
        websocket = await _Connect(
            target.url,
            additional_headers=dict(target.headers),
            user_agent_header=USER_AGENT,
            compression=None,
            open_timeout=None,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            max_size=target.max_event_bytes,
            write_limit=WRITE_LIMIT_BYTES,
            logger=wire_logger,
            **options,
        )
    return WebsocketsConnection(websocket)


def _not_opened(exc: Exception) -> UpstreamError | None:
    """Return our error for a handshake that failed, None for an error of ours."""
    if isinstance(exc, InvalidStatus):
        return faults.refused(exc.response.status_code)
    if isinstance(exc, InvalidURI):
        return faults.no_address()
    error = faults.not_reached(exc)
    if error is None and isinstance(exc, InvalidHandshake):
        return faults.no_websocket()
    return error


def _ended(exc: ConnectionClosed) -> UpstreamError:
    if exc.rcvd is not None:
        return faults.ended(exc.rcvd.code, exc.rcvd.reason)
    return faults.ended(exc.sent.code if exc.sent else faults.ABNORMAL_CLOSE, "")
