"""One client of the engine's server: its events in, the session's events out."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.conversation.work import Outbox
from realtime_widget.engine.driver import EngineSession, id_factory
from realtime_widget.engine.faces import make_face
from realtime_widget.engine.limits import Allowance, Limits
from realtime_widget.engine.opening import Dialect
from realtime_widget.exceptions import EventRefused, UpstreamClosed

_BAD_KEY: Final = 3000
_REFUSED: Final = 4000
# It is never sent: the connection ends as a lost network ends it.
_DROPPED: Final = 1006
# What a client that reads nothing is given to take its last event and the close frame.
LAST_WORD_S: Final = 2.0

logger = logging.getLogger(__name__)


async def refuse(connection: ServerConnection, error: EventRefused) -> None:
    """Tell a client why it is not served any more, and close.

    One that does not read what it is told is left after ``LAST_WORD_S``.
    """
    outbox = Outbox(id_factory())
    outbox.send_error(error)
    try:
        async with asyncio.timeout(LAST_WORD_S):
            for event in outbox.events:
                await connection.send(event, text=True)
            await connection.close(*close_of(error))
    except TimeoutError:
        connection.transport.abort()


def close_of(error: EventRefused) -> tuple[int, str]:
    """Return the close code and reason that go with an error."""
    code = _BAD_KEY if error.code == "invalid_api_key" else _REFUSED
    return code, f"{errors.INVALID_REQUEST}.{error.code}"


class Call:
    """Carries events between a connection and a session until either ends.

    Args:
        connection: An open WebSocket.
        session: A new session.
        limits: What the client may do.
        dialect: What the client speaks.
    """

    def __init__(
        self,
        connection: ServerConnection,
        session: EngineSession,
        limits: Limits,
        dialect: Dialect = "ga",
    ) -> None:
        self.session = session
        self._face = make_face(dialect, session)
        self._connection = connection
        self._unread_s = limits.unread_s
        self._loop = asyncio.get_running_loop()
        now_s = self._loop.time()
        self._events = Allowance(limits.events_at_once, limits.events_per_s, now_s)
        self._bytes = Allowance(limits.bytes_at_once, limits.bytes_per_s, now_s)

    async def run(self) -> None:
        """Carry events; ends the session."""
        name = f"realtime-engine-write-{self.session.session_id}"
        writer = asyncio.create_task(self._write(), name=name)
        try:
            await self._read()
        except UpstreamClosed:
            await writer  # it sends what is left and the close frame
        except ConnectionClosed:
            pass
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await self.session.close()

    def abort(self) -> None:
        """Drop the connection."""
        self._connection.transport.abort()

    async def _read(self) -> None:
        async for message in self._connection:
            now_s = self._loop.time()
            fits = self._events.take(1, now_s) and self._bytes.take(len(message), now_s)
            if not fits:
                error = errors.too_fast()
                self._log_cut_off("sends too much")
                self.session.refuse_and_end(error, *close_of(error))
            if isinstance(message, str):
                for event in self._face.heard(message.encode()):
                    await self.session.receive_fairly(event)
            else:
                self.session.refuse_binary()
            # A client that only sends and does not read has to wait.
            await self.session.room()

    async def _write(self) -> None:
        try:
            while True:
                event = await self.session.next_event()
                async with asyncio.timeout(self._unread_s):
                    for told in self._face.told(event):
                        await self._connection.send(told, text=True)
        except UpstreamClosed:
            await self._close()
        except TimeoutError:
            error = errors.not_read()
            self._log_cut_off("does not read")
            self.session.end_now(*close_of(error))
            await refuse(self._connection, error)
        except ConnectionClosed:
            return

    def _log_cut_off(self, why: str) -> None:
        logger.warning(
            "Engine session %s: the client %s and is cut off.",
            self.session.session_id,
            why,
        )

    async def _close(self) -> None:
        if self.session.end[0] == _DROPPED:
            self.abort()
            return
        try:
            async with asyncio.timeout(self._unread_s):
                await self._connection.close(*self.session.end)
        except TimeoutError:
            self.abort()
