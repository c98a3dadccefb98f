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
from typing import Any, Final, Literal

from realtime_widget.exceptions import ProtocolError
from realtime_widget.protocol.browser import State, StopReason
from realtime_widget.session import composing, fields
from realtime_widget.session.answers import Answers
from realtime_widget.session.changes import Changes
from realtime_widget.session.config import AgentSpec, SessionConfig
from realtime_widget.session.effects import (
    Check,
    Effect,
    Effects,
    Note,
    SendUpstream,
    Stop,
)
from realtime_widget.session.ending import CLOSE_CODES, ERROR_CODES, Goodbye
from realtime_widget.session.guardrails import Guardrails
from realtime_widget.session.handoffs import hand_over, serve
from realtime_widget.session.introducing import introduce
from realtime_widget.session.item_log import ItemLog
from realtime_widget.session.lifetime import Lifetime
from realtime_widget.session.page_messages import HANDLERS as PAGE_HANDLERS
from realtime_widget.session.ports import SessionEnd, StartedFact
from realtime_widget.session.presence import Presence
from realtime_widget.session.renewal import Renewal
from realtime_widget.session.spending import Spending
from realtime_widget.session.talk_key import TalkKey
from realtime_widget.session.tool_values import Outcome
from realtime_widget.session.tools import ToolCalls
from realtime_widget.session.transcript import Transcript
from realtime_widget.session.turns import Turns
from realtime_widget.session.unseen import Unseen
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
        self.spending = Spending(self.effects, config)
        self.items = ItemLog()
        self.unseen = Unseen()
        self.turns = Turns(self.effects, self.unseen)
        self.answers = Answers(self.effects, config, self.transcript, self.turns)
        self.talk_key = TalkKey(self.effects, config.audio)
        self.tools = ToolCalls(
            self.effects,
            limits=config.limits,
            unseen=self.unseen,
            language=config.language,
        )
        self.agent = config.agent
        self.handoffs = 0
        self.guardrails = Guardrails(
            self.effects, config.agent.guardrails, config.guardrail_debounce_chars
        )
        serve(self, config.agent)
        self.renewal = Renewal(config.limits.reconnect_s, config.limits.rotate_s)
        self.presence = Presence()
        self.counters: Counter[str] = Counter()
        self.started = False
        self.created = False
        self.provider_session_id = ""
        self.update_id = ""
        self.refusals = 0
        self.takes_mcp = True
        self.session: dict[str, Any] = composing.session_object(config)
        self.changes = Changes()
        self._state: State | None = None
        self._early: list[Mapping[str, Any]] = []
        self._open_until_s: float | None = None
        self._goodbye = Goodbye()
        self.lifetime = Lifetime(self.effects, config.limits)
        self._upstream_s = 0.0
        self._end: SessionEnd | None = None

    @property
    def end(self) -> SessionEnd | None:
        """Return how the session ended, None while it lives."""
        return self._end

    @property
    def listens(self) -> Literal["no", "always", "held"]:
        """Return what becomes of the visitor's audio now.

        ``held`` is audio of a turn that a key has begun.
        """
        config = self.config
        over = self.presence.away or self._end is not None
        if config.text_only or not self.started or over:
            return "no"
        if config.turn_detection.kind == "none":
            if self.renewal.under_way:
                return "no"
            return "held" if self.talk_key.held else "no"
        deaf = config.half_duplex and self._state == "speaking"
        return "no" if deaf else "always"

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
        self.renewal.created(now_s)
        self.send_update()

    def send_update(self) -> None:
        """Send the session's configuration upstream."""
        self.update_id = f"session_update_{self.refusals + 1}"
        event = composing.session_update(self.session, event_id=self.update_id)
        self.effects.add(SendUpstream(event))  # first of all, never kept back

    def await_upstream(self, until_s: float) -> None:
        """Wait for another session of the model, configured as this one is now."""
        self.changes.taken(self)
        self.unseen.clear()
        self.created = False
        self._open_until_s = until_s

    def start(self, now_s: float) -> None:
        """Tell the page that it may talk, or the new session what was said; idempotent."""
        self._open_until_s = None
        if self.renewal.under_way:
            self.renewal.ready(self, now_s)
        if self.started:
            return
        config = self.config
        self.started = True
        self.lifetime.start(now_s)
        for one in config.history:
            # As a typed message is confirmed, but neither shown nor recorded again.
            item_id = self.transcript.next_typed_id()
            self.renewal.remember(item_id, one.role, one.text)
            self.effects.upstream(composing.message_item(item_id, one.role, one.text))
        self.effects.record(StartedFact(config.model, self.provider_session_id))
        introduce(self)
        if config.greeting and not config.resumed:
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
        self._upstream_s = now_s
        self.lifetime.lives(now_s)
        if self.answers.audio(item_id, response_id, audio, now_s):
            return self._done(now_s)
        return self.effects.take()

    def page_message(self, message: Mapping[str, Any], now_s: float) -> list[Effect]:
        """Take one message of the page; its type is known to the protocol."""
        if self._end is None:
            self._page_message(message, now_s)
        return self._done(now_s)

    def page_left(self, now_s: float) -> list[Effect]:
        """Go on without a page: it has gone, and may come back."""
        if self._end is None:
            self.presence.leave(self, now_s)
        return self._done(now_s)

    def page_returned(self, now_s: float) -> list[Effect]:
        """Go on with a page again: the same, or another one of the same visitor."""
        if self._end is None:
            self._state = None
            self.presence.come_back(self, now_s)
        return self._done(now_s)

    def tool_finished(
        self, call_id: str, outcome: Outcome, now_s: float
    ) -> list[Effect]:
        """Take the outcome of a tool's task."""
        if self._end is None:
            if outcome.guardrail:
                check = Check("arguments", "", (), call_id)
                self.guardrails.tell(check, outcome.guardrail)
            self.tools.finished(call_id, outcome, now_s)
        return self._done(now_s)

    def update_agent(self, agent: AgentSpec, now_s: float) -> list[Effect]:
        """Let another agent go on, or the same one with other instructions or tools."""
        if self._end is None:
            hand_over(self, agent)
        return self._done(now_s)

    def guardrail_tripped(self, check: Check, name: str, now_s: float) -> list[Effect]:
        """Take what the check of a text has found."""
        if self._end is None:
            self.guardrails.tripped(self, check, name, now_s)
        return self._done(now_s)

    def lost(self, now_s: float) -> list[Effect] | None:
        """Take that the connection to the model's side is gone.

        Returns:
            None when the session cannot go on over another one.
        """
        if self._end is not None or not self.renewal.lost(self, now_s):
            return None
        return self._done(now_s)

    def prepared(self, now_s: float, *, succeeded: bool) -> list[Effect]:
        """Take whether there is another connection to change to."""
        if self._end is None:
            self.renewal.prepared(self, now_s, succeeded=succeeded)
        return self._done(now_s)

    def tick(self, now_s: float) -> list[Effect]:
        """Do what is due by the clock."""
        if self._end is not None:
            return []
        self.renewal.tick(self, now_s)
        self.presence.tick(self, now_s)
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
            self._goodbye.until_s,
            self.renewal.next_deadline_s(),
            self.presence.next_deadline_s(),
            self.turns.next_deadline_s(),
            self.tools.next_deadline_s(),
            self.answers.next_deadline_s(),
        ]
        if self.started:
            deadlines += self.lifetime.deadlines(self.answers.playback.end_s())
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

    def drain(
        self,
        within_s: float,
        now_s: float,
        reason: StopReason = "draining",
        words: str = "",
    ) -> list[Effect]:
        """End in the next silence.

        Args:
            within_s: The session ends so soon even in the middle of an answer; asked
                again, the earlier time holds.
            now_s: The time.
            reason: One of the browser protocol's stop reasons.
            words: For the visitor, "" for those of the reason.
        """
        self._goodbye.plan(now_s + within_s, reason, words)
        return self._done(now_s)

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
        duration_s = self.lifetime.duration_s(now_s)
        self.answers.end(now_s)
        self.transcript.end()
        self.tools.cancel_all(now_s)
        if error_code:
            self.effects.error(error_code, self._goodbye.words_for(reason))
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

    def _check_limits(self, now_s: float) -> None:
        if self._open_until_s is not None and now_s >= self._open_until_s:
            if self.created:
                self.start(now_s)
            else:
                lost = self.started
                code = "upstream_lost" if lost else "upstream_unreachable"
                self.effects.add(Stop("upstream", code))
        if not self.started:
            return
        silent_s = now_s - self._upstream_s
        if self.turns.active_id and silent_s >= RESPONSE_SILENT_S:
            self.answers.abandon(now_s)
            self.effects.error("response_failed")
        if self.turns.speaking or self.turns.active_id or self.tools.busy:
            self.lifetime.lives(now_s)
        playback = self.answers.playback
        ends = self.lifetime.check(playback.end_s(), now_s)
        if not ends and playback.stalled(now_s):
            self.effects.add(Stop("idle"))

    def _done(self, now_s: float) -> list[Effect]:
        """Finish an input: go on after tools, and show a changed state."""
        if self._end is None:
            if self.tools.take_answered(self.turns.active_id):
                self.turns.want_response(now_s)
            state = self._current_state(now_s)
            filler = self.tools.take_filler(now_s)
            silent = state == "thinking" and not self.turns.thinking
            if filler and silent and not self.presence.away:
                self.turns.want_response(now_s, **composing.greeting_response(filler))
            if state != self._state:
                self._state = state
                self.effects.page("state", state=state)
            if self._goodbye.due(state, now_s):
                self.effects.add(Stop(self._goodbye.reason))
        return self.effects.take()

    def _current_state(self, now_s: float) -> State:
        if not self.started or self.renewal.told:
            return "connecting"
        heard = self.answers.playback.active(now_s)
        if self.turns.speaking and not heard:
            return "hearing"
        if heard or self.answers.writing:
            return "speaking"
        if self.turns.thinking or self.tools.busy:
            return "thinking"
        return "listening"
