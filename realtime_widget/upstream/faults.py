"""What may go wrong on the way to a model's server, in our own words.

The libraries' exceptions may show headers and bodies, so they end in the drivers. No
exception made here holds a response's body, a header or a key.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from realtime_widget.exceptions import (
    UpstreamClosed,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from realtime_widget.protocol.upstream_errors import code_of_close

# RFC 6455, 7.1.5: the connection ended without a close frame.
ABNORMAL_CLOSE: Final = 1006
# RFC 6455, 7.4.1: one side cannot take what the other sends (protocol error, data,
# text that is none, size). What was asked for would be sent again.
WRONG_FRAMES: Final = frozenset({1002, 1003, 1007, 1009})

REFUSED_STATUS: Final[dict[int, str]] = {
    401: "upstream_auth",
    403: "upstream_auth",
    402: "upstream_quota",
    429: "upstream_quota",
}


@contextmanager
def told_of(not_opened: Callable[[Exception], UpstreamError | None]) -> Iterator[None]:
    """Raise our error for what a library raises when a handshake fails.

    Args:
        not_opened: Returns it, None for an error of ours.

    Raises:
        UpstreamError: If there is no connection.
    """
    try:
        yield
    except Exception as exc:
        error = not_opened(exc)
        if error is None:
            raise
        # The library's exception may show headers and the answer's body.
        raise error from None


def refused(status: int) -> UpstreamError:
    """Return the error for a handshake that was answered with another status."""
    if 300 <= status < 400:
        return UpstreamRefused("the server sent a redirect, which is not followed")
    if status >= 500:
        return UpstreamUnreachable(f"the server answered with HTTP status {status}")
    return UpstreamRefused(
        f"the server answered with HTTP status {status}",
        code=REFUSED_STATUS.get(status, "upstream_refused"),
        retryable=status == 429,
    )


def no_address() -> UpstreamError:
    """Return the error for an address that cannot be dialled."""
    return UpstreamRefused("the address is not usable", code="not_configured")


def no_websocket() -> UpstreamError:
    """Return the error for a server that answers in another protocol."""
    return UpstreamRefused("the server does not speak WebSocket here")


def not_reached(exc: Exception) -> UpstreamError | None:
    """Return the error for a connection that failed; None for an error of ours."""
    if isinstance(exc, TimeoutError):
        return UpstreamTimeout("the server did not answer in time")
    if isinstance(exc, ssl.SSLError):
        return UpstreamUnreachable("the server's TLS certificate was not accepted")
    if isinstance(exc, OSError | EOFError):
        return UpstreamUnreachable("the server could not be reached")
    return None


def ended(close_code: int, reason: str) -> UpstreamError:
    """Return the error for a connection that is over.

    Args:
        close_code: Of the server's close frame, else of ours, else 1006.
        reason: The server's words; only a known code in them is kept.
    """
    code = code_of_close(close_code, reason)
    if code is not None and code != "time_limit":
        return UpstreamRefused(
            f"the server refused the session with close code {close_code}", code=code
        )
    return UpstreamClosed(
        f"the server ended the connection with close code {close_code}",
        close_code=close_code,
        retryable=close_code not in WRONG_FRAMES,
    )
