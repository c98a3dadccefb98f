"""The engine on a TCP port, for any client of the Realtime API.

Source: Realtime API over WebSocket, connection and its refusals: they come as an
``error`` event and a close frame after the handshake.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.conversation.core import SessionOptions
from realtime_widget.engine.conversation.work import Outbox
from realtime_widget.engine.credentials import accepted, shown_key
from realtime_widget.engine.driver import EngineSession, id_factory
from realtime_widget.engine.ports import Parts
from realtime_widget.exceptions import EventRefused, UpstreamClosed

PATH: Final = "/v1/realtime"
SUBPROTOCOL: Final = "realtime"
# 15 MiB of audio in one event, as base64, and the JSON around it.
MAX_EVENT_BYTES: Final = 21 * 1024 * 1024
_BAD_KEY: Final = 3000
_REFUSED: Final = 4000

logger = logging.getLogger(__name__)
# At DEBUG the library logs handshake headers and frames: keys and what people said.
_wire_logger = logging.getLogger("realtime_widget.engine.wire")
_wire_logger.setLevel(logging.WARNING)


async def serve(
    host: str, port: int, parts: Parts, *, key: str = "", max_session_s: float = 3600
) -> Server:
    """Listen at ``ws://host:port/v1/realtime``.

    Args:
        host: Address to listen on.
        port: TCP port, 0 for any free one.
        parts: What hears, thinks and speaks.
        key: What clients have to show; "" accepts every key and none.
        max_session_s: The age at which a session ends.

    Returns:
        The server, an asynchronous context manager; leaving it ends all sessions.

    Raises:
        OSError: If it cannot listen there.
    """
    return await serve_websockets(
        partial(_serve_one, parts=parts, key=key, max_session_s=max_session_s),
        host,
        port,
        process_request=_check_path,
        select_subprotocol=_select_subprotocol,
        compression=None,
        max_size=MAX_EVENT_BYTES,
        close_timeout=2,
        logger=_wire_logger,
    )


def _check_path(connection: ServerConnection, request: Request) -> Response | None:
    url = urlsplit(request.path)
    if url.path != PATH:
        return connection.respond(HTTPStatus.NOT_FOUND, f"Only {PATH} is here.\n")
    if "call_id" in parse_qs(url.query):
        return connection.respond(HTTPStatus.NOT_FOUND, "call_id_not_found\n")
    return None


def _select_subprotocol(
    _connection: ServerConnection, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


async def _serve_one(
    connection: ServerConnection, *, parts: Parts, key: str, max_session_s: float
) -> None:
    """Talk to one client until either side ends it."""
    request = connection.request
    if request is None:
        return
    query = parse_qs(urlsplit(request.path).query)
    try:
        refusal = _refusal(request, query, key)
        if refusal is not None:
            await _refuse(connection, refusal)
            return
        model = query.get("model", [""])[0]
        session = EngineSession(parts, SessionOptions(model, max_session_s))
        logger.info("Engine session %s begins.", session.session_id)
        try:
            await _pump(connection, session)
        finally:
            await session.close()
            logger.info("Engine session %s has ended.", session.session_id)
    except ConnectionClosed:
        return


def _refusal(
    request: Request, query: dict[str, list[str]], key: str
) -> EventRefused | None:
    """Return why a client is not served, None when it is."""
    names = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    shown = shown_key(request.headers, (name.strip() for name in names))
    if not accepted(shown, key):
        return errors.bad_key()
    if request.headers.get("OpenAI-Beta") == "realtime=v1":
        return errors.beta_shape()
    if "transcription" in query.get("intent", ()):
        return errors.invalid("intent", "transcription", ("conversation",))
    return None


async def _refuse(connection: ServerConnection, error: EventRefused) -> None:
    outbox = Outbox(id_factory())
    outbox.send_error(error)
    for event in outbox.events:
        await connection.send(event, text=True)
    code = _BAD_KEY if error.code == "invalid_api_key" else _REFUSED
    await connection.close(code, f"{errors.INVALID_REQUEST}.{error.code}")


async def _pump(connection: ServerConnection, session: EngineSession) -> None:
    writer = asyncio.create_task(
        _write(connection, session), name=f"realtime-engine-write-{session.session_id}"
    )
    try:
        async for message in connection:
            if isinstance(message, str):
                session.receive(message.encode())
            else:
                session.refuse_binary()
            # A client that only sends and does not read has to wait.
            await session.room()
    except UpstreamClosed:
        await writer  # it sends what is left and the close frame
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def _write(connection: ServerConnection, session: EngineSession) -> None:
    try:
        while True:
            await connection.send(await session.next_event(), text=True)
    except UpstreamClosed:
        await connection.close(*session.end)
    except ConnectionClosed:
        return
