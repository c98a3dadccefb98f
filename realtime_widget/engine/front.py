"""A connection of the engine's port: a WebSocket, or one HTTP request.

``websockets`` only parses requests without a body. So h11 reads the request; if it is
a WebSocket handshake, ``websockets`` gets its bytes and everything after them.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from realtime_widget.engine.rest.messages import RestAnswer, RestRequest
from realtime_widget.engine.rest.reader import CONTINUE, RequestReader

_HEAD: Final = "HEAD"


class FrontConnection(ServerConnection):
    """Reads what ``websockets`` cannot.

    Args:
        silent: Where it is as long as no request has come, for a server that stops.

    Attributes:
        http: The request, or the answer to one that cannot be read; None for a
            WebSocket handshake. It is there when ``process_request`` is called.
    """

    def __init__(self, *args: Any, silent: set[FrontConnection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._silent = silent
        self.http: RestRequest | RestAnswer | None = None
        self._reader: RequestReader | None = RequestReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._silent.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._silent.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes of the network. HOT once the WebSocket is open."""
        if self._reader is None:
            super().data_received(data)
        elif self.http is None:
            self._read(self._reader, data)
        # What follows a request in full is nobody's.

    def _read(self, reader: RequestReader, data: bytes) -> None:
        read = reader.feed(data)
        if read == "websocket":
            self._reader = None
            self._silent.discard(self)
            super().data_received(reader.raw)
        elif read == "continue":
            self.transport.write(CONTINUE)
        elif read is not None:
            self.http = read
            self._silent.discard(self)
            # The server's task waits for a request; ``process_request`` answers it.
            target = read.target if isinstance(read, RestRequest) else "/"
            self.process_event(Request(target, Headers()))

    def give(self, answer: RestAnswer) -> Response:
        """Return an answer as ``process_request`` gives it to ``websockets``."""
        headers, content = answer.encoded()
        asked = self.http.method if isinstance(self.http, RestRequest) else ""
        body = b"" if asked == _HEAD else content
        return Response(answer.status, answer.status.phrase, headers, body)
