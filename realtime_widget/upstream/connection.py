"""The connection to the model's server: one WebSocket.

The only module that knows the library: its exceptions end here. No exception of ours
holds a response's body, a header or a key.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
)

from realtime_widget.exceptions import (
    UpstreamClosed,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from realtime_widget.protocol.upstream_errors import code_of_close
from realtime_widget.upstream.addresses import environment_proxy, public_address
from realtime_widget.upstream.providers import ENVIRONMENT, Target
from realtime_widget.upstream.tls import tls_context

# At DEBUG the library logs handshake headers and frames: keys and what people said.
_wire_logger = logging.getLogger("realtime_widget.upstream.wire")
_wire_logger.setLevel(logging.WARNING)

USER_AGENT: Final = "django-realtime-widget"
CLOSE_TIMEOUT_S: Final = 1.0
PING_INTERVAL_S: Final = 15.0
PING_TIMEOUT_S: Final = 20.0
# Some 15 s of audio: a send waits only for a peer that has long stopped reading, and
# the missing pong ends that connection.
WRITE_LIMIT_BYTES: Final = 1024 * 1024

REFUSED_STATUS: Final[dict[int, str]] = {
    401: "upstream_auth",
    403: "upstream_auth",
    402: "upstream_quota",
    429: "upstream_quota",
}


class _Connect(connect):
    """A handshake that follows no redirect: another host would get our key."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class UpstreamConnection:
    """An open connection; made by ``open_connection``.

    Args:
        websocket: The library's connection.
    """

    def __init__(self, websocket: ClientConnection) -> None:
        self._websocket = websocket

    async def send(self, event: bytes) -> None:
        """Send one client event.

        Raises:
            UpstreamClosed: If the connection has ended.
            UpstreamRefused: If the server ended it with a refusal.
        """
        try:
            await self._websocket.send(event, text=True)
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


async def open_connection(target: Target) -> UpstreamConnection:
    """Dial a server and open a WebSocket.

    Raises:
        UpstreamRefused: If it answered and said no, redirects included.
        UpstreamTimeout: If it did not answer in time.
        UpstreamUnreachable: If there is no way to it, or its certificate is wrong.
    """
    try:
        async with asyncio.timeout(target.open_timeout_s):
            options = await _options(target)
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
                logger=_wire_logger,
                **options,
            )
    except (asyncio.CancelledError, UpstreamError):
        raise
    except Exception as exc:
        error = _not_opened(exc)
        if error is None:
            raise
        # The library's exception may show headers and the answer's body.
        raise error from None
    return UpstreamConnection(websocket)


async def _options(target: Target) -> dict[str, Any]:
    """Return what the connection needs besides the handshake's own."""
    proxy = (
        environment_proxy(target.url) if target.proxy == ENVIRONMENT else target.proxy
    )
    options: dict[str, Any] = {"proxy": proxy or None}
    if target.url.startswith("wss:"):
        options["ssl"] = await tls_context()
    if target.public_only and not proxy:
        # The address that was checked is the one that is dialled, so that a name
        # cannot point elsewhere a moment later.
        options["host"], options["port"] = await public_address(target.url)
    return options


def _not_opened(exc: Exception) -> UpstreamError | None:
    """Return our error for a handshake that failed, None for an error of ours."""
    if isinstance(exc, InvalidStatus):
        return _refused(exc.response.status_code)
    if isinstance(exc, InvalidURI):
        return UpstreamRefused("the address is not usable", code="not_configured")
    if isinstance(exc, TimeoutError):
        return UpstreamTimeout("the server did not answer in time")
    if isinstance(exc, ssl.SSLError):
        return UpstreamUnreachable("the server's TLS certificate was not accepted")
    if isinstance(exc, OSError | EOFError):
        return UpstreamUnreachable("the server could not be reached")
    if isinstance(exc, InvalidHandshake):
        return UpstreamRefused("the server does not speak WebSocket here")
    return None


def _refused(status: int) -> UpstreamError:
    if 300 <= status < 400:
        return UpstreamRefused("the server sent a redirect, which is not followed")
    if status >= 500:
        return UpstreamUnreachable(f"the server answered with HTTP status {status}")
    return UpstreamRefused(
        f"the server answered with HTTP status {status}",
        code=REFUSED_STATUS.get(status, "upstream_refused"),
        retryable=status == 429,
    )


def _ended(exc: ConnectionClosed) -> UpstreamError:
    close_code, reason = 1006, ""
    if exc.rcvd is not None:
        close_code, reason = exc.rcvd.code, exc.rcvd.reason
    elif exc.sent is not None:
        close_code = exc.sent.code
    code = code_of_close(close_code, reason)
    if code is not None and code != "time_limit":
        return UpstreamRefused(
            f"the server refused the session with close code {close_code}", code=code
        )
    return UpstreamClosed(
        f"the server ended the connection with close code {close_code}",
        close_code=close_code,
    )
