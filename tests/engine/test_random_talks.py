"""The engine's state machine against clients, parts and clocks that do anything."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, example, given, settings

from realtime_widget.engine.conversation.work import (
    Close,
    Drop,
    Reply,
    Speak,
    Transcribe,
)
from tests.engine import random_talks
from tests.engine.machine import Machine, user_text
from tests.engine.observer import Observer
from tests.engine.random_talks import SOUNDS

_REFERENCE = re.compile(r"@\d+")
_OPEN_WORK = {
    "recognised": Transcribe,
    "said": Reply,
    "called": Reply,
    "replied": Reply,
    "spoken": Speak,
    "sentence_done": Speak,
    "reply_failed": Reply,
    "work_failed": (Reply, Speak),
}


class Talk:
    """One session that does what was drawn, under the eyes of the observer."""

    def __init__(self, options):
        self.machine = Machine(**options)
        self.observer = Observer()
        self.shown = []
        self.seen = 0
        self.look()

    def look(self):
        """Show the observer what came."""
        fresh = self.machine.events[self.seen :]
        self.seen = len(self.machine.events)
        for event in fresh:
            self.observer.see(event)
            for name in ("item", "response"):
                if name in event:
                    self.shown.append(event[name]["id"])
        order = [item.item_id for item in self.machine.talk.items]
        assert self.observer.order == order
        return fresh

    @property
    def over(self):
        return self.machine.asked_for(Close)

    def act(self, what, *details):
        if what == "send":
            self.send(details[0])
        elif what == "append":
            self.machine.append(SOUNDS[details[0]], frame_ms=100)
        elif what == "wait":
            self.wait(details[0])
        else:
            self.work(what, *details)
        self.look()

    def send(self, event):
        event = self.resolve(event)
        over = self.over
        fresh = self.machine.send(event.pop("type", None), **event)
        after = event.get("previous_item_id")
        for added in fresh:
            if added["type"] == "conversation.item.added" and after:
                assert added["previous_item_id"] == (None if after == "root" else after)
                break
        failed = [e["error"] for e in fresh if e["type"] == "error"]
        assert not over or not fresh
        event_id = event.get("event_id")
        if failed and isinstance(event_id, str) and len(event_id) <= 512:
            assert event_id in [error["event_id"] for error in failed]

    def resolve(self, value):
        if isinstance(value, dict):
            return {key: self.resolve(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.resolve(inner) for inner in value]
        if value == "@said":
            return self.observer.said or "nobody"
        if isinstance(value, str) and _REFERENCE.fullmatch(value) and self.shown:
            return self.shown[int(value[1:]) % len(self.shown)]
        return value

    def work(self, what, which, *result):
        """Bring the result of some work that is open, or of none."""
        machine = self.machine
        found = machine.asked_for(_OPEN_WORK[what])
        work = found[which % len(found)] if found else None
        key = getattr(work, "work_id", getattr(work, "response_id", "nobody"))
        if work is not None and what not in ("said", "called", "spoken"):
            machine.work.remove(work)
        if what == "called":
            result = result[0]
        elif what == "spoken":
            result = (SOUNDS[result[0]],)
        getattr(machine.talk, what)(key, *result, machine.now_s)
        machine._drain()

    def wait(self, seconds):
        """Let time pass; a machine that wants to be woken at once for ever fails."""
        machine, until_s = self.machine, self.machine.now_s + seconds
        for _wake in range(1000):
            if machine.talk.wake_s > until_s or self.over:
                break
            machine.now_s = max(machine.now_s, machine.talk.wake_s)
            machine.talk.tick(machine.now_s)
            machine._drain()
            self.look()
        else:
            raise AssertionError("the clock never gets any rest")
        machine.now_s = until_s

    def finish_work(self):
        """Do all that is asked for, as good parts do, until nothing is."""
        machine = self.machine
        for _step in range(2000):
            machine.work = [w for w in machine.work if not isinstance(w, Drop)]
            open_work = [w for w in machine.work if not isinstance(w, Close)]
            if not open_work:
                if not self.observer.open_answers or self.over:
                    return
                self.wait(10)
                continue
            work = open_work[0]
            if isinstance(work, Transcribe):
                self.act("recognised", machine.asked_for(Transcribe).index(work), "Hi")
            elif isinstance(work, Reply):
                at = machine.asked_for(Reply).index(work)
                self.act("said", at, "Done. And gone.")
                self.act("replied", at)
            else:
                at = machine.asked_for(Speak).index(work)
                self.act("spoken", at, "speech")
                if work in machine.work:
                    self.act("sentence_done", at)
        raise AssertionError("the work never ends")

    def still_answers(self):
        """Fail unless the session goes on after all that."""
        machine = self.machine
        machine.wait(60)  # limits that were spent are whole again
        self.look()
        self.finish_work()
        if self.over:
            return
        fresh = machine.send("conversation.item.create", item=user_text("There?"))
        assert fresh[-1]["type"] == "conversation.item.done"
        self.look()
        fresh = machine.send("response.create", response={"instructions": None})
        if self.observer.session["type"] == "transcription":
            assert fresh[-1]["type"] == "error"
            return
        assert "response.created" in [event["type"] for event in fresh]
        self.look()
        self.finish_work()
        assert self.over or not self.observer.open_answers


def _truncate(audio_end_ms):
    event = {"type": "conversation.item.truncate", "item_id": "@said"}
    return ("send", {**event, "content_index": 0, "audio_end_ms": audio_end_ms})


def _create(**fields):
    event = {"type": "conversation.item.create", "item": user_text("Hello"), **fields}
    return ("send", event)


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(options=random_talks.options, talk=random_talks.talks)
@example(options={}, talk=[("append", "turn")] * 3)
@example(
    options={},
    talk=[
        _create(item=user_text("Hello", id="mine")),
        _create(previous_item_id="mine"),
        _create(previous_item_id="mine"),
        _create(previous_item_id="root"),
    ],
)
@example(
    options={},
    talk=[
        ("send", {"type": "response.create"}),
        ("said", 0, "One. Two! Three?"),
        ("replied", 0),
        *[("spoken", 0, "a long answer"), ("sentence_done", 0)] * 2,
        ("wait", 9),
    ],
)
@example(
    options={},
    talk=[
        ("send", {"type": "response.create"}),
        ("said", 0, "One. Two! Three?"),
        ("spoken", 0, "speech"),
        _truncate(300),
        ("send", {"type": "conversation.item.retrieve", "item_id": "@said"}),
        ("append", "turn"),
        _truncate(100),
        _truncate(900),
        ("send", {"type": "conversation.item.delete", "item_id": "@said"}),
    ],
)
@example(
    options={"max_session_s": 40},
    talk=[("wait", 30), ("wait", 30), ("send", {"type": "response.create"})],
)
def test_no_talk_breaks_the_session_or_its_rules(options, talk):
    session = Talk(options)
    for action in talk:
        session.act(*action)

    session.still_answers()
