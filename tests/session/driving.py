"""Driving the state machine by hand: time is a number, effects are lists."""

from __future__ import annotations

from realtime_widget.session.config import AgentSpec, SessionConfig, ToolSpec
from realtime_widget.session.core import SessionCore
from realtime_widget.session.effects import (
    CancelTool,
    Note,
    Record,
    SendPage,
    SendUpstream,
    StartTool,
    Stop,
)
from realtime_widget.session.ports import ErrorFact
from tests.fakes.schema import check

MS = 48  # bytes of one millisecond of PCM16 at 24 kHz


def tool(name="lookup", **fields):
    """Return a tool without parameters."""
    return ToolSpec(name, "Look it up.", {"type": "object", "properties": {}}, **fields)


def config(**fields):
    """Return a configuration of an agent named Ann."""
    tools = fields.pop("tools", ())
    agent = AgentSpec("Ann", "Be kind.", voice="marin", tools=tuple(tools))
    return SessionConfig("session-1", fields.pop("agent", agent), **fields)


class Talk:
    """A core with its clock and everything it wanted done."""

    def __init__(self, *, started=True, **fields):
        self.core = SessionCore(config(**fields))
        self.now = 100.0
        self.effects = []
        self._events = 0
        self.take(self.core.opening(self.now))
        if started:
            self.start()

    def start(self):
        self.event("session.created", session={"type": "realtime", "id": "sess_1"})
        self.event("session.updated", session={"type": "realtime"})
        return self.clear()

    def take(self, effects):
        for effect in effects:
            if isinstance(effect, SendUpstream):
                check("client", effect.event)
        self.effects.extend(effects)

    def event(self, kind, **fields):
        """Feed a server event, which must be a valid one."""
        self._events += 1
        event = {"type": kind, "event_id": f"event_{self._events}", **fields}
        check("server", event)
        self.raw(event)

    def raw(self, event):
        self.take(self.core.upstream_event(event, self.now))

    def page(self, kind, **fields):
        self.take(self.core.page_message({"type": kind, **fields}, self.now))

    def finish_tool(self, call_id, outcome):
        self.take(self.core.tool_finished(call_id, outcome, self.now))

    def after(self, seconds):
        """Let time pass, calling ``tick`` at every deadline on the way."""
        until = self.now + seconds
        while not self.stops:  # the bridge ends the session at the first one
            due = self.core.next_deadline_s(self.now)
            if due is None or due > until:
                break
            assert due >= self.now, "a deadline in the past spins the loop"
            self.now = max(due, self.now + 0.001)
            self.take(self.core.tick(self.now))
        self.now = max(self.now, until)

    def play(self):
        """Let the page have everything the pace allows now."""
        pieces = []
        while (piece := self.core.answers.playback.take(self.now)) is not None:
            pieces.append(piece)
        return pieces

    def clear(self):
        effects, self.effects = self.effects, []
        return effects

    # --- what came out

    def of(self, kind):
        return [effect for effect in self.effects if isinstance(effect, kind)]

    @property
    def upstream(self):
        return [effect.event for effect in self.of(SendUpstream)]

    def sent(self, kind):
        return [event for event in self.upstream if event["type"] == kind]

    def messages(self, kind=None):
        return [
            effect.message
            for effect in self.of(SendPage)
            if kind is None or effect.message["type"] == kind
        ]

    @property
    def states(self):
        return [message["state"] for message in self.messages("state")]

    @property
    def errors(self):
        return [message["code"] for message in self.messages("error")]

    @property
    def facts(self):
        """Return what is recorded but for errors, which ``errors`` tells already."""
        facts = [effect.fact for effect in self.of(Record)]
        return [fact for fact in facts if not isinstance(fact, ErrorFact)]

    @property
    def recorded_errors(self):
        facts = [effect.fact for effect in self.of(Record)]
        return [fact.code for fact in facts if isinstance(fact, ErrorFact)]

    @property
    def stops(self):
        return [(effect.reason, effect.error_code) for effect in self.of(Stop)]

    @property
    def notes(self):
        return [effect.kind for effect in self.of(Note)]

    @property
    def started_tools(self):
        return [effect.call_id for effect in self.of(StartTool)]

    @property
    def cancelled_tools(self):
        return [effect.call_id for effect in self.of(CancelTool)]

    # --- events in short

    def response(self, response_id="resp_1"):
        self.event("response.created", response={"id": response_id})

    def done(self, response_id="resp_1", status="completed", **fields):
        self.event(
            "response.done",
            response={"id": response_id, "status": status, **fields},
        )

    def words(self, delta, item_id="item_1", response_id="resp_1"):
        self.event(
            "response.output_audio_transcript.delta",
            **self._part(item_id, response_id),
            delta=delta,
        )

    def all_words(self, text, item_id="item_1", response_id="resp_1"):
        self.event(
            "response.output_audio_transcript.done",
            **self._part(item_id, response_id),
            transcript=text,
        )

    def text(self, delta, item_id="item_1", response_id="resp_1"):
        self.event(
            "response.output_text.delta",
            **self._part(item_id, response_id),
            delta=delta,
        )

    def all_text(self, text, item_id="item_1", response_id="resp_1"):
        self.event(
            "response.output_text.done", **self._part(item_id, response_id), text=text
        )

    def audio(self, ms, item_id="item_1", response_id="resp_1"):
        self.take(self.core.audio(item_id, response_id, b"\1" * ms * MS, self.now))

    def audio_done(self, item_id="item_1", response_id="resp_1"):
        self.event("response.output_audio.done", **self._part(item_id, response_id))

    def speech(self, at_ms=500, item_id="user_1"):
        self.event(
            "input_audio_buffer.speech_started", audio_start_ms=at_ms, item_id=item_id
        )

    def silence(self, at_ms=1500, item_id="user_1"):
        self.event(
            "input_audio_buffer.speech_stopped", audio_end_ms=at_ms, item_id=item_id
        )

    def spoken(self, item_id="user_1", previous_item_id=None):
        self.added(
            item_id,
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_audio", "transcript": None}],
            },
            previous_item_id,
        )

    def transcribed(self, text, item_id="user_1", usage=None):
        self.event(
            "conversation.item.input_audio_transcription.completed",
            item_id=item_id,
            content_index=0,
            transcript=text,
            usage=usage or {"type": "duration", "seconds": 2},
        )

    def added(self, item_id, item, previous_item_id=None):
        self.event(
            "conversation.item.added",
            item={"id": item_id, **item},
            previous_item_id=previous_item_id,
        )

    def call(self, call_id="call_1", name="lookup", arguments="{}", **fields):
        response_id = fields.pop("response_id", "resp_1")
        self.event(
            "response.output_item.done",
            output_index=0,
            response_id=response_id,
            item={
                "id": f"item_{call_id}",
                "type": "function_call",
                "status": "completed",
                "call_id": call_id,
                "name": name,
                "arguments": arguments,
                **fields,
            },
        )

    def error(self, code=None, *, event_id=None, param=None):
        self.event(
            "error",
            error={
                "type": "invalid_request_error",
                "code": code,
                "message": "secret words of the server",
                "param": param,
                "event_id": event_id,
            },
        )

    @staticmethod
    def _part(item_id, response_id):
        return {
            "item_id": item_id,
            "response_id": response_id,
            "output_index": 0,
            "content_index": 0,
        }
