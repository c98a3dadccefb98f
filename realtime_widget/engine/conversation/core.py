"""One session of the engine: a client's events in, server events and work out.

Source: Realtime API (GA), events, their order and their errors.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.conversation.answers import Answers
from realtime_widget.engine.conversation.client_events import HANDLERS
from realtime_widget.engine.conversation.items import Item, Items
from realtime_widget.engine.conversation.listening import (
    Listening,
    Recognition,
    Utterance,
)
from realtime_widget.engine.conversation.plan import make_plan
from realtime_widget.engine.conversation.rate_limits import RateLimits
from realtime_widget.engine.conversation.recognitions import Recognitions
from realtime_widget.engine.conversation.responses import Response
from realtime_widget.engine.conversation.session_defaults import SessionType
from realtime_widget.engine.conversation.session_object import SessionObject
from realtime_widget.engine.conversation.turns import Turn
from realtime_widget.engine.conversation.work import Close, Outbox, Work
from realtime_widget.engine.language_tags import among
from realtime_widget.engine.ports import Vad
from realtime_widget.exceptions import EventRefused
from realtime_widget.protocol.audio import PCM16

MAX_EVENT_ID_CHARS: Final = 512
# The documented age at which the API ends a session.
MAX_SESSION_S: Final = 3_600.0
_GOING_AWAY: Final = 1001


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What a session is given at its start.

    Attributes:
        model: The model the client asked for, "" for none. It is a name and nothing
            else: every session talks to the same parts.
        max_session_s: The age at which a session ends.
        preset: A ``session``, as in a ``session.update``, that the session begins with;
            None for the defaults.
        session_type: ``transcription`` writes down what is said and answers nothing.
        requests_per_min: Answers that may begin a minute; beyond, they fail.
        tokens_per_min: Tokens that they may use a minute.
    """

    model: str = ""
    max_session_s: float = MAX_SESSION_S
    preset: Mapping[str, Any] | None = field(default=None, repr=False)
    session_type: SessionType = "realtime"
    requests_per_min: int = 10_000
    tokens_per_min: int = 10_000_000


class Conversation:
    """The state machine.

    Every method takes what happened and the time, fills the outbox and returns; the
    driver then takes events and work with ``take`` and calls ``tick`` at ``wake_s``.

    Args:
        make_vad: Makes a detector of speech; None when the engine cannot hear.
        speaks: Whether the engine can speak.
        spoken: Primary languages it can say, empty for any.
        options: What the session is given.
        new_id: Gives a new id that begins with a word.
        now_s: The time on a clock that only goes forward.
        now_unix_s: The time of day.

    Raises:
        EventRefused: If a field of the preset is wrong.
    """

    def __init__(
        self,
        *,
        make_vad: Callable[[], Vad] | None,
        speaks: bool,
        spoken: Collection[str] = (),
        options: SessionOptions,
        new_id: Callable[[str], str],
        now_s: float,
        now_unix_s: float,
    ) -> None:
        self.outbox = Outbox(new_id)
        self._speaks = speaks
        self._spoken = spoken
        self.items = Items()
        self.session = SessionObject(
            new_id("sess"),
            session_type=options.session_type,
            model=options.model,
            expires_at_unix_s=int(now_unix_s + options.max_session_s),
            speaks=speaks,
        )
        if options.preset is not None:
            self.session.update(options.preset, voice_locked=False)
        self.listening = (
            None if make_vad is None else Listening(self.session, make_vad, self.outbox)
        )
        limits = RateLimits(
            requests_per_min=options.requests_per_min,
            tokens_per_min=options.tokens_per_min,
            now_s=now_s,
        )
        self.answers = Answers(self.items, limits, self.outbox)
        self._options = options
        self._expires_s = now_s + options.max_session_s
        self._idle_at_s: float | None = None
        self._answer_waits = False
        self._told_deaf = False
        self._closed = False
        self._recognitions = Recognitions(
            self.session, self.listening, self.items, self.outbox
        )
        self.outbox.send("session.created", session=self.session.public)

    # --- the driver's side ---------------------------------------------------

    def take(self) -> tuple[list[bytes], list[Work]]:
        """Return the events and the work since the last call."""
        return self.outbox.take()

    @property
    def wake_s(self) -> float:
        """When ``tick`` has to be called at the latest."""
        times = [self._expires_s]
        if self._idle_at_s is not None:
            times.append(self._idle_at_s)
        if self.answers.wake_s is not None:
            times.append(self.answers.wake_s)
        return min(times)

    @property
    def busy(self) -> bool:
        """Whether somebody speaks, or an answer or a turn's words are being made."""
        speaks = self.listening is not None and self.listening.speaking
        makes = self.answers.busy or self._recognitions.busy
        return speaks or makes or self._answer_waits

    def tick(self, now_s: float) -> None:
        """Do what is due by the clock."""
        if self._closed:
            return
        if now_s >= self._expires_s:
            self._expire()
            return
        self.answers.tick(now_s)
        if self._idle_at_s is not None and now_s >= self._idle_at_s:
            self._time_out(now_s)
        self._settle(now_s)

    def receive(self, event: dict[str, Any], now_s: float) -> None:
        """Take one client event; one that is refused changes nothing."""
        if self._closed:
            return
        kind, event_id = event.get("type"), event.get("event_id")
        try:
            if isinstance(event_id, str) and len(event_id) > MAX_EVENT_ID_CHARS:
                event_id = None
                raise errors.too_long(
                    "event_id", len(event["event_id"]), MAX_EVENT_ID_CHARS
                )
            handler = HANDLERS.get(kind) if isinstance(kind, str) else None
            if handler is None:
                raise (
                    errors.missing("type")
                    if kind is None
                    else errors.unknown_event(kind)
                )
            handler(self, event, now_s)
        except EventRefused as refused:
            self.outbox.send_error(refused, event_id)
        self._settle(now_s)

    def append(self, audio: bytes, now_s: float) -> None:
        """Take audio in the session's input format. HOT."""
        if self._closed:
            return
        if self.listening is None:
            if (deaf := self.deafness()) is not None:
                self.outbox.send_error(deaf)
            return
        turns = self.listening.append(audio)
        if turns:
            for turn in turns:
                self._turn(turn)
            self._settle(now_s)

    def deafness(self) -> EventRefused | None:
        """Return why audio is not taken, once: a microphone would ask for ever."""
        if self.listening is not None or self._told_deaf:
            return None
        self._told_deaf = True
        return errors.voice_unavailable()

    def refuse(self, error: EventRefused, event_id: Any = None) -> None:
        """Answer a message that is no event, or is none of this session's."""
        self.outbox.send_error(error, event_id)

    def recognised(self, work_id: str, words: str | None, now_s: float) -> None:
        """Take the end of a ``Transcribe``; None when it failed."""
        self._recognitions.ended(work_id, words)
        self._settle(now_s)

    def said(self, response_id: str, delta: str, now_s: float) -> None:
        """Take words of a ``Reply``."""
        if response := self.answers.find(response_id):
            response.said(delta, now_s)
            self._settle(now_s)

    def sounded(self, response_id: str, pcm: bytes, text: str, now_s: float) -> None:
        """Take sound of a ``Reply``, with its words."""
        if response := self.answers.find(response_id):
            response.sounded(pcm, text, now_s)
            self._settle(now_s)

    def called(self, response_id: str, name: str, arguments: str, now_s: float) -> None:
        """Take a function call of a ``Reply``."""
        if response := self.answers.find(response_id):
            response.called(name, arguments, now_s)
            self._settle(now_s)

    def replied(self, response_id: str, now_s: float) -> None:
        """Take the end of a ``Reply``."""
        if response := self.answers.find(response_id):
            response.finished(now_s)
            self._settle(now_s)

    def reply_failed(self, response_id: str, now_s: float) -> None:
        """Take the failure of a ``Reply``: what it said before is still said."""
        if response := self.answers.find(response_id):
            response.broke_off(now_s)
            self._settle(now_s)

    def spoken(self, response_id: str, pcm: bytes, now_s: float) -> None:
        """Take audio of a ``Speak``; 16-bit little-endian mono PCM at 24 kHz."""
        if self.answers.spoken(response_id, pcm, now_s):
            self._settle(now_s)

    def sentence_done(self, response_id: str, now_s: float) -> None:
        """Take the end of a ``Speak``."""
        if response := self.answers.find(response_id):
            response.sentence_done(now_s)
            self._settle(now_s)

    def work_failed(self, response_id: str, now_s: float) -> None:
        """Take the failure of a ``Speak``."""
        if response := self.answers.find(response_id):
            response.fail()
            self._settle(now_s)

    # --- what client events do -----------------------------------------------

    def configure(self, wished: Any) -> None:
        """Merge the ``session`` of a ``session.update``.

        Raises:
            EventRefused: If a field is wrong; nothing has changed then.
        """
        before = self.session.public
        self.session.update(wished, voice_locked=self.answers.voice_locked)
        if self.listening is not None:
            try:
                self.listening.configure()
            except EventRefused:
                self.session.public = before
                raise

    def respond(self, wished: Any, now_s: float) -> None:
        """Begin an answer.

        Args:
            wished: The ``response`` of a ``response.create``, None for the session's own.
            now_s: The time.

        Raises:
            EventRefused: If a field is wrong or an answer is already in progress.
        """
        plan = make_plan(
            self.session.public,
            self.items,
            wished,
            speaks=self._speaks and among(self.session.language, self._spoken),
            new_id=self.outbox.new_id,
        )
        self.answers.check(plan, self.session.public)
        self._recognitions.begin(plan.items)
        self._idle_at_s = None
        self.answers.begin(plan, now_s)

    def add_item(self, item: Item, after: str | None) -> None:
        """Place an item of the client's.

        Raises:
            EventRefused: If it cannot be placed there.
        """
        if item.waits and self.listening is None:
            raise errors.voice_unavailable()
        previous = self.items.add(item, after)
        self._announce(item, previous)
        self._recognitions.begin((item,))

    def commit(self, utterance: Utterance) -> None:
        """Make an item of what was said, and find out its words."""
        self._idle_at_s = None
        item = Item(
            {
                "id": utterance.item_id,
                "object": "realtime.item",
                "type": "message",
                "status": "completed",
                "role": "user",
                "content": [{"type": "input_audio", "transcript": None}],
            },
            transcript=None,
            audio=utterance.pcm,
            audio_ms=PCM16.duration_ms(len(utterance.pcm)),
        )
        previous = self.items.add(item)
        self.outbox.send(
            "input_audio_buffer.committed",
            previous_item_id=previous,
            item_id=item.item_id,
        )
        self._announce(item, previous)
        self._recognitions.follow(item, utterance.recognition)

    # --- turns ---------------------------------------------------------------

    def _turn(self, turn: Turn) -> None:
        listening, detection = self.listening, self.session.detection
        if listening is None or detection is None:
            return
        if turn.kind == "started":
            self._idle_at_s = None
            listening.started(turn)
            active = self.answers.active()
            if active is not None and detection.interrupt_response:
                active.cancel("turn_detected")
        elif turn.kind == "paused":
            listening.paused(turn)
        elif turn.kind == "resumed":
            listening.resumed()
        else:
            self.commit(listening.stopped(turn))
            self._answer_waits = detection.create_response

    def _announce(self, item: Item, previous: str | None) -> None:
        for name in ("conversation.item.added", "conversation.item.done"):
            self.outbox.send(name, previous_item_id=previous, item=item.public())

    # --- what follows --------------------------------------------------------

    def _settle(self, now_s: float) -> None:
        """Let go of answers that have ended and begin those that may begin."""
        for response in self.answers.settle(self.session.language, now_s):
            self._wait_for_user(response, now_s)
        if self._answer_waits and self.answers.active() is None:
            self._answer_waits = False
            try:
                self.respond(None, now_s)
            except EventRefused as refused:
                self.outbox.send_error(refused)
            self._settle(now_s)

    def _wait_for_user(self, response: Response, now_s: float) -> None:
        detection = self.session.detection
        if detection is None or detection.idle_timeout_ms is None:
            return
        if response.plan.in_conversation and self.listening is not None:
            wait_s = detection.idle_timeout_ms / 1000
            self._idle_at_s = response.plays_until_s(now_s) + wait_s

    def _time_out(self, now_s: float) -> None:
        """Answer silence, when nobody speaks on either side."""
        self._idle_at_s = None
        listening, detection = self.listening, self.session.detection
        if listening is None or detection is None or listening.speaking:
            return
        if self.answers.active() is not None or detection.idle_timeout_ms is None:
            return
        item_id = self.outbox.new_id("item")
        self.outbox.send(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=max(0, listening.written_ms - detection.idle_timeout_ms),
            audio_end_ms=listening.written_ms,
            item_id=item_id,
        )
        silence = Recognition("", done=True, words="")
        self.commit(Utterance(item_id, b"", silence))
        self._answer_waits = True

    def _expire(self) -> None:
        expired = errors.session_expired(self._options.max_session_s / 60)
        self.outbox.send_error(expired)
        self.close(_GOING_AWAY, str(expired))

    def close(self, code: int, reason: str) -> None:
        """End the session; nothing is taken any more."""
        self._closed = True
        self.outbox.ask(Close(code, reason))
