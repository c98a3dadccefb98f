"""Tools answered by another server: one signed POST for each call.

The signature follows Standard Webhooks (``webhook-id``, ``webhook-timestamp``,
``webhook-signature: v1,...``), so receivers verify it with a library of theirs.

The address that was checked is the one that is dialled: a name cannot lead into an
inner network a moment later. Redirects are not followed, the environment's proxies are
not used, and no more is read than a tool may answer.
"""

from __future__ import annotations

import json
import logging
import time
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest
from typing import Any, Final

import httpx

from realtime_widget.exceptions import ToolError, UpstreamError
from realtime_widget.handlers.context import ToolContext
from realtime_widget.handlers.registry import Handler
from realtime_widget.session.tool_values import FAILED, TOO_LONG_OUTPUT
from realtime_widget.upstream.addresses import public_address
from realtime_widget.upstream.tls import tls_context

logger = logging.getLogger(__name__)

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how Standard Webhooks marks base64
# The tool's own bound comes first; this one is for the connection alone.
LONGEST_S: Final = 120.0
ERROR_CHARS: Final = 500
USER_AGENT: Final = "django-realtime-widget"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a tool's calls are sent.

    Attributes:
        tool: Name of the tool.
        url: ``https://`` address; ``http://`` for a host the site lists.
        secret: Signs every call.
        public_only: Refuse a host that resolves to an address of an inner network.
        output_bytes: Most bytes of an answer.
    """

    tool: str
    url: str
    secret: str
    public_only: bool
    output_bytes: int


def webhook_handler(
    webhook: Webhook, clock: Callable[[], float] = time.time
) -> Handler:
    """Return the handler of a tool that a webhook answers.

    Its arguments are the receiver's to check; its time is bounded by ``run_handler``.

    Args:
        webhook: Where the calls go.
        clock: Unix time in seconds.
    """

    async def call(context: ToolContext, /, **arguments: Any) -> Any:
        body = _body(webhook.tool, context, arguments)
        call_id = f"{context.conversation_id}_{context.call_id}"
        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": USER_AGENT,
            **signed(webhook.secret, call_id, int(clock()), body),
        }
        try:
            status, answer = await post(webhook, headers, body)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UpstreamError) as exc:
            logger.warning(
                "Webhook of tool %s failed: %s", webhook.tool, type(exc).__name__
            )
            raise ToolError(FAILED) from None
        return _result(webhook.tool, status, answer)

    return Handler(
        name=webhook.tool,
        function=call,
        description="",
        parameters={},
        arguments=None,
        run_in="loop",
    )


def signed(secret: str, call_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove where a call comes from.

    Args:
        secret: ``whsec_`` and base64, or any other text.
        call_id: Of this call; the same when it is delivered twice.
        timestamp: Unix time, s.
        body: As it is sent.
    """
    content = f"{call_id}.{timestamp}.".encode() + body
    signature = b64encode(digest(_key(secret), content, sha256)).decode()
    return {
        "webhook-id": call_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def _key(secret: str) -> bytes:
    if secret.startswith(SECRET_PREFIX):
        try:
            return b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except Base64Error:
            pass  # a text that only begins like one
    return secret.encode()


def _body(tool: str, context: ToolContext, arguments: Mapping[str, Any]) -> bytes:
    call = {
        "tool": tool,
        "arguments": arguments,
        "call_id": context.call_id,
        "conversation_id": context.conversation_id,
        "widget": context.widget,
        "site": getattr(context.site, "domain", ""),
        "user_id": str(context.user.pk) if context.user.is_authenticated else None,
        "language": context.language,
    }
    return json.dumps(call, ensure_ascii=False).encode("utf-8", "replace")


async def post(
    webhook: Webhook, headers: dict[str, str], body: bytes
) -> tuple[int, bytes]:
    """Return status and body of the answer.

    Raises:
        ToolError: If the answer is too long.
        UpstreamError: If the host is in an inner network.
        httpx.HTTPError: If it cannot be reached.
        OSError: If its name is unknown.
    """
    url = httpx.URL(webhook.url)
    extensions = {}
    if webhook.public_only:
        address, _port = await public_address(webhook.url)
        headers["host"] = url.netloc.decode("ascii")
        extensions["sni_hostname"] = url.host
        url = url.copy_with(host=address)
    async with (
        httpx.AsyncClient(
            verify=await tls_context(), trust_env=False, timeout=LONGEST_S
        ) as client,
        client.stream(
            "POST", url, content=body, headers=headers, extensions=extensions
        ) as response,
    ):
        return response.status_code, await _read(response, webhook.output_bytes)


async def _read(response: httpx.Response, limit_bytes: int) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx.DecodingError("an encoding that was not asked for")
    read = bytearray()
    async for piece in response.aiter_raw():
        read += piece
        if len(read) > limit_bytes:
            raise ToolError(TOO_LONG_OUTPUT)
    return bytes(read)


def _result(tool: str, status: int, answer: bytes) -> Any:
    """Return what the receiver answered.

    Raises:
        ToolError: With its own words for a refusal (4xx and ``{"error": "..."}``).
    """
    try:
        value = json.loads(answer) if answer else None
    except (ValueError, RecursionError):
        value, status = None, 0
    if 200 <= status < 300:
        return value
    logger.warning("Webhook of tool %s answered with status %d", tool, status)
    error = value.get("error") if isinstance(value, dict) else None
    if 400 <= status < 500 and isinstance(error, str) and error:
        raise ToolError(error[:ERROR_CHARS])
    raise ToolError(FAILED)
