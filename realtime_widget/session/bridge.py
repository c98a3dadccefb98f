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
from realtime_widget.session.config import AgentSpec, SessionConfig
from realtime_widget.session.core import SessionCore
from realtime_widget.session.dialling import Dialler
from realtime_widget.session.effects import (
    CancelTool,
    Check,
    CheckText,
    Effect,
    Note,
    Prepare,
    Record,
    Redial,
    SendPage,
    SendUpstream,
    StartTool,
    Stop,
)
from realtime_widget.session.guardrail_tasks import GuardrailTasks
from realtime_widget.session.microphone import Microphones
from realtime_widget.session.ports import (
    AudioPort,
    BrowserPort,
    GuardrailPort,
    NoGuardrails,
    RecorderPort,
    SessionEnd,
    ToolPort,
    UpstreamPort,
)
from realtime_widget.session.sender import PageSender
from realtime_widget.session.tool_tasks import ToolTasks
from realtime_widget.session.tool_values import Outcome
from realtime_widget.session.waiting import WaitingEvents

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
        guardrails: Runs the agent's guardrails.
        heard: Told every frame of the visitor's audio that the model gets.
        outlives_page: Whether it goes on when the page is gone, until it is stopped.
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
        guardrails: GuardrailPort | None = None,
        heard: Callable[[bytes], None] | None = None,
        outlives_page: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._recorder = recorder
        self._dialler = Dialler(connect, config.session_id)
        self._now = monotonic
        self._core = SessionCore(config)
        self._page = PageSender(
            browser, self._core.answers.playback, monotonic, outlives=outlives_page
        )
        self._heard = heard
        guardrails = guardrails or NoGuardrails()
        self._tools = ToolTasks(
            tools, self._tool_finished, config.session_id, guardrails
        )
        self._checks = GuardrailTasks(guardrails, self._tripped, config.session_id)
        self._upstream: UpstreamPort | None = None
        self._to_upstream = WaitingEvents()
        self._microphones = Microphones(self._core, self._to_upstream)
        self._microphone: AudioPort | None = None
        self._upstream_wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_s = 0.0
        self._perform: dict[type[Effect], Callable[[Any], None]] = {
            SendUpstream: self._on_send_upstream,
            SendPage: self._on_send_page,
            StartTool: self._on_start_tool,
            CancelTool: self._on_cancel_tool,
            CheckText: self._on_check_text,
            Record: self._on_record,
            Note: self._on_note,
            Prepare: self._on_prepare,
            Redial: self._on_redial,
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

    @property
    def duration_s(self) -> float:
        """Return how long the session has lived, 0 before its start."""
        return self._core.lifetime.duration_s(self._now())

    @property
    def alive(self) -> bool:
        """Return whether the session has started and has not ended."""
        return self._core.started and self._core.end is None

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

        Frames are counted and dropped where nothing listens: before the start, after
        the end, in text sessions, and while the key of push-to-talk is up.

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
            return
        if self._heard is not None:
            self._heard(frame)

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

    def leave_page(self, instead: BrowserPort) -> None:
        """Go on without a page, which may come back.

        Args:
            instead: Gets what nobody reads.
        """
        self._page.change(instead)
        self._apply(self._core.page_left(self._now()))

    def take_page(self, browser: BrowserPort) -> None:
        """Go on with a page after ``leave_page``: the same, or another of its visitor."""
        self._page.change(browser)
        self._apply(self._core.page_returned(self._now()))

    def update_agent(self, agent: AgentSpec) -> None:
        """Let another agent go on, or the same one with other instructions or tools."""
        self._apply(self._core.update_agent(agent, self._now()))

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

    def drain(self, within_s: float) -> None:
        """End with reason ``draining`` in the next silence, at most so much later."""
        self._apply(self._core.drain(within_s, self._now()))

    def say_goodbye(self, within_s: float, reason: StopReason, words: str) -> None:
        """End in the next silence, at most so much later.

        Args:
            within_s: The answer that is being given may go on for so long.
            reason: Why.
            words: For the visitor, instead of the usual ones of the reason.
        """
        self._apply(self._core.drain(within_s, self._now(), reason, words))

    # --- the model's side ----------------------------------------------------

    async def _connect_and_read(self) -> None:
        self._apply(self._core.opening(self._now()))
        self._join(await self._dialler.first())
        while True:
            await self._read_until_gone()
            self._join(await self._dialler.again(self._config.limits.reconnect_s))

    def _join(self, upstream: UpstreamPort) -> None:
        self._upstream = upstream
        self._microphones.join(upstream)
        self._upstream_wake.set()

    async def _read_until_gone(self) -> None:
        """Read one connection to its end.

        Raises:
            UpstreamError: If the session cannot go on over another one.
        """
        upstream = cast(UpstreamPort, self._upstream)
        reading = self._reading = asyncio.create_task(
            self._read(upstream), name=self._name("reading")
        )
        try:
            await asyncio.wait({reading})
        finally:
            reading.cancel()
        if reading.cancelled():
            return  # left for another one
        failure = cast(Exception, reading.exception())
        lost = isinstance(failure, UpstreamError) and failure.retryable
        effects = self._core.lost(self._now()) if lost else None
        if effects is None:
            raise failure
        self._leave()
        self._apply(effects)

    def _leave(self) -> None:
        """Leave the connection, with what waits for it."""
        upstream, self._upstream = self._upstream, None
        self._microphones.leave()
        self._to_upstream.clear()
        self._dialler.leave(upstream)

    async def _read(self, upstream: UpstreamPort) -> None:
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
            # The end of an item's audio may be all that came.
            self._page.audio_came()

    async def _write_upstream(self) -> None:
        while True:
            await self._upstream_wake.wait()
            self._upstream_wake.clear()
            while self._upstream is not None and self._to_upstream:
                try:
                    await self._upstream.send(self._to_upstream.take())
                except UpstreamError:
                    # The reader meets the same end and knows the reason.
                    break

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
        elif self._to_upstream.overfull:
            self.stop("upstream")
        elif self._core.end is None:
            if self._microphones.settle():
                self._upstream_wake.set()
            self._microphone = self._microphones.way
            self._arm()

    def _on_send_upstream(self, effect: SendUpstream) -> None:
        self._to_upstream.put(effect.event)
        self._upstream_wake.set()

    def _on_send_page(self, effect: SendPage) -> None:
        self._page.message(effect.message)

    def _on_start_tool(self, effect: StartTool) -> None:
        self._tools.start(effect)

    def _on_cancel_tool(self, effect: CancelTool) -> None:
        self._tools.cancel(effect.call_id)

    def _on_check_text(self, effect: CheckText) -> None:
        self._checks.start(effect.check)

    def _on_record(self, effect: Record) -> None:
        self._recorder.record(effect.fact)

    def _on_note(self, effect: Note) -> None:
        logger.warning(
            "A session met something odd: %s (session %s)",
            effect.kind,
            self._config.session_id,
        )

    def _on_prepare(self, _effect: Prepare) -> None:
        def told(spare: UpstreamPort | None) -> None:
            succeeded = spare is not None
            self._apply(self._core.prepared(self._now(), succeeded=succeeded))

        self._dialler.prepare(told)

    def _on_redial(self, _effect: Redial) -> None:
        self._leave()
        if self._reading is not None:
            self._reading.cancel()

    def _tool_finished(self, call_id: str, outcome: Outcome) -> None:
        self._apply(self._core.tool_finished(call_id, outcome, self._now()))

    def _tripped(self, check: Check, name: str) -> None:
        self._apply(self._core.guardrail_tripped(check, name, self._now()))

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
            await asyncio.gather(self._tools.end(), self._checks.end())
        finally:
            self._dialler.leave(self._upstream)
            await self._dialler.end()

    def _name(self, part: str) -> str:
        return f"realtime {part} {self._config.session_id}"
