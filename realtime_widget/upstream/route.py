"""The way a connection takes, found once for whichever driver dials."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from typing import Final

from realtime_widget.upstream.addresses import environment_proxy, public_address
from realtime_widget.upstream.providers import ENVIRONMENT, Target
from realtime_widget.upstream.tls import tls_context

# At DEBUG the libraries log handshake headers and frames: keys and what people said.
wire_logger = logging.getLogger("realtime_widget.upstream.wire")
wire_logger.setLevel(logging.WARNING)

USER_AGENT: Final = "django-realtime-widget"
CLOSE_TIMEOUT_S: Final = 1.0
PING_INTERVAL_S: Final = 20.0
PING_TIMEOUT_S: Final = 20.0
# Some 15 s of audio: a send waits only for a peer that has long stopped reading, and
# the missing pong ends that connection.
WRITE_LIMIT_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Route:
    """How to get to a target.

    Attributes:
        proxy: URL of an HTTP proxy, "" for none.
        tls: The shared context, None for a plain connection.
        address: Host and port to dial instead of those of the URL, None for those.
    """

    proxy: str = ""
    tls: ssl.SSLContext | None = None
    address: tuple[str, int] | None = None


async def find_route(target: Target) -> Route:
    """Find the way to a target.

    Raises:
        UpstreamRefused: If only public hosts may be dialled and this is none.
        OSError: If the name is unknown.
    """
    proxy = (
        environment_proxy(target.url) if target.proxy == ENVIRONMENT else target.proxy
    )
    address = None
    if target.public_only and not proxy:
        # The address that was checked is the one that is dialled, so that a name
        # cannot point elsewhere a moment later.
        address = await public_address(target.url)
    tls = await tls_context() if target.url.startswith("wss:") else None
    return Route(proxy, tls, address)
