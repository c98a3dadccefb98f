"""The engine on a TCP port, for any client of the Realtime API.

Source: Realtime API over WebSocket, connection and its refusals: they come as an
``error`` event and a close frame after the handshake.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Final, Self, cast
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from realtime_widget.engine.call import LAST_WORD_S, Call, refuse
from realtime_widget.engine.conversation import errors
from realtime_widget.engine.conversation.core import MAX_SESSION_S, SessionOptions
from realtime_widget.engine.credentials import secret_shown, shown_key
from realtime_widget.engine.driver import EngineSession
from realtime_widget.engine.faces import preset_of
from realtime_widget.engine.front import FrontConnection
from realtime_widget.engine.limits import Limits
from realtime_widget.engine.models import Models, only
from realtime_widget.engine.opening import (
    Dialect,
    Opening,
    offered_subprotocols,
    read_opening,
)
from realtime_widget.engine.ports import Parts
from realtime_widget.engine.rest.messages import (
    RestAnswer,
    RestRequest,
    no_such_call,
    not_found,
)
from realtime_widget.engine.rest.routes import Catalogue, Rest
from realtime_widget.exceptions import EventRefused

PATH: Final = "/v1/realtime"
# OpenAI's address, and Azure's two.
PATHS: Final = (PATH, "/openai/v1/realtime", "/openai/realtime")
SUBPROTOCOL: Final = "realtime"
_GOING_AWAY: Final = (1001, "The server is shutting down.")

logger = logging.getLogger(__name__)
# At DEBUG the library logs handshake headers and frames: keys and what people said.
_wire_logger = logging.getLogger("realtime_widget.engine.wire")
_wire_logger.setLevel(logging.WARNING)
# Who knocks and leaves, or sends no proper handshake, is no error of the server's.
_wire_logger.addFilter(lambda record: record.msg != "opening handshake failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How a server treats its clients.

    Attributes:
        key: What clients have to show; "" accepts every key and none.
        max_session_s: The age at which a session ends.
        deflate: Whether clients may have their events compressed. It costs some 100 kB
            and 0.1 ms an event for each of them, and audio does not shrink.
        limits: What one client may do.
        dialect: What every client speaks, None for what its handshake asks for. With
            ``ga``, the beta is refused as OpenAI refuses it.
    """

    key: str = field(default="", repr=False)
    max_session_s: float = MAX_SESSION_S
    deflate: bool = False
    limits: Limits = Limits()
    dialect: Dialect | None = None


class EngineServer:
    """A port with the engine behind it; an asynchronous context manager.

    Leaving it ends every session at once; ``drain`` before that lets them end well.

    Args:
        models: What hears, thinks and speaks, by the model's name.
        options: How clients are treated.
        clock: Tells the time of day in Unix seconds; client secrets expire by it.
    """

    def __init__(
        self,
        models: Models | Parts,
        options: ServerOptions,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if isinstance(models, Parts):
            models = only(models)
        self._models = models
        self._options = options
        self._clock = clock
        catalogue = Catalogue(models.names, models.speaks, int(clock()))
        self._rest = Rest(catalogue, key=options.key)
        self._calls: dict[Call, asyncio.Task[None]] = {}
        self._silent: set[FrontConnection] = set()
        self._stops = False
        self._server: Server | None = None

    async def listen(self, host: str, port: int) -> None:
        """Begin to serve.

        Raises:
            OSError: If it cannot listen there.
        """
        limits = self._options.limits
        self._server = await serve_websockets(
            self._serve_one,
            host,
            port,
            # Documented as a class or a wrapper, typed as a class.
            create_connection=cast(
                type[ServerConnection], partial(FrontConnection, silent=self._silent)
            ),
            process_request=self._answer_http,
            select_subprotocol=_select_subprotocol,
            compression="deflate" if self._options.deflate else None,
            max_size=limits.event_bytes,
            max_queue=limits.waiting_events,
            close_timeout=LAST_WORD_S,
            logger=_wire_logger,
        )

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """What it listens on."""
        return () if self._server is None else tuple(self._server.sockets)

    async def drain(self, within_s: float) -> None:
        """Take no more clients, and end each session in its next silence.

        Returns when all have ended, or after ``within_s``.
        """
        self._stops = True
        if self._server is not None:
            self._server.close(close_connections=False)
        for call in self._calls:
            call.session.drain(*_GOING_AWAY)
        await self._wait_for_calls(within_s)

    async def close(self) -> None:
        """End every session, and stop listening."""
        self._stops = True
        if self._server is None:
            return
        self._server.close(close_connections=False)
        for call in self._calls:
            call.session.end_now(*_GOING_AWAY)
        await self._wait_for_calls(LAST_WORD_S)
        for call in self._calls:
            call.abort()
        for connection in self._silent:
            connection.transport.abort()
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.close()

    async def _wait_for_calls(self, within_s: float) -> None:
        if self._calls:
            await asyncio.wait(self._calls.values(), timeout=within_s)

    async def _answer_http(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        """Answer what is no WebSocket of ours; None opens one."""
        if not isinstance(connection, FrontConnection):
            raise TypeError("connections of this server are of our own class")
        http = connection.http
        if isinstance(http, RestAnswer):
            return connection.give(http)
        if isinstance(http, RestRequest):
            return connection.give(self._rest.answer(http, self._clock()))
        url = urlsplit(request.path)
        if url.path not in PATHS:
            return connection.give(not_found("GET", url.path))
        if "call_id" in parse_qs(url.query):
            return connection.give(no_such_call())
        model = self._models.resolve(read_opening(request.path, {}).model)
        refusal = await model.meet()
        return None if refusal is None else connection.give(refusal)

    async def _serve_one(self, connection: ServerConnection) -> None:
        """Talk to one client until either side ends it."""
        if connection.request is None:
            return
        try:
            opening = self._read_opening(connection.request)
            session = await self._open(opening)
        except EventRefused as refused:
            try:
                await refuse(connection, refused)
            except ConnectionClosed:
                pass
            return
        limits = self._options.limits
        call = Call(connection, session, limits, opening.dialect)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a call runs in a task")
        self._calls[call] = task
        if self._stops:  # while its model was loaded
            session.drain(*_GOING_AWAY)
        logger.info("Engine session %s begins.", session.session_id)
        try:
            await call.run()
        finally:
            del self._calls[call]
            logger.info("Engine session %s has ended.", session.session_id)

    async def _open(self, opening: Opening) -> EngineSession:
        """Begin the session that a client asks for.

        Raises:
            EventRefused: If it is not served.
        """
        if opening.session_type == "transcription" and opening.model:
            raise errors.model_of_transcription()
        model = self._models.resolve(opening.model)
        if not model.loaded:
            await asyncio.to_thread(model.load)
        options = SessionOptions(
            opening.model or model.name,
            self._options.max_session_s,
            preset=preset_of(opening),
            session_type=opening.session_type,
        )
        return model.open(options)

    def _read_opening(self, request: Request) -> Opening:
        """Read what a client asks for.

        Raises:
            EventRefused: If its key or its dialect is not accepted.
        """
        offered = offered_subprotocols(request.headers)
        secret = secret_shown(
            shown_key(request.headers, offered),
            self._options.key,
            self._rest.client_secrets,
            self._clock(),
        )
        opening = read_opening(
            request.path,
            request.headers,
            offered,
            preset=secret.session if secret is not None else None,
        )
        only = self._options.dialect
        if only == "ga" and opening.dialect == "beta":
            raise errors.beta_shape()
        return opening if only is None else replace(opening, dialect=only)


async def serve(
    host: str,
    port: int,
    models: Models | Parts,
    *,
    key: str = "",
    max_session_s: float = MAX_SESSION_S,
    deflate: bool = False,
    limits: Limits | None = None,
    dialect: Dialect | None = None,
) -> EngineServer:
    """Listen at ``ws://host:port/v1/realtime``, with the REST addresses beside it.

    Args:
        host: Address to listen on.
        port: TCP port, 0 for any free one.
        models: What hears, thinks and speaks, by the model's name; one composition
            serves whatever model is asked for.
        key: What clients have to show; "" accepts every key and none.
        max_session_s: The age at which a session ends.
        deflate: Whether clients may have their events compressed.
        limits: What one client may do.
        dialect: What every client speaks, None for what its handshake asks for.

    Returns:
        The server, an asynchronous context manager; leaving it ends all sessions.

    Raises:
        OSError: If it cannot listen there.
    """
    options = ServerOptions(
        key=key,
        max_session_s=max_session_s,
        deflate=deflate,
        limits=limits or Limits(),
        dialect=dialect,
    )
    server = EngineServer(models, options)
    await server.listen(host, port)
    return server


def _select_subprotocol(
    _connection: ServerConnection, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None
