"""The state machine of one session: events in, effects out.

No asyncio, no clock, no socket: the bridge feeds it what happened together with the
time, and carries out the effects it returns. What each event of the model's side
means is in ``upstream_events``, by table; here are the session's start and end, the
page's messages, the limits and the state the page is shown.

Source: Realtime API (GA), session object and order of events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from realtime_widget import __version__
from realtime_widget.exceptions import ProtocolError
from realtime_widget.protocol.browser import State, StopReason
from realtime_widget.session import composing, fields
from realtime_widget.session.answers import Answers
from realtime_widget.session.config import SessionConfig
from realtime_widget.session.effects import Effect, Effects, Note, Stop
from realtime_widget.session.ending import CLOSE_CODES, ERROR_CODES
from realtime_widget.session.page_messages import HANDLERS as PAGE_HANDLERS
from realtime_widget.session.ports import SessionEnd, StartedFact
from realtime_widget.session.tools import Outcome, ToolCalls
from realtime_widget.session.transcript import Transcript
from realtime_widget.session.turns import Turns
from realtime_widget.session.upstream_events import HANDLERS as UPSTREAM_HANDLERS
from realtime_widget.session.upstream_events import IGNORED

# A server that does not answer session.update is believed to have taken it.
UPDATE_S: Final = 3.0
# While the agent is heard, the end of its answer and a stall are looked for so often.
WATCH_S: Final = 1.0
# A running response of which nothing comes for so long is given up.
RESPONSE_SILENT_S: Final = 30.0
# Typed before the model's side is ready.
EARLY_MESSAGES: Final = 10


class SessionCore:
    """One session.

    Args:
        config: Everything the session is made of.

    Attributes:
        counters: How often each odd thing happened.
        started: Whether the page was told that the session has started.
    """

    def __init__(self, config: SessionConfig) -> None:
        self.config = config
        self.effects = Effects(config.error_messages)
        self.transcript = Transcript(self.effects, agent=config.agent.name)
        self.turns = Turns(self.effects)
        self.answers = Answers(self.effects, config, self.transcript, self.turns)
        self.tools = ToolCalls(
            self.effects,
            tools=composing.offered_tools(config),
            limits=config.limits,
        )
        self.counters: Counter[str] = Counter()
        self.started = False
        self.created = False
        self.provider_session_id = ""
        self.update_id = ""
        self.refusals = 0
        self.session: dict[str, Any] = composing.session_object(config)
        self._state: State | None = None
        self._early: list[Mapping[str, Any]] = []
        self._open_until_s: float | None = None
        self._started_s = 0.0
        self._active_s = 0.0
        self._upstream_s = 0.0
        self._end: SessionEnd | None = None

    @property
    def end(self) -> SessionEnd | None:
        """Return how the session ended, None while it lives."""
        return self._end

    # --- start ---------------------------------------------------------------

    def opening(self, now_s: float) -> list[Effect]:
        """Begin: the connection to the model's side is being made."""
        self._open_until_s = now_s + self.config.limits.upstream_open_s
        return self._done(now_s)

    def upstream_created(self, provider_session_id: str, now_s: float) -> None:
        """Configure the session that the model's side has made."""
        if self.created:
            return
        self.created = True
        self.provider_session_id = provider_session_id
        self._open_until_s = now_s + UPDATE_S
        self.send_update()

    def send_update(self) -> None:
        """Send the session's configuration upstream."""
        self.update_id = f"session_update_{self.refusals + 1}"
        self.effects.upstream(
            composing.session_update(self.session, event_id=self.update_id)
        )

    def start(self, now_s: float) -> None:
        """Tell the page that it may talk; idempotent."""
        if self.started:
            return
        config = self.config
        self.started = True
        self._open_until_s = None
        self._started_s = now_s
        self.effects.record(StartedFact(config.model, self.provider_session_id))
        self.effects.page(
            "session.started",
            session_id=config.session_id,
            resume="",
            agent=config.agent.name,
            audio={"format": config.audio.name, "rate_hz": config.audio.rate_hz},
            turn_detection=config.turn_detection.kind,
            max_session_s=config.limits.max_session_s,
            version=__version__,
        )
        if config.greeting:
            self.turns.want_response(
                now_s, **composing.greeting_response(config.greeting)
            )
        early, self._early = self._early, []
        for message in early:
            self._page_message(message, now_s)

    # --- inputs --------------------------------------------------------------

    def upstream_event(self, event: Mapping[str, Any], now_s: float) -> list[Effect]:
        """Take one event of the model's side."""
        if self._end is not None:
            return []
        self._upstream_s = now_s
        kind = fields.optional_text(event, "type")
        handler = UPSTREAM_HANDLERS.get(kind)
        if handler is not None:
            try:
                handler(self, event, now_s)
            except ProtocolError:
                self.count("malformed_event")
        elif kind not in IGNORED:
            self.count("unknown_event" if kind else "malformed_event")
        return self._done(now_s)

    def audio(
        self, item_id: str, response_id: str, audio: bytes, now_s: float
    ) -> list[Effect]:
        """Take a piece of an answer's audio. HOT: no effects but for the first."""
        if self._end is not None:
            return []
        self._active_s = self._upstream_s = now_s
        if self.answers.audio(item_id, response_id, audio, now_s):
            return self._done(now_s)
        return self.effects.take()

    def page_message(self, message: Mapping[str, Any], now_s: float) -> list[Effect]:
        """Take one message of the page; its type is known to the protocol."""
        if self._end is None:
            self._page_message(message, now_s)
        return self._done(now_s)

    def tool_finished(
        self, call_id: str, outcome: Outcome, now_s: float
    ) -> list[Effect]:
        """Take the outcome of a tool's task."""
        if self._end is None:
            self.tools.finished(call_id, outcome, now_s)
        return self._done(now_s)

    def tick(self, now_s: float) -> list[Effect]:
        """Do what is due by the clock."""
        if self._end is not None:
            return []
        self.turns.tick(now_s)
        self.tools.tick(now_s)
        self.answers.tick(now_s)
        self._check_limits(now_s)
        return self._done(now_s)

    def next_deadline_s(self, now_s: float) -> float | None:
        """Return when ``tick`` is to be called, None when never."""
        if self._end is not None:
            return None
        deadlines = [
            self._open_until_s,
            self.turns.next_deadline_s(),
            self.tools.next_deadline_s(),
            self.answers.next_deadline_s(),
        ]
        if self.started:
            deadlines.append(self._started_s + self.config.limits.max_session_s)
            deadlines.append(self._idle_until_s())
        if self.turns.active_id:
            deadlines.append(self._upstream_s + RESPONSE_SILENT_S)
        if self.answers.playback.active(now_s):
            deadlines.append(self.answers.playback.look_again_s(now_s, WATCH_S))
        return min((d for d in deadlines if d is not None), default=None)

    def malformed_event(self, now_s: float) -> list[Effect]:
        """Count an event of the model's side that is none."""
        self.count("malformed_event")
        return self._done(now_s)

    def code_of_loss(self, code: str) -> str:
        """Return what losing the connection means.

        A server that sends an error and closes before the session is there has
        refused it.
        """
        refused = not self.created and self.counters["upstream_error"] > 0
        return "upstream_refused" if refused and code == "upstream_lost" else code

    def count(self, kind: str) -> None:
        """Count something odd, and have its first time logged."""
        self.counters[kind] += 1
        if self.counters[kind] == 1:
            self.effects.add(Note(kind))

    # --- end -----------------------------------------------------------------

    def stop(self, reason: StopReason, error_code: str, now_s: float) -> list[Effect]:
        """End the session; only the first call counts.

        What was said and called so far is recorded, and the page is told.

        Args:
            reason: Why.
            error_code: Code of the error table; "" for what the reason implies.
            now_s: The time.
        """
        if self._end is not None:
            return []
        error_code = error_code or ERROR_CODES[reason]
        duration_s = now_s - self._started_s if self.started else 0.0
        self.answers.end(now_s)
        self.transcript.end()
        self.tools.cancel_all(now_s)
        if error_code:
            self.effects.error(error_code)
        self.effects.page(
            "session.stopped", reason=reason, duration_s=round(duration_s, 3)
        )
        self._end = SessionEnd(reason, duration_s, CLOSE_CODES[reason], error_code)
        return [e for e in self.effects.take() if not isinstance(e, Stop)]

    # --- inside --------------------------------------------------------------

    def _page_message(self, message: Mapping[str, Any], now_s: float) -> None:
        kind = str(message.get("type"))
        handler: Callable[[SessionCore, Mapping[str, Any], float], None] | None
        handler = PAGE_HANDLERS.get(kind)
        if handler is None:
            self.effects.error("forbidden")
            return
        if kind == "message" and not self.started:
            if len(self._early) < EARLY_MESSAGES:
                self._early.append(message)
            return
        try:
            handler(self, message, now_s)
        except ProtocolError as exc:
            self.effects.error(exc.code)

    def note_activity(self, now_s: float) -> None:
        """Put off the end for silence: somebody said or typed something."""
        self._active_s = now_s

    def _idle_until_s(self) -> float:
        heard_s = self.answers.playback.end_s()
        last_s = max(self._started_s, self._active_s, heard_s)
        return last_s + self.config.limits.idle_s

    def _check_limits(self, now_s: float) -> None:
        limits = self.config.limits
        if self._open_until_s is not None and now_s >= self._open_until_s:
            if self.created:
                self.start(now_s)
            else:
                self.effects.add(Stop("upstream", "upstream_unreachable"))
        if not self.started:
            return
        silent_s = now_s - self._upstream_s
        if self.turns.active_id and silent_s >= RESPONSE_SILENT_S:
            self.answers.abandon(now_s)
            self.effects.error("response_failed")
        if self.turns.speaking or self.turns.active_id or self.tools.busy:
            self._active_s = now_s
        if now_s >= self._started_s + limits.max_session_s:
            self.effects.add(Stop("time_limit"))
            return
        silent = now_s >= self._idle_until_s()
        if silent or self.answers.playback.stalled(now_s):
            self.effects.add(Stop("idle"))

    def _done(self, now_s: float) -> list[Effect]:
        """Finish an input: go on after tools, and show a changed state."""
        if self._end is None:
            if self.tools.take_answered():
                self.turns.want_response(now_s)
            state = self._current_state(now_s)
            if state != self._state:
                self._state = state
                self.effects.page("state", state=state)
        return self.effects.take()

    def _current_state(self, now_s: float) -> State:
        if not self.started:
            return "connecting"
        heard = self.answers.playback.active(now_s)
        if self.turns.speaking and not heard:
            return "hearing"
        if heard or self.answers.writing:
            return "speaking"
        if self.turns.thinking or self.tools.busy:
            return "thinking"
        return "listening"
