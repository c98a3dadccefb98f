"""One call: a session with all that lives as long as it does, whoever is its page.

A page is seated in its call and may leave it without a word: a network breaks, a
browser dies. The call is kept a while for its visitor, with the model's connection, its
place and its quotas; another socket of the same visitor is seated instead.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Literal

from realtime_widget.beginning import Prepared
from realtime_widget.conf import get_conf
from realtime_widget.connectors import loading_told
from realtime_widget.consumers.control import listen
from realtime_widget.consumers.loading import LoadingTeller
from realtime_widget.consumers.room import give_back
from realtime_widget.consumers.sockets import BrowserSocket
from realtime_widget.consumers.tools import SessionTools
from realtime_widget.draining import drain
from realtime_widget.exceptions import SessionClosed
from realtime_widget.handlers import SessionGuardrails
from realtime_widget.protocol.browser import GIVEN_UP, CloseCode, StopReason
from realtime_widget.quotas import Lease, QuotaMeter
from realtime_widget.recorder import (
    CallRecording,
    SessionRecorder,
    current_writer,
    recordings_saved,
)
from realtime_widget.session.bridge import Bridge
from realtime_widget.session.ports import BrowserPort, NoPage, SessionEnd
from realtime_widget.telemetry import timed

logger = logging.getLogger(__name__)

# What a server says of a socket whose network broke: no close frame came (1006, and
# 1005 by uvicorn), or no answer to its pings (1011, RFC 6455); or what the page says
# that finds it first. Whoever goes by his own will has another code: 1000, 1001.
LOST: Final = frozenset({1005, 1006, 1011, GIVEN_UP})
# What uvicorn tells its sockets when it stops (RFC 6455, registered close code).
SERVICE_RESTART: Final = 1012
# What has to end gets so long; Daphne waits for it.
STOP_S: Final = 4.0
# A page that is replaced gets so long to take its goodbye.
GOODBYE_S: Final = 2.0


@dataclass(eq=False, slots=True)
class Seat:
    """A page's place in a call.

    Attributes:
        socket: The page's.
        left: Set when the page has nothing to do with the call any more.
        why: ``kept`` without it, ``replaced`` by another page, or ``over``.
    """

    socket: BrowserSocket
    left: asyncio.Event = field(default_factory=asyncio.Event)
    why: Literal["", "kept", "replaced", "over"] = ""

    def leave(self, why: Literal["kept", "replaced", "over"]) -> None:
        """Let the page go; only the first reason counts."""
        if not self.why:
            self.why = why
            self.socket.on_stalled = _nothing
            self.left.set()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a page wants of its session; one that wants something else gets another.

    Attributes:
        language: As the page sent it, like the others.
        variables: What it says about itself.
        text_only: Whether it wants no audio.
    """

    language: Any
    variables: Any
    text_only: bool

    @classmethod
    def of(cls, start: Mapping[str, Any]) -> Wish:
        """Return the wish of a ``session.start``."""
        text_only = start.get("text_only") is True
        return cls(start.get("language"), start.get("variables"), text_only)


class Call:
    """One call of one visitor.

    Args:
        prepared: What its session starts from.
        wish: What its page wants of it.
        socket: Of its first page.
        lease: Its places.
        meter: What it takes of its quotas.

    Attributes:
        bridge: Its session.
        config: Of its session.
    """

    def __init__(
        self,
        prepared: Prepared,
        wish: Wish,
        socket: BrowserSocket,
        *,
        lease: Lease,
        meter: QuotaMeter,
    ) -> None:
        conf = get_conf()
        self.config = prepared.config
        self._session_id = prepared.config.session_id
        self._wish = wish
        self._lease = lease
        self._behind = AsyncExitStack()
        self._widget = prepared.context.widget
        self._keep_s = conf.KEEP_UPSTREAM_S
        self._loop = asyncio.get_running_loop()
        self._first = socket
        self._seat: Seat | None = None
        self._keeping: asyncio.TimerHandle | None = None
        self._close_code: CloseCode | None = None
        self._life: asyncio.Task[None] | None = None
        writer = current_writer()
        self._recorder = SessionRecorder(prepared.conversation, writer)
        self._recording: CallRecording | None = None
        if prepared.recorded:
            audio = self.config.audio
            self._recording = CallRecording(prepared.conversation, audio, writer)
        self.bridge = Bridge(
            self.config,
            browser=self._port(socket),
            heard=self._recording.heard if self._recording else None,
            tools=SessionTools(prepared.handlers, prepared.context, self._tell),
            recorder=meter,
            connect=prepared.connect,
            guardrails=SessionGuardrails(prepared.guards, prepared.context),
            outlives_page=True,
        )
        goodbye = partial(self.bridge.say_goodbye, conf.QUOTA_GRACE_S, "quota")
        meter.watch(self._recorder, goodbye)

    # --- its pages -------------------------------------------------------------

    def begin(self, behind: AsyncExitStack) -> Seat:
        """Begin the session with its first page.

        Args:
            behind: What is left to do when the call is over.
        """
        self._behind = behind
        loading_told.set(LoadingTeller(self._first))
        self._life = asyncio.create_task(
            self._live(), name=f"realtime call {self._session_id}"
        )
        calls.add(self._session_id, self)
        return self._sit(self._first)

    def welcomes(self, wish: Wish) -> bool:
        """Return whether a page of its visitor with this wish may sit down.

        Not before its session has started, nor on another loop, where its sockets
        cannot be used.
        """
        willing = self.bridge.alive and not drain.draining
        return willing and self.lives_here and wish == self._wish

    @property
    def lives_here(self) -> bool:
        """Return whether it runs on this loop."""
        return self._loop is asyncio.get_running_loop()

    def seat(self, socket: BrowserSocket) -> Seat:
        """Give the call to a page; one that sits there has to go."""
        if self._seat is not None:
            self._stand_up("replaced")
        if self._keeping is not None:
            self._keeping.cancel()
        seat = self._sit(socket)
        self.bridge.take_page(self._port(socket))
        return seat

    def page_gone(self, seat: Seat, code: int) -> None:
        """Keep the call for its visitor, or end it.

        Args:
            seat: Whose page is gone; one that has left already means nothing.
            code: The close code of its socket.
        """
        if seat is not self._seat or self.bridge.end is not None:
            return
        lost = code in LOST and self.bridge.alive
        if code == SERVICE_RESTART or (lost and drain.draining):
            self.end("draining")
        elif lost and self._keep_s:
            logger.info("Session %s is kept: its page is lost", self._session_id)
            self._stand_up("kept")
            self._keeping = self._loop.call_later(self._keep_s, self.end, "user")
        else:
            self.end("user")

    async def tell_replaced(self, seat: Seat) -> None:
        """Tell a page that another one sits in its place; close its socket."""
        stopped = {
            "type": "session.stopped",
            "reason": "replaced",
            "duration_s": round(self.bridge.duration_s, 3),
        }
        try:
            async with asyncio.timeout(GOODBYE_S):
                await seat.socket.send_error("replaced", self.config.error_messages)
                await seat.socket.send_text(json.dumps(stopped))
        except (SessionClosed, TimeoutError):
            pass
        await seat.socket.close(CloseCode.REPLACED)

    # --- its end ---------------------------------------------------------------

    def end(
        self,
        reason: StopReason,
        *,
        error_code: str = "",
        close_code: CloseCode | None = None,
    ) -> None:
        """End the call; idempotent.

        Args:
            reason: Why.
            error_code: Of the error table, "" for what the reason implies.
            close_code: Of the page's socket, None for the reason's own.
        """
        if self.bridge.end is None:
            self._close_code = close_code
            self.bridge.stop(reason, error_code=error_code)

    async def over(self, within_s: float | None = None) -> None:
        """Wait until nothing of it is left, or so long."""
        if self._life is not None:
            await asyncio.wait([self._life], timeout=within_s)

    # --- inside ----------------------------------------------------------------

    def _sit(self, socket: BrowserSocket) -> Seat:
        socket.on_stalled = partial(self.end, "idle")
        self._seat = Seat(socket)
        return self._seat

    def _stand_up(self, why: Literal["kept", "replaced"]) -> None:
        seat, self._seat = self._seat, None
        self.bridge.leave_page(self._recorded(NoPage()))
        if seat is not None:
            seat.leave(why)

    def _port(self, socket: BrowserSocket) -> BrowserPort:
        return self._recorded(timed(socket, self._widget))

    def _recorded(self, page: BrowserPort) -> BrowserPort:
        return self._recording.page(page) if self._recording else page

    async def _tell(self, text: str) -> None:
        """Send a message to whoever is there."""
        if self._seat is not None:
            await self._seat.socket.send_text(text)

    def _finish(self, within_s: float) -> None:
        """Come to an end, because the process does; for nobody, at once."""
        if self._seat is None:
            self.end("draining")
        else:
            self.bridge.drain(within_s)

    async def _live(self) -> None:
        try:
            with drain.call(self._finish):
                await self._close(await self._talk())
        except Exception:
            logger.exception("Session %s did not end well", self._session_id)
        finally:
            calls.discard(self._session_id)
            if self._seat is not None:
                self._seat.leave("over")
            await self._behind.aclose()

    async def _talk(self) -> SessionEnd:
        """Return how the session ended; being cancelled ends it, too."""
        running = asyncio.create_task(
            self.bridge.run(), name=f"realtime session {self._session_id}"
        )
        listening = asyncio.create_task(
            listen(self._session_id, self.end),
            name=f"realtime control {self._session_id}",
        )
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            # The loop ends; nothing is to be left behind without its record.
            self.end("draining")
            await asyncio.wait([running], timeout=STOP_S)
        finally:
            if self._keeping is not None:
                self._keeping.cancel()
            listening.cancel()
            await asyncio.wait([listening], timeout=STOP_S)
        return self._ended(running)

    def _ended(self, running: asyncio.Task[SessionEnd]) -> SessionEnd:
        if not running.done() or running.cancelled():
            return SessionEnd("draining", 0.0, CloseCode.DRAINING, "draining")
        failure = running.exception()
        if failure is not None:
            logger.error("Session %s failed", self._session_id, exc_info=failure)
            return SessionEnd("error", 0.0, CloseCode.ERROR, "internal")
        ended = running.result()
        if self._close_code is not None:
            ended = replace(ended, close_code=self._close_code)
        return ended

    async def _close(self, ended: SessionEnd) -> None:
        """Write down the end, tell the page, and give the places back.

        All of it before the process may stop: the page goes on in another one.
        """
        self._recorder.stop(ended)
        logger.info(
            "Session %s ended: %s %s after %.1f s. widget=%s",
            self._session_id,
            ended.reason,
            ended.error_code,
            ended.duration_s,
            self._widget,
        )
        try:
            if self._seat is not None:
                await self._seat.socket.close(ended.close_code)
            if ended.reason == "draining":
                await current_writer().drain()
        finally:
            if self._recording is not None:
                self._recording.end()
            await give_back(self._lease)
            if drain.draining:
                await recordings_saved(STOP_S)


class Calls:
    """The calls of this process that are not over, by session."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    def add(self, session_id: str, call: Call) -> None:
        """Take a call that has begun."""
        self._calls[session_id] = call

    def discard(self, session_id: str) -> None:
        """Forget a call that is over."""
        self._calls.pop(session_id, None)

    def find(self, session_id: str) -> Call | None:
        """Return the call of a session, None if there is none here."""
        return self._calls.get(session_id)


def _nothing() -> None:
    """Let a page that has left read as slowly as it likes."""


# The process's own.
calls: Final = Calls()
