"""One session of a model's server, as the protocol has it, without a clock or a socket.

It takes client events one by one and leaves what it says in ``says``; the test decides
when either side gets what is under way. What it is asked that no correct client would
ask is kept in ``faults``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import count

MS = 48  # bytes of one millisecond of PCM16 at 24 kHz


@dataclass
class Response:
    """One response that runs.

    Attributes:
        chunks: What it will still say, each a list of events.
        covers: What it answers: words and calls that were there when it began.
    """

    id: str
    chunks: deque
    covers: frozenset
    ends: str = "completed"


@dataclass
class Item:
    """One item of the conversation.

    Attributes:
        key: Words of the visitor, or a call's id; "" for all else.
        audio_ms: How much of it was said.
    """

    kind: str
    key: str = ""
    audio_ms: int = 0


@dataclass
class Remote:
    """A session of the model.

    Args:
        number: Distinguishes its ids from those of other sessions.
        scripts: What the responses do, one after the other.
        names_events: Whether errors say which client event they belong to.
        interrupts: Whether speech stops a running response.

    Attributes:
        configured: Whether it was told who it is.
        own: Whether it will answer what was said by itself.
        raced: Whether it has begun a response that it was not asked for.
        unwritten: What was said and is not written down: item and words.
    """

    number: int
    scripts: deque
    names_events: bool = True
    interrupts: bool = True
    says: deque = field(default_factory=deque)
    faults: list = field(default_factory=list)
    items: dict = field(default_factory=dict)
    responses: dict = field(default_factory=dict)
    active: Response | None = None
    configured: bool = False
    speaking: str = ""
    own: bool = False
    raced: bool = False
    heard_ms: int = 0
    unwritten: deque = field(default_factory=deque)
    outputs: set = field(default_factory=set)

    def __post_init__(self):
        self._ids = count(1)
        self.say("session.created", session={"type": "realtime", "id": self.new("s")})

    def new(self, kind):
        return f"{kind}_{self.number}_{next(self._ids)}"

    def say(self, kind, **fields):
        self.says.append({"type": kind, "event_id": self.new("event"), **fields})

    # --- what the client asks

    def take(self, event):
        """Take one client event."""
        getattr(self, "_" + event["type"].replace(".", "_"))(event)

    def _session_update(self, event):
        self.configured = True
        self.say("session.updated", session={"type": "realtime"})

    def _conversation_item_create(self, event):
        item = event["item"]
        item_id = item.get("id") or self.new("item")
        if item_id in self.items:
            self.faults.append(f"{item_id} was added twice")
        kind, key = item["type"], ""
        if kind == "message" and item["role"] == "user":
            key = item["content"][0]["text"]
        elif kind == "function_call":
            key = item["call_id"]
        elif kind == "function_call_output":
            key = item["call_id"]
            if key in self.outputs:
                self.faults.append(f"{key} was answered twice")
            if Item("function_call", key) not in self.items.values():
                self.faults.append(f"{key} was answered without being called")
            self.outputs.add(key)
            key = f"answer to {key}"
        self._add(item_id, Item(kind, key), {**item, "id": item_id})

    def _response_create(self, event):
        if self.active is not None:
            if not self.raced:
                self.faults.append(f"asked while {self.active.id} ran")
            self.refuse("conversation_already_has_active_response", event)
        else:
            self.begin()

    def _response_cancel(self, event):
        if self.active is None or event.get("response_id") not in (
            None,
            self.active.id,
        ):
            self.refuse("response_cancel_not_active", event)
        else:
            self._cut_off("client_cancelled")

    def _conversation_item_truncate(self, event):
        item = self.items.get(event["item_id"])
        if item is None:
            self.faults.append(f"{event['item_id']} is none of this session")
            self.refuse("item_truncate_invalid_item_id", event)
        elif not 0 < event["audio_end_ms"] <= item.audio_ms:
            self.faults.append(f"truncated at {event['audio_end_ms']} ms")
            self.refuse("invalid_value", event)
        else:
            fields = ("item_id", "content_index", "audio_end_ms")
            self.say(
                "conversation.item.truncated", **{name: event[name] for name in fields}
            )

    def _input_audio_buffer_append(self, event):
        self.heard_ms += len(event["audio"]) * 3 // 4 // MS

    def _input_audio_buffer_clear(self, event):
        self.heard_ms = 0
        self.say("input_audio_buffer.cleared")

    def _input_audio_buffer_commit(self, event):
        if self.heard_ms < 100:
            self.refuse("input_audio_buffer_commit_empty", event)
        else:
            self._commit(self.new("speech"))
        self.heard_ms = 0

    def refuse(self, code, event=None):
        """Answer with an error; ``event`` is what it belongs to."""
        event_id = event.get("event_id") if event and self.names_events else None
        self.say(
            "error",
            error={
                "type": "invalid_request_error",
                "code": code,
                "message": "No.",
                "param": None,
                "event_id": event_id,
            },
        )

    # --- what it does by itself

    def hear(self):
        """Hear that the visitor begins to speak."""
        self.speaking = self.new("speech")
        self.say(
            "input_audio_buffer.speech_started",
            audio_start_ms=10,
            item_id=self.speaking,
        )
        if self.active is not None and self.interrupts:
            self._cut_off("turn_detected")

    def hear_end(self):
        """Hear that the visitor has stopped."""
        item_id, self.speaking = self.speaking, ""
        self.say("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id=item_id)
        self._commit(item_id)
        self.own = True

    def answer(self):
        """Answer by itself what was said."""
        self.own, self.raced = False, True
        if self.active is not None:
            self.refuse("conversation_already_has_active_response")
        else:
            self.begin()

    def prompt(self):
        """Speak because nobody does."""
        self.raced = True
        item_id = self.new("speech")
        self.say(
            "input_audio_buffer.timeout_triggered",
            item_id=item_id,
            audio_start_ms=10,
            audio_end_ms=20,
        )
        self._commit(item_id)
        self.begin()

    def write_down(self):
        """Write down the words of the visitor that came first."""
        item_id, words = self.unwritten.popleft()
        self.say(
            "conversation.item.input_audio_transcription.completed",
            item_id=item_id,
            content_index=0,
            transcript=words,
            usage={"type": "duration", "seconds": 1},
        )

    def begin(self):
        """Begin a response to all that is there."""
        response_id = self.new("resp")
        covers = frozenset(item.key for item in self.items.values()) - {""}
        parts, ends = self.scripts.popleft() if self.scripts else ((), "completed")
        chunks = deque(
            chunk
            for part in parts
            for chunk in (
                self._spoken(response_id, part)
                if isinstance(part, int)
                else self._call(response_id, part)
            )
        )
        self.active = Response(response_id, chunks, covers, ends)
        self.responses[response_id] = self.active
        self.say("response.created", response={"id": response_id})

    def go_on(self):
        """Let the running response say a little more."""
        if self.active.chunks:
            self.active.chunks.popleft()()
        else:
            self._end(self.active.ends)

    def _commit(self, item_id):
        words = f"speech {item_id}"
        self.unwritten.append((item_id, words))
        self.say("input_audio_buffer.committed", item_id=item_id, previous_item_id=None)
        content = [{"type": "input_audio", "transcript": None}]
        self._add(
            item_id,
            Item("message", words),
            {"id": item_id, "type": "message", "role": "user", "content": content},
        )

    def _add(self, item_id, item, shown):
        before = next(reversed(self.items), None)
        self.items[item_id] = item
        for kind in ("conversation.item.added", "conversation.item.done"):
            self.say(kind, item=shown, previous_item_id=before)

    def _spoken(self, response_id, ms):
        """Return the pieces of an answer of so many ms."""
        item_id = self.new("item")
        part = {"item_id": item_id, "response_id": response_id}
        part |= {"output_index": 0, "content_index": 0}
        message = {"id": item_id, "type": "message", "role": "assistant"}

        def added():
            self._add(item_id, Item("message"), {**message, "content": []})

        def words():
            self.say("response.output_audio_transcript.delta", **part, delta="word ")
            self.items[item_id].audio_ms += ms
            self.says.append((item_id, response_id, b"\1" * ms * MS))

        def done():
            text = "word word"
            self.say("response.output_audio_transcript.done", **part, transcript=text)
            self.say("response.output_audio.done", **part)

        return [added, words, words, done]

    def _call(self, response_id, name):
        """Return the pieces of a tool call."""
        item_id, call_id = self.new("item"), self.new("call")
        item = {"id": item_id, "type": "function_call", "call_id": call_id}
        item |= {"name": name, "arguments": "{}"}

        def added():
            self._add(item_id, Item("function_call", call_id), item)

        def done():
            self.say(
                "response.output_item.done",
                output_index=0,
                response_id=response_id,
                item={**item, "status": "completed"},
            )

        return [added, done]

    def _cut_off(self, _reason):
        self.active.chunks.clear()
        self._end("cancelled")

    def _end(self, status):
        response = {"id": self.active.id, "status": status}
        if status == "failed":
            error = {"type": "server_error", "code": "server_error"}
            response["status_details"] = {"type": "failed", "error": error}
        self.active = None
        self.say("response.done", response=response)
