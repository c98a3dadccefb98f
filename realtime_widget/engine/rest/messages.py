"""Requests and answers of the HTTP side.

Source: Realtime API, REST: errors are ``{"error": {message, type, param, code}}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from websockets.datastructures import Headers

from realtime_widget.engine.conversation.errors import INVALID_REQUEST
from realtime_widget.exceptions import EventRefused

_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class RestRequest:
    """One HTTP request in full."""

    method: str
    target: str
    headers: Headers = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """What a request is answered with; ``body`` is sent as JSON."""

    status: HTTPStatus
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[Headers, bytes]:
        """Return headers and body as they are sent."""
        content = json.dumps(self.body, ensure_ascii=False).encode() + b"\n"
        headers = Headers(self.headers)
        headers["Content-Type"] = _JSON
        headers["Content-Length"] = str(len(content))
        # Secrets are nobody's to keep, and every connection carries one request.
        headers["Cache-Control"] = "no-store"
        headers["Connection"] = "close"
        return headers, content


def refusal(
    status: HTTPStatus, error: EventRefused, headers: Mapping[str, str] | None = None
) -> RestAnswer:
    """Return the answer to a request that is not done, in the API's error shape."""
    body = {
        "message": str(error),
        "type": INVALID_REQUEST,
        "param": error.param or None,
        "code": error.code or None,
    }
    return RestAnswer(status, {"error": body}, headers or {})


def bad_request(message: str) -> RestAnswer:
    """Return the answer to a request that is not even HTTP, or not JSON."""
    return refusal(HTTPStatus.BAD_REQUEST, EventRefused(message, code=""))


def not_found(method: str, path: str) -> RestAnswer:
    """Return the answer at an address where nothing is."""
    error = EventRefused(f"Invalid URL ({method} {path})", code="")
    return refusal(HTTPStatus.NOT_FOUND, error)


def no_such_model(name: str) -> RestAnswer:
    """Return the answer for a model that the server does not have."""
    error = EventRefused(
        f"The model '{name}' does not exist", code="model_not_found", param="model"
    )
    return refusal(HTTPStatus.NOT_FOUND, error)


def wrong_method(method: str, path: str, allowed: Sequence[str]) -> RestAnswer:
    """Return the answer to a method that an address does not know."""
    names = ", ".join(allowed)
    error = EventRefused(
        f"Not allowed to {method} on {path}. Allowed: {names}.",
        code="method_not_supported",
    )
    return refusal(HTTPStatus.METHOD_NOT_ALLOWED, error, {"Allow": names})


def too_large(limit_bytes: int) -> RestAnswer:
    """Return the answer to a body that is longer than bodies may be."""
    error = EventRefused(
        f"The request body is longer than {limit_bytes} bytes.", code=""
    )
    return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error)


def no_such_call() -> RestAnswer:
    """Return the answer to a sideband of a call; the engine has no calls."""
    error = EventRefused("No such call.", code="call_id_not_found")
    return refusal(HTTPStatus.NOT_FOUND, error)


def upgrade_required() -> RestAnswer:
    """Return the answer to a plain request at the WebSocket's address."""
    error = EventRefused("Open a WebSocket at this address.", code="")
    return refusal(HTTPStatus.UPGRADE_REQUIRED, error, {"Upgrade": "websocket"})
