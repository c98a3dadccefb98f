"""The asyncio around one session: two pumps, a writer, timers and tool tasks.

Microphone audio goes straight from ``receive_audio`` to the model's side. What comes
back never waits for the page: it is left with the ``PageSender``. What anything means
is decided by ``SessionCore``; this only carries out its effects.
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
    UpstreamError,
)
from realtime_widget.protocol.browser import ERRORS, StopReason
from realtime_widget.protocol.dialects.ga import (
    AudioDelta,
    parsed_audio_delta,
    scan_audio_delta,
)
from realtime_widget.protocol.events import AUDIO_DELTA, append_audio
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
from realtime_widget.session.sender import PageSender
from realtime_widget.session.tool_tasks import ToolTasks
from realtime_widget.session.tools import Outcome

logger = logging.getLogger("realtime_widget.session")

# The last messages of a session get so long to reach the page.
GOODBYE_S: Final = 2.0


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
        self._recorder = recorder
        self._connect = connect
        self._now = monotonic
        self._core = SessionCore(config)
        self._page = PageSender(browser, self._core.answers.playback, monotonic)
        self._tools = ToolTasks(tools, self._tool_finished, config.session_id)
        self._upstream: UpstreamPort | None = None
        self._microphone: UpstreamPort | None = None
        self._to_upstream: deque[Mapping[str, Any]] = deque()
        self._upstream_wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_s = 0.0
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
                page, reader, writer = (
                    group.create_task(self._guarded(work), name=self._name(name))
                    for name, work in (
                        ("page", self._page.run),
                        ("reader", self._connect_and_read),
                        ("writer", self._write_upstream),
                    )
                )
                await self._ended.wait()
                reader.cancel()
                writer.cancel()
                with suppress(TimeoutError):
                    async with asyncio.timeout(GOODBYE_S):
                        await page
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
            self._core.counters["unheard_audio"] += 1

    async def receive_message(self, message: dict[str, Any]) -> bool:
        """Take one message of the page; quick, it waits for nobody.

        Args:
            message: Parsed, of a type the protocol knows.

        Returns:
            False when the page was told an error for it.
        """
        effects = self._core.page_message(message, self._now())
        self._apply(effects)
        return not any(
            isinstance(effect, SendPage) and effect.message["type"] == "error"
            for effect in effects
        )

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
        self._page.finish()

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
        self._page.audio_came()

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
        elif self._page.overfull:
            self.stop("idle")
        elif self._core.end is None:
            if self._microphone is None and self._core.started:
                self._microphone = None if self._config.text_only else self._upstream
            self._arm()

    def _on_send_upstream(self, effect: SendUpstream) -> None:
        self._to_upstream.append(effect.event)
        self._upstream_wake.set()

    def _on_send_page(self, effect: SendPage) -> None:
        self._page.message(effect.message)

    def _on_start_tool(self, effect: StartTool) -> None:
        self._tools.start(effect)

    def _on_cancel_tool(self, effect: CancelTool) -> None:
        self._tools.cancel(effect.call_id)

    def _on_record(self, effect: Record) -> None:
        self._recorder.record(effect.fact)

    def _on_note(self, effect: Note) -> None:
        logger.warning(
            "A session met something odd: %s (session %s)",
            effect.kind,
            self._config.session_id,
        )

    def _tool_finished(self, call_id: str, outcome: Outcome) -> None:
        self._apply(self._core.tool_finished(call_id, outcome, self._now()))

    # --- time and end --------------------------------------------------------

    def _arm(self) -> None:
        """Have ``_on_timer`` called when something is due."""
        now_s = self._now()
        due_s = self._core.next_deadline_s(now_s)
        if self._page.sending_since_s is not None:
            stalled_s = self._page.sending_since_s + self._stalled_s
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
        since_s = self._page.sending_since_s
        if since_s is not None and now_s - since_s >= self._stalled_s:
            self.stop("idle")
        else:
            self._apply(self._core.tick(now_s))

    @property
    def _stalled_s(self) -> float:
        return self._config.limits.stalled_browser_s

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
        try:
            await self._tools.end()
        finally:
            if self._upstream is not None:
                await self._upstream.close()

    def _name(self, part: str) -> str:
        return f"realtime {part} {self._config.session_id}"
