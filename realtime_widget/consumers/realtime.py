"""The consumer: lets a page in, joins it with a session, and sees it out.

It has its own receive loop, because Channels' dispatch takes one thread hop and one
task for every message; here the database is asked only before the session starts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import Any, Final

from channels.consumer import AsyncConsumer
from django.db import DatabaseError

from realtime_widget.beginning import Prepared
from realtime_widget.conf import get_conf
from realtime_widget.connectors import loading_told
from realtime_widget.consumers.control import end_session, listen
from realtime_widget.consumers.database_gate import REACHED
from realtime_widget.consumers.gate import SERVER_SEND
from realtime_widget.consumers.inbound import Inbound, Receive, Violation, read_message
from realtime_widget.consumers.loading import LoadingTeller
from realtime_widget.consumers.metering import metered
from realtime_widget.consumers.opening import (
    Admitted,
    admit,
    count_open,
    prepare,
    read_visit,
)
from realtime_widget.consumers.resuming import resumed, sessions_of
from realtime_widget.consumers.sockets import BrowserSocket
from realtime_widget.consumers.tools import SessionTools
from realtime_widget.draining import drain
from realtime_widget.exceptions import AdmissionRefused, QuotaUsedUp
from realtime_widget.handlers import SessionGuardrails
from realtime_widget.messages import error_messages
from realtime_widget.patience import asked
from realtime_widget.protocol.browser import PROTOCOL, CloseCode
from realtime_widget.quotas import Lease, QuotaMeter, SocketMeter, counters, places
from realtime_widget.recorder import (
    CallRecording,
    SessionRecorder,
    current_writer,
    recordings_saved,
)
from realtime_widget.session.bridge import Bridge
from realtime_widget.session.ports import SessionEnd
from realtime_widget.telemetry import timed

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
# What uvicorn tells its sockets when it stops (RFC 6455, registered close code).
SERVICE_RESTART: Final = 1012
# A cancelled session gets so long to end; Daphne waits for it.
STOP_S: Final = 4.0


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
        lease = counters.acquire(admitted.limits)
        try:
            await places.take(lease)
            prepared = await self._first_message(admitted)
            _refuse_when_draining()
            async with metered(admitted, prepared) as meter:
                await self._converse(prepared, lease, meter)
        finally:
            await _give_back(lease)

    async def _first_message(self, admitted: Admitted) -> Prepared:
        """Wait for ``session.start`` and read what the session needs."""
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
        before = sessions_of(start, admitted)
        if before:
            # The newer page replaces the older one, in whatever process that is.
            await end_session(before[-1], "replaced")
            await current_writer().drain()
        return await asked(lambda: resumed(prepare(admitted, start), admitted, before))

    async def _converse(
        self, prepared: Prepared, lease: Lease, meter: QuotaMeter
    ) -> None:
        """Run one session; its record is ended whatever ends it."""
        config = prepared.config
        recorder = SessionRecorder(prepared.conversation, current_writer())
        tools = SessionTools(prepared.handlers, prepared.context, self._socket)
        page, recording = timed(self._socket, prepared.context.widget), None
        if prepared.recorded:
            recording = CallRecording(
                prepared.conversation, config.audio, current_writer()
            )
            page = recording.page(page)
        bridge = Bridge(
            config,
            browser=page,
            heard=recording.heard if recording else None,
            tools=tools,
            recorder=meter,
            connect=prepared.connect,
            guardrails=SessionGuardrails(prepared.guards, prepared.context),
        )
        meter.watch(
            recorder, partial(bridge.say_goodbye, self._conf.QUOTA_GRACE_S, "quota")
        )
        self._socket.on_stalled = lambda: bridge.stop("idle")
        inbound = Inbound(self._receive, bridge, self._socket, self._meter, self._conf)
        inbound.expect(config.audio, config.error_messages)
        waited_s = min(time.monotonic() - self._opened_s, EARLY_AUDIO_S)
        if config.resumed:
            # It went on recording while it had no connection.
            waited_s = EARLY_AUDIO_S
        self._meter.expect_audio(config.audio.bytes_per_ms * 1_000, waited_s)
        with drain.call(bridge.drain):
            try:
                await self._run(bridge, inbound, recorder, prepared)
            finally:
                if recording is not None:
                    recording.end()
                # Before the process may stop: the page goes on in another one.
                await _give_back(lease)
                if drain.draining:
                    await recordings_saved(STOP_S)

    async def _run(
        self,
        bridge: Bridge,
        inbound: Inbound,
        recorder: SessionRecorder,
        prepared: Prepared,
    ) -> None:
        session_id = prepared.config.session_id
        loading_told.set(LoadingTeller(self._socket))
        running = asyncio.create_task(
            bridge.run(), name=f"realtime session {session_id}"
        )
        ended = SessionEnd("draining", 0.0, CloseCode.DRAINING, "draining")
        try:
            ended = await self._until_end(bridge, running, inbound, session_id)
        except asyncio.CancelledError:
            # Daphne cancels when it stops, and 10 s after a page has gone.
            bridge.stop("draining")
            await asyncio.wait([running], timeout=STOP_S)
            ended = running.result() if _finished(running) else ended
            raise
        finally:
            recorder.stop(ended)
            self._log_end(ended, prepared)
            await self._socket.close(ended.close_code)
            if ended.reason == "draining":
                await current_writer().drain()

    async def _until_end(
        self,
        bridge: Bridge,
        running: asyncio.Task[SessionEnd],
        inbound: Inbound,
        session_id: str,
    ) -> SessionEnd:
        """Return how the session ended, with the code the socket is closed with."""
        reading = asyncio.create_task(
            inbound.read(), name=f"realtime page {session_id}"
        )
        listening = asyncio.create_task(
            listen(session_id, bridge.stop), name=f"realtime control {session_id}"
        )
        close_code: int | None = None
        try:
            await asyncio.wait([running, reading], return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                close_code = self._hang_up(bridge, reading, session_id)
            # Not awaited itself: being cancelled must not cancel the session's
            # task, which has its own way to end.
            await asyncio.wait([running])
        finally:
            reading.cancel()
            listening.cancel()
            await asyncio.wait([reading, listening], timeout=STOP_S)
        ended = running.result()
        if close_code is None:
            return ended
        return SessionEnd(ended.reason, ended.duration_s, close_code, ended.error_code)

    def _hang_up(
        self, bridge: Bridge, reading: asyncio.Task[int], session_id: str
    ) -> int | None:
        """Stop the session for what ended the receive loop."""
        fault = reading.exception()
        if fault is None:
            self._socket.closed = True
            restarting = reading.result() == SERVICE_RESTART
            bridge.stop("draining" if restarting else "user")
            return None
        if isinstance(fault, Violation):
            logger.warning("Session %s: %s", session_id, fault.what)
            bridge.stop("error", error_code=fault.error_code)
            return fault.close_code
        logger.error("Receive loop of session %s failed", session_id, exc_info=fault)
        bridge.stop("error")
        return None

    async def _refuse(
        self, close_code: int, why: str, slug: str, words: str = ""
    ) -> None:
        """Tell the page in its words, or in these, then close."""
        logger.warning("Socket refused: %s (%d). widget=%.60r", why, close_code, slug)
        code = REFUSALS[close_code]
        table = {code: words} if words else error_messages()
        await self._socket.send_error(code, table)
        await self._socket.close(close_code)

    def _log_end(self, ended: SessionEnd, prepared: Prepared) -> None:
        logger.info(
            "Session %s ended: %s %s after %.1f s. widget=%s",
            prepared.config.session_id,
            ended.reason,
            ended.error_code,
            ended.duration_s,
            prepared.context.widget,
        )


def _refuse_when_draining() -> None:
    """Send the page to another process, before its token is used up."""
    if drain.draining:
        raise AdmissionRefused("the server stops", close_code=CloseCode.DRAINING)


async def _give_back(lease: Lease) -> None:
    """Free a session's places; idempotent."""
    counters.release(lease)
    await places.give_back(lease)


def _finished(task: asyncio.Task[SessionEnd]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
