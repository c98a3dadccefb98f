"""The engine's state machine on a bench: no loop, no threads, a clock by hand."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

from realtime_widget.engine.conversation.core import Conversation, SessionOptions
from realtime_widget.engine.conversation.work import Close, Reply, Speak, Transcribe
from tests.fakes import schema
from tests.fakes.engine import MS_BYTES, LoudVad, loud

FRAME_MS = 20


class Machine:
    """One session whose work the test does itself.

    Every event it sends is checked against the published schema and against what the
    strictest official parsers demand beyond it.
    """

    def __init__(self, *, hears=True, speaks=True, spoken=(), **options):
        self.now_s = 100.0
        self.ids = 0
        self.work = []
        self.events = []
        self.talk = Conversation(
            make_vad=LoudVad if hears else None,
            speaks=speaks,
            spoken=spoken,
            options=SessionOptions(**options),
            new_id=self._new_id,
            now_s=self.now_s,
            now_unix_s=1_800_000_000.5,
        )
        self._drain()

    def _new_id(self, prefix):
        self.ids += 1
        return f"{prefix}_{self.ids}"

    def _drain(self):
        sent, work = self.talk.take()
        fresh = [json.loads(event) for event in sent]
        for event in fresh:
            schema.check("server", event)
            demand_of_strict_parsers(event)
        self.events += fresh
        self.work += work
        return fresh

    # --- the client ---

    def send(self, kind, **fields):
        """Send one client event; return what came back."""
        event = {"type": kind, **fields}
        self.talk.receive(json.loads(json.dumps(event)), self.now_s)
        return self._drain()

    def update(self, **session):
        return self.send("session.update", session={"type": "realtime", **session})

    def listen(self, **turn_detection):
        """Configure turn detection."""
        return self.update(audio={"input": {"turn_detection": turn_detection}})

    def type_text(self, text, **fields):
        item = user_text(text)
        return self.send("conversation.item.create", item=item, **fields)

    def append(self, pcm, frame_ms=FRAME_MS):
        """Append audio as a microphone would; return what came back."""
        fresh = []
        for at in range(0, len(pcm), frame_ms * MS_BYTES):
            self.talk.append(pcm[at : at + frame_ms * MS_BYTES], self.now_s)
            fresh += self._drain()
        return fresh

    # --- the work ---

    def take_work(self, kind):
        """Return the only open work of a kind."""
        (found,) = (work for work in self.work if isinstance(work, kind))
        self.work.remove(found)
        return found

    def reply(self, *pieces, end=True):
        """Answer as the dialogue: texts, and (name, arguments) for calls."""
        response_id = self.take_work(Reply).response_id
        for piece in pieces:
            if isinstance(piece, str):
                self.talk.said(response_id, piece, self.now_s)
            else:
                self.talk.called(response_id, *piece, self.now_s)
        if end:
            self.talk.replied(response_id, self.now_s)
        self._drain()
        return response_id

    def speak(self, duration_ms=1000, *, end=True):
        """Say the sentence that is asked for; return the work."""
        work = self.take_work(Speak)
        if duration_ms:
            self.talk.spoken(work.response_id, loud(duration_ms), self.now_s)
        if end:
            self.talk.sentence_done(work.response_id, self.now_s)
        self._drain()
        return work

    def hear(self, words):
        """Recognise what is asked for; return the work."""
        work = self.take_work(Transcribe)
        self.talk.recognised(work.work_id, words, self.now_s)
        self._drain()
        return work

    def wait(self, seconds):
        """Let time pass, waking the machine when it asks for it."""
        until_s = self.now_s + seconds
        fresh = []
        while self.talk.wake_s <= until_s and not self.asked_for(Close):
            self.now_s = max(self.now_s, self.talk.wake_s)
            self.talk.tick(self.now_s)
            fresh += self._drain()
        self.now_s = until_s
        return fresh

    def asked_for(self, kind):
        return [work for work in self.work if isinstance(work, kind)]

    # --- what was seen ---

    def forget(self):
        """Look only at what comes from now on."""
        self.events.clear()

    @property
    def names(self):
        return [event["type"] for event in self.events]

    def last(self, kind):
        return next(e for e in reversed(self.events) if e["type"] == kind)

    def all(self, kind):
        return [event for event in self.events if event["type"] == kind]

    def error(self):
        """Return the only error."""
        (error,) = self.all("error")
        return error["error"]

    def audio_ms(self):
        deltas = self.all("response.output_audio.delta")
        return sum(len(b64decode(e["delta"])) for e in deltas) // MS_BYTES


def demand_of_strict_parsers(event):
    """Fail for what official parsers reject though the schema allows it."""
    assert event["event_id"], event["type"]
    for item in (event.get("item"), *(event.get("response") or {}).get("output", ())):
        for name in ("status", "call_id", "name"):
            assert item is None or item.get(name, "") is not None, (event["type"], name)
    response = event.get("response") or {}
    if response.get("usage"):
        assert response["usage"]["input_tokens"] is not None
    if "audio" in response:
        assert isinstance(response["audio"]["output"]["voice"], str)
    if event["type"].startswith("session."):
        assert event["session"]["type"] in ("realtime", "transcription")
        for side in event["session"]["audio"].values():
            form = side["format"]
            assert form["type"] != "audio/pcm" or form["rate"] == 24_000
    if event["type"].endswith("transcription.failed"):
        assert "param" not in event["error"]


def user_text(text, **fields):
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content, **fields}


def base64(pcm):
    return b64encode(pcm).decode()
