"""Dialling a model's server: one WebSocket, by the best driver there is.

Each driver is the only module that knows its library.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

from realtime_widget.exceptions import UpstreamError
from realtime_widget.upstream import faults
from realtime_widget.upstream.dialect import BetaConnection
from realtime_widget.upstream.ports import Connection
from realtime_widget.upstream.providers import Target
from realtime_widget.upstream.route import find_route

_OPENAI_HOST: Final = "openai.com"
# Some servers that speak the beta alone want to be told so. OpenAI closes for it.
BETA_HEADER: Final = {"OpenAI-Beta": "realtime=v1"}


async def open_connection(target: Target) -> Connection:
    """Dial a server and open a WebSocket.

    Raises:
        UpstreamRefused: If it answered and said no, redirects included.
        UpstreamTimeout: If it did not answer in time.
        UpstreamUnreachable: If there is no way to it, or its certificate is wrong.
    """
    target = as_asked(target)
    connection = await _dial(target)
    return (
        connection
        if target.dialect == "ga"
        else BetaConnection(connection, target.dialect)
    )


def as_asked(target: Target) -> Target:
    """Return a target whose handshake asks for its dialect.

    OpenAI is spoken to in GA, whatever kind of provider its address stands at.
    """
    host = urlsplit(target.url).hostname or ""
    if host == _OPENAI_HOST or host.endswith(f".{_OPENAI_HOST}"):
        return replace(target, dialect="ga")
    if target.dialect == "beta":
        return replace(target, headers={**target.headers, **BETA_HEADER})
    return target


async def _dial(target: Target) -> Connection:
    try:
        async with asyncio.timeout(target.open_timeout_s):
            route = await find_route(target)
            # Proxies are dialled by the library that knows more kinds of them.
            if not route.proxy and _uses_picows(target):
                from realtime_widget.upstream import by_picows

                return await by_picows.dial(target, route)
            from realtime_widget.upstream import by_websockets

            return await by_websockets.dial(target, route)
    except (asyncio.CancelledError, UpstreamError):
        raise
    except Exception as exc:
        error = faults.not_reached(exc)
        if error is None:
            raise
        raise error from None


def _uses_picows(target: Target) -> bool:
    return target.driver == "picows" or (target.driver == "auto" and has_picows())


@cache
def has_picows() -> bool:
    """Return whether the quicker library is installed."""
    return find_spec("picows") is not None
