"""Reads one HTTP request from bytes, and tells those apart that open a WebSocket.

The ``websockets`` server only parses requests without a body, so h11 reads first.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, Literal

import h11
from websockets.datastructures import Headers

from realtime_widget.engine.rest.messages import (
    RestAnswer,
    RestRequest,
    bad_request,
    refusal,
    too_large,
)
from realtime_widget.exceptions import EventRefused

# A session with long instructions and a hundred tools is some 100 kB.
MAX_BODY_BYTES: Final = 1024 * 1024
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

Read = RestRequest | RestAnswer | Literal["websocket", "continue"] | None


class RequestReader:
    """One connection's request."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.SERVER)
        self._head: h11.Request | None = None
        self._pieces: list[bytes] = []
        self._body_bytes = 0
        self._raw: list[bytes] = []

    @property
    def raw(self) -> bytes:
        """All bytes so far; for the WebSocket server to read them again."""
        return b"".join(self._raw)

    def feed(self, data: bytes) -> Read:
        """Take bytes as they come.

        Returns:
            The request when it is there in full; the answer to one that is refused;
            ``websocket`` for a handshake; ``continue`` when the client waits for
            ``CONTINUE`` before it sends its body; None when more has to come.
        """
        if self._head is None:
            self._raw.append(data)
        try:
            self._http.receive_data(data)
            return self._read()
        except h11.RemoteProtocolError as exc:
            if exc.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
                status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                return refusal(status, EventRefused("Headers too long.", code=""))
            return bad_request("The request is not HTTP/1.1.")

    def _read(self) -> Read:
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                self._head = event
                if _opens_websocket(event):
                    return "websocket"
                self._raw.clear()
                if _content_length(event) > MAX_BODY_BYTES:
                    return too_large(MAX_BODY_BYTES)
            elif isinstance(event, h11.Data):
                self._body_bytes += len(event.data)
                if self._body_bytes > MAX_BODY_BYTES:
                    return too_large(MAX_BODY_BYTES)
                self._pieces.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                return self._whole()
            else:  # h11 needs more
                waits = self._http.they_are_waiting_for_100_continue
                return "continue" if waits and not self._body_bytes else None

    def _whole(self) -> RestRequest:
        head = self._head
        if head is None:
            raise AssertionError("h11 ends no message that did not begin")
        headers = Headers()
        for name, value in head.headers:
            headers[name.decode("latin-1")] = value.decode("latin-1")
        return RestRequest(
            head.method.decode("latin-1"),
            head.target.decode("latin-1"),
            headers,
            b"".join(self._pieces),
        )


def _content_length(head: h11.Request) -> int:
    lengths = (value for name, value in head.headers if name == b"content-length")
    return int(next(lengths, b"0"))


def _opens_websocket(head: h11.Request) -> bool:
    upgrades = (value for name, value in head.headers if name == b"upgrade")
    return head.method == b"GET" and any(v.lower() == b"websocket" for v in upgrades)
