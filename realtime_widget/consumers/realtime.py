"""The consumer: lets a page in, joins it with a session, and sees it out.

It has its own receive loop, because Channels' dispatch takes one thread hop and one
task for every message; here the database is asked only before the session starts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from typing import Any, Final

from channels.consumer import AsyncConsumer
from django.db import DatabaseError

from realtime_widget.conf import get_conf
from realtime_widget.consumers.call import STOP_S, Call, Seat, Wish, calls
from realtime_widget.consumers.control import end_session
from realtime_widget.consumers.database_gate import REACHED
from realtime_widget.consumers.gate import SERVER_SEND
from realtime_widget.consumers.inbound import Inbound, Receive, Violation, read_message
from realtime_widget.consumers.metering import metered
from realtime_widget.consumers.opening import (
    Admitted,
    admit,
    count_open,
    prepare,
    read_visit,
)
from realtime_widget.consumers.resuming import resumed, sessions_of
from realtime_widget.consumers.room import give_back, opening, take_place
from realtime_widget.consumers.sockets import BrowserSocket
from realtime_widget.draining import drain
from realtime_widget.exceptions import AdmissionRefused, QuotaUsedUp
from realtime_widget.messages import error_messages
from realtime_widget.patience import asked
from realtime_widget.protocol.browser import PROTOCOL, CloseCode
from realtime_widget.quotas import SocketMeter
from realtime_widget.recorder import current_writer

logger = logging.getLogger(__name__)

# The error a page is shown for each code it may be refused with.
REFUSALS: Final[dict[int, str]] = {
    CloseCode.BAD_MESSAGE: "bad_message",
    CloseCode.TOKEN: "token",
    CloseCode.FORBIDDEN: "origin",
    CloseCode.NO_WIDGET: "no_widget",
    CloseCode.IDLE: "idle",
    CloseCode.LIMIT: "limit",
    CloseCode.ERROR: "internal",
    CloseCode.DRAINING: "draining",
}
# A page records at most so long while it waits for `session.started`.
EARLY_AUDIO_S: Final = 6.0


class PageGone(Exception):
    """The page left before its session began."""


class RealtimeConsumer(AsyncConsumer):
    """One socket of one page."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the socket from handshake to close."""
        self._conf = get_conf()
        self._receive: Receive = receive
        self._opened_s = time.monotonic()
        self._meter = SocketMeter(self._conf)
        self._socket = BrowserSocket(
            scope.get(SERVER_SEND, send), outbound_bytes=self._conf.OUTBOUND_BYTES
        )
        slug = str(scope["url_route"]["kwargs"]["slug"])
        if REACHED in scope:
            scope[REACHED]()
        await receive()
        drain.watch()
        try:
            await self._serve(scope)
        except QuotaUsedUp as exc:
            await self._refuse(exc.close_code, str(exc), slug, exc.words)
        except AdmissionRefused as exc:
            await self._refuse(exc.close_code, str(exc), slug)
        except DatabaseError as exc:
            name = type(exc).__name__
            await self._refuse(CloseCode.ERROR, f"database: {name}", slug)
        except PageGone:
            pass
        except Exception:
            logger.exception("A socket failed. widget=%.60r", slug)
            await self._refuse(CloseCode.ERROR, "internal error", slug)

    async def _serve(self, scope: Any) -> None:
        offered = PROTOCOL in (scope.get("subprotocols") or [])
        await self._socket.accept(PROTOCOL if offered else None)
        _refuse_when_draining()
        visit = read_visit(scope)
        count_open(visit)
        admitted = await asked(lambda: admit(visit))
        with opening():
            start = await self._first_message()
        _refuse_when_draining()
        before = sessions_of(start, admitted)
        call = calls.find(before[-1]) if before else None
        if call is not None and call.welcomes(Wish.of(start)):
            seat = call.seat(self._socket)
        else:
            call, seat = await self._new_call(admitted, start, before)
        await self._attend(call, seat, resumed=bool(before))

    async def _first_message(self) -> dict[str, Any]:
        """Wait for ``session.start``."""
        try:
            async with asyncio.timeout(self._conf.START_TIMEOUT_S):
                event = await self._receive()
        except TimeoutError:
            raise AdmissionRefused(
                "no session.start in time", close_code=CloseCode.IDLE
            ) from None
        if event["type"] == "websocket.disconnect":
            raise PageGone
        try:
            start = read_message(event.get("text") or "", self._conf)
        except Violation as exc:
            raise AdmissionRefused(exc.what, close_code=exc.close_code) from None
        if start.get("type") != "session.start":
            raise AdmissionRefused(
                "first message is not session.start", close_code=CloseCode.BAD_MESSAGE
            )
        return start

    async def _new_call(
        self, admitted: Admitted, start: dict[str, Any], before: tuple[str, ...]
    ) -> tuple[Call, Seat]:
        """Take what a call needs, read its rows and begin it.

        Args:
            admitted: Whose call it is.
            start: The page's ``session.start``.
            before: The sessions of the conversation it goes on with.
        """
        if before:
            # The newer page replaces the older one, in whatever process that is.
            await _replace(before[-1])
        lease = await take_place(admitted.limits, freed=bool(before))
        async with AsyncExitStack() as behind:
            behind.push_async_callback(give_back, lease)
            if before:
                await current_writer().drain()
            prepared = await asked(
                lambda: resumed(prepare(admitted, start), admitted, before)
            )
            _refuse_when_draining()
            meter = await behind.enter_async_context(metered(admitted, prepared))
            wish = Wish.of(start)
            call = Call(prepared, wish, self._socket, lease=lease, meter=meter)
            return call, call.begin(behind.pop_all())

    async def _attend(self, call: Call, seat: Seat, *, resumed: bool) -> None:
        """Read the page until it has nothing to do with the call any more."""
        audio = call.config.audio
        inbound = Inbound(
            self._receive, call.bridge, self._socket, self._meter, self._conf
        )
        inbound.expect(audio, call.config.error_messages)
        waited_s = min(time.monotonic() - self._opened_s, EARLY_AUDIO_S)
        if resumed:
            # It went on recording while it had no connection.
            waited_s = EARLY_AUDIO_S
        self._meter.expect_audio(audio.bytes_per_ms * 1_000, waited_s)
        name = call.config.session_id
        reading = asyncio.create_task(inbound.read(), name=f"realtime page {name}")
        leaving = asyncio.create_task(seat.left.wait(), name=f"realtime seat {name}")
        try:
            await asyncio.wait([reading, leaving], return_when=asyncio.FIRST_COMPLETED)
            if not seat.left.is_set():
                self._hang_up(call, seat, reading)
            await seat.left.wait()
            if seat.why == "replaced":
                await call.tell_replaced(seat)
            elif seat.why == "over":
                await call.over()
        except asyncio.CancelledError:
            # Daphne cancels when it stops, and 10 s after a page has gone.
            if not seat.why:
                call.end("draining")
            await call.over(STOP_S)
            raise
        finally:
            reading.cancel()
            leaving.cancel()
            await asyncio.gather(reading, leaving, return_exceptions=True)

    def _hang_up(self, call: Call, seat: Seat, reading: asyncio.Task[int]) -> None:
        """Tell the call what ended the receive loop."""
        fault, name = reading.exception(), call.config.session_id
        if fault is None:
            self._socket.closed = True
            call.page_gone(seat, reading.result())
        elif isinstance(fault, Violation):
            logger.warning("Session %s: %s", name, fault.what)
            call.end("error", error_code=fault.error_code, close_code=fault.close_code)
        else:
            logger.error("Receive loop of session %s failed", name, exc_info=fault)
            call.end("error")

    async def _refuse(
        self, close_code: int, why: str, slug: str, words: str = ""
    ) -> None:
        """Tell the page in its words, or in these, then close."""
        logger.warning("Socket refused: %s (%d). widget=%.60r", why, close_code, slug)
        code = REFUSALS[close_code]
        table = {code: words} if words else error_messages()
        await self._socket.send_error(code, table)
        await self._socket.close(close_code)


def _refuse_when_draining() -> None:
    """Send the page to another process, before its token is used up."""
    if drain.draining:
        raise AdmissionRefused("the server stops", close_code=CloseCode.DRAINING)


async def _replace(session_id: str) -> None:
    """End a session that goes on in a newer page, wherever it runs."""
    call = calls.find(session_id)
    if call is not None and call.lives_here:
        call.end("replaced")
        await call.over(STOP_S)
    else:
        await end_session(session_id, "replaced")
