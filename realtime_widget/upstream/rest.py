"""One request to the REST side of a model's server, by the way that a session takes.

The same key, the same proxy, the same certificates, the same refusal of inner networks.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import httpx

from realtime_widget.exceptions import (
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from realtime_widget.upstream import faults
from realtime_widget.upstream.providers import Target
from realtime_widget.upstream.route import USER_AGENT, Route, find_route

MAX_ANSWER_BYTES: Final = 1024 * 1024
HTTP_SCHEMES: Final = {"ws": "http", "wss": "https"}


def rest_url(target: Target, name: str) -> str:
    """Return the address of a resource beside a realtime address.

    Args:
        target: Where a session would connect.
        name: ``models``, ``moderations`` ...
    """
    parts = urlsplit(target.url)
    path = f"{parts.path.removesuffix('/realtime')}/{name}"
    if not parts.path.endswith("/realtime"):
        path = f"/v1/{name}"
    # A key may be among the parameters; "model" there is no parameter of a list.
    query = "&".join(
        part for part in parts.query.split("&") if not part.startswith("model=")
    )
    return urlunsplit((HTTP_SCHEMES[parts.scheme], parts.netloc, path, query, ""))


async def ask(
    target: Target, name: str, *, body: bytes | None = None, timeout_s: float
) -> tuple[int, bytes]:
    """Return status and body of an answer; of a long body only its beginning.

    Args:
        target: Where a session would connect.
        name: The resource.
        body: JSON to post, None to get.
        timeout_s: Longest wait for the whole answer.

    Raises:
        UpstreamRefused: If the host is in an inner network.
        UpstreamTimeout: If it took too long.
        UpstreamUnreachable: If there is no way to it.
    """
    try:
        async with asyncio.timeout(timeout_s):
            route = await find_route(target)
            return await _exchange(target, route, name, body)
    except httpx.TimeoutException:
        raise UpstreamTimeout("the server did not answer in time") from None
    except httpx.ConnectError as exc:
        raise _not_connected(exc) from None
    except TimeoutError:
        raise UpstreamTimeout("the server did not answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        # The library's exception may show the address, and a key in it.
        raise _unreachable() from None


async def _exchange(
    target: Target, route: Route, name: str, body: bytes | None
) -> tuple[int, bytes]:
    url = httpx.URL(rest_url(target, name))
    headers = {**target.headers, "User-Agent": USER_AGENT, "Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    extensions: dict[str, Any] = {}
    if route.address is not None:
        headers["Host"] = url.netloc.decode("ascii")
        extensions["sni_hostname"] = url.host
        url = url.copy_with(host=route.address[0], port=route.address[1])
    async with (
        httpx.AsyncClient(
            verify=route.tls if route.tls is not None else False,
            proxy=route.proxy or None,
            trust_env=False,
            follow_redirects=False,
        ) as client,
        client.stream(
            "GET" if body is None else "POST",
            url,
            content=body,
            headers=headers,
            extensions=extensions,
            timeout=None,
        ) as answer,
    ):
        read = b""
        async for chunk in answer.aiter_bytes():
            read += chunk
            if len(read) > MAX_ANSWER_BYTES:
                break
        return answer.status_code, read


def _not_connected(exc: httpx.ConnectError) -> UpstreamError:
    """Tell a certificate from a connection: httpx keeps the cause below."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return faults.not_reached(cause) or _unreachable()
        cause = cause.__cause__ or cause.__context__
    return _unreachable()


def _unreachable() -> UpstreamError:
    return UpstreamUnreachable("the server could not be reached")
