"""The asyncio around one session: two pumps, a writer, timers and tool tasks.

Microphone audio goes straight from ``receive_audio`` to the model's side. What comes
back never waits for the page: audio goes into a paced queue, messages into a lane that
overtakes it, and one sender empties both. What anything means is decided by
``SessionCore``; this only carries out its effects.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from realtime_widget.exceptions import (
    EngineUnavailable,
    SessionClosed,
    ToolError,
    UpstreamError,
)
from realtime_widget.protocol.browser import ERRORS, StopReason
from realtime_widget.protocol.dialects.ga import (
    AUDIO_DELTA,
    AudioDelta,
    parsed_audio_delta,
    scan_audio_delta,
)
from realtime_widget.protocol.events import append_audio
from realtime_widget.session.config import SessionConfig
from realtime_widget.session.core import SessionCore
from realtime_widget.session.effects import (
    CancelTool,
    Effect,
    Note,
    Record,
    SendPage,
    SendUpstream,
    StartTool,
    Stop,
)
from realtime_widget.session.ports import (
    BrowserPort,
    RecorderPort,
    SessionEnd,
    ToolPort,
    UpstreamPort,
)
from realtime_widget.session.tools import FAILED, Outcome, outcome_of

logger = logging.getLogger("realtime_widget.session")

# The last messages of a session get so long to reach the page.
GOODBYE_S: Final = 2.0
# Cancelled tool tasks get so long to end; what ignores it is left behind.
TOOLS_END_S: Final = 1.0
# A page that lets so many messages wait is not reading.
MAX_WAITING_MESSAGES: Final = 2_000


class Bridge:
    """One session between a page and a model.

    Args:
        config: Everything the session is made of.
        browser: The page's end.
        tools: Runs the agent's tools.
        recorder: Keeps what happened.
        connect: Opens the model's end.
        monotonic: The clock, in seconds.
    """

    def __init__(
        self,
        config: SessionConfig,
        *,
        browser: BrowserPort,
        tools: ToolPort,
        recorder: RecorderPort,
        connect: Callable[[], Awaitable[UpstreamPort]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._core = SessionCore(config)
        self._playback = self._core.answers.playback
        self._browser = browser
        self._tools = tools
        self._recorder = recorder
        self._connect = connect
        self._now = monotonic
        self._upstream: UpstreamPort | None = None
        self._microphone: UpstreamPort | None = None
        self._to_upstream: deque[Mapping[str, Any]] = deque()
        self._to_page: deque[Mapping[str, Any]] = deque()
        self._upstream_wake = asyncio.Event()
        self._page_wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._page_paced = False
        self._sending_since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_s = 0.0
        self._tool_tasks: dict[str, asyncio.Task[None]] = {}
        self._perform: dict[type[Effect], Callable[[Any], None]] = {
            SendUpstream: self._on_send_upstream,
            SendPage: self._on_send_page,
            StartTool: self._on_start_tool,
            CancelTool: self._on_cancel_tool,
            Record: self._on_record,
            Note: self._on_note,
        }

    # --- what the consumer calls ---------------------------------------------

    @property
    def counters(self) -> Mapping[str, int]:
        """Return how often each odd thing happened in this session."""
        return self._core.counters

    @property
    def end(self) -> SessionEnd | None:
        """Return how the session ended, None while it lives."""
        return self._core.end

    async def run(self) -> SessionEnd:
        """Carry the session from connecting to its end.

        Whatever happens, the upstream is closed, tool tasks are cancelled and what is
        known is with the recorder when this is over. Cancelling it ends the session
        with reason ``draining``; ``end`` tells how.

        Returns:
            How it ended; a fault of a peer is an ending, never an exception.
        """
        try:
            async with asyncio.TaskGroup() as group:
                page = self._guarded(self._send_to_page)
                sender = group.create_task(page, name=self._name("page"))
                pumps = [
                    group.create_task(self._guarded(work), name=self._name(name))
                    for name, work in (
                        ("reader", self._connect_and_read),
                        ("writer", self._write_upstream),
                    )
                ]
                await self._ended.wait()
                for pump in pumps:
                    pump.cancel()
                with suppress(TimeoutError):
                    async with asyncio.timeout(GOODBYE_S):
                        await sender
        finally:
            self.stop("draining")  # only the first stop counts
            await self._clean_up()
        return cast(SessionEnd, self._core.end)

    async def receive_audio(self, frame: bytes) -> None:
        """Pass one frame of the visitor's audio on. HOT.

        Frames before the start, after the end and in text sessions are counted and
        dropped.

        Args:
            frame: Audio in the session's format, whole samples.
        """
        microphone = self._microphone
        if microphone is None:
            self._core.counters["unheard_audio"] += 1
            return
        try:
            await microphone.send(append_audio(frame))
        except UpstreamError:
            # The reader meets the same end and knows the reason.
            self._microphone = None

    async def receive_message(self, message: dict[str, Any]) -> None:
        """Take one message of the page; quick, it waits for nobody.

        Args:
            message: Parsed, of a type the protocol knows.
        """
        self._apply(self._core.page_message(message, self._now()))

    def stop(self, reason: StopReason, *, error_code: str = "") -> None:
        """End the session; idempotent, ``run`` returns soon after.

        Args:
            reason: Why.
            error_code: Code of the error table; "" for what the reason implies.
        """
        self._microphone = None
        for effect in self._core.stop(reason, error_code, self._now()):
            self._perform[type(effect)](effect)
        self._ended.set()
        self._page_wake.set()

    # --- the model's side ----------------------------------------------------

    async def _connect_and_read(self) -> None:
        self._apply(self._core.opening(self._now()))
        self._upstream = upstream = await self._connect()
        self._upstream_wake.set()
        while True:
            event = await upstream.receive()
            delta = scan_audio_delta(event)
            if delta is None:
                self._take_event(event)
            else:
                self._take_audio(delta)

    def _take_audio(self, delta: AudioDelta) -> None:
        """Queue a piece of the answer. HOT."""
        effects = self._core.audio(*delta, self._now())
        if effects:
            self._apply(effects)
        if not self._page_paced:
            self._page_wake.set()

    def _take_event(self, raw: bytes) -> None:
        try:
            event = json.loads(raw)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            self._apply(self._core.malformed_event(self._now()))
        elif event.get("type") == AUDIO_DELTA:
            delta = parsed_audio_delta(event)
            if delta is None:
                self._apply(self._core.malformed_event(self._now()))
            else:
                self._take_audio(delta)
        else:
            self._apply(self._core.upstream_event(event, self._now()))

    async def _write_upstream(self) -> None:
        while True:
            await self._upstream_wake.wait()
            self._upstream_wake.clear()
            while self._upstream is not None and self._to_upstream:
                event = self._to_upstream.popleft()
                await self._upstream.send(json.dumps(event).encode())

    # --- the page's side -----------------------------------------------------

    async def _send_to_page(self) -> None:
        while True:
            piece = self._next_for_page()
            if piece is not None:
                await self._send_piece(piece)
            elif self._core.end is not None:
                return
            else:
                await self._wait_for_page_work()

    def _next_for_page(self) -> bytes | Mapping[str, Any] | None:
        if self._to_page:
            return self._to_page.popleft()
        return self._playback.take(self._now())

    async def _send_piece(self, piece: bytes | Mapping[str, Any]) -> None:
        self._sending_since_s = self._now()
        try:
            if isinstance(piece, bytes):
                await self._browser.send_audio(piece)
            else:
                await self._browser.send_text(json.dumps(piece))
        finally:
            self._sending_since_s = None

    async def _wait_for_page_work(self) -> None:
        self._page_wake.clear()
        now_s = self._now()
        due_s = self._playback.next_due_s(now_s)
        self._page_paced = due_s is not None
        timer = None
        if due_s is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(due_s - now_s, self._page_wake.set)
        try:
            await self._page_wake.wait()
        finally:
            self._page_paced = False
            if timer is not None:
                timer.cancel()

    # --- effects -------------------------------------------------------------

    def _apply(self, effects: list[Effect]) -> None:
        stop = None
        for effect in effects:
            if isinstance(effect, Stop):
                stop = stop or effect
            else:
                self._perform[type(effect)](effect)
        if stop is not None:
            self.stop(stop.reason, error_code=stop.error_code)
        elif len(self._to_page) > MAX_WAITING_MESSAGES:
            self.stop("idle")
        elif self._core.end is None:
            if self._microphone is None and self._core.started:
                self._microphone = None if self._config.text_only else self._upstream
            self._arm()

    def _on_send_upstream(self, effect: SendUpstream) -> None:
        self._to_upstream.append(effect.event)
        self._upstream_wake.set()

    def _on_send_page(self, effect: SendPage) -> None:
        self._to_page.append(effect.message)
        self._page_wake.set()

    def _on_record(self, effect: Record) -> None:
        self._recorder.record(effect.fact)

    def _on_note(self, effect: Note) -> None:
        logger.warning(
            "A session met something odd: %s (session %s)",
            effect.kind,
            self._config.session_id,
        )

    def _on_start_tool(self, effect: StartTool) -> None:
        task = asyncio.create_task(
            self._run_tool(effect), name=self._name(f"tool {effect.name}")
        )
        self._tool_tasks[effect.call_id] = task

    def _on_cancel_tool(self, effect: CancelTool) -> None:
        task = self._tool_tasks.get(effect.call_id)
        if task is not None:
            task.cancel()

    async def _run_tool(self, call: StartTool) -> None:
        # Stands when the handler's own work was cancelled from elsewhere.
        outcome = Outcome("cancelled", FAILED)
        try:
            outcome = Outcome(
                "completed", await self._tools.run(call.name, call.arguments)
            )
        except ToolError as exc:
            outcome = outcome_of(exc)
        except Exception as exc:
            logger.exception(
                "The handler of tool %s failed (session %s)",
                call.name,
                self._config.session_id,
            )
            outcome = outcome_of(exc)
        finally:
            self._tool_tasks.pop(call.call_id, None)
            self._apply(self._core.tool_finished(call.call_id, outcome, self._now()))

    # --- time and end --------------------------------------------------------

    def _arm(self) -> None:
        """Have ``_on_timer`` called when something is due."""
        now_s = self._now()
        due_s = self._core.next_deadline_s(now_s)
        if self._sending_since_s is not None:
            stalled_s = self._sending_since_s + self._config.limits.stalled_browser_s
            due_s = stalled_s if due_s is None else min(due_s, stalled_s)
        if due_s is None:
            return
        if self._timer is not None:
            if self._timer_at_s <= due_s:
                return
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, due_s - now_s), self._on_timer)
        self._timer_at_s = due_s

    def _on_timer(self) -> None:
        self._timer = None
        now_s = self._now()
        since_s = self._sending_since_s
        stalled_s = self._config.limits.stalled_browser_s
        if since_s is not None and now_s - since_s >= stalled_s:
            self.stop("idle")
        else:
            self._apply(self._core.tick(now_s))

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """Turn the failure of a pump into the session's end."""
        try:
            await work()
        except SessionClosed:
            self.stop("user")
        except UpstreamError as exc:
            code = exc.code if exc.code in ERRORS else "upstream_error"
            self.stop("upstream", error_code=self._core.code_of_loss(code))
        except EngineUnavailable:
            self.stop("upstream", error_code="not_configured")
        except Exception:
            logger.exception(
                "A session ended by an error of ours (session %s)",
                self._config.session_id,
            )
            self.stop("error")

    async def _clean_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        tasks = list(self._tool_tasks.values())
        for task in tasks:
            task.cancel()
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=TOOLS_END_S)
        finally:
            if self._upstream is not None:
                await self._upstream.close()

    def _name(self, part: str) -> str:
        return f"realtime {part} {self._config.session_id}"
