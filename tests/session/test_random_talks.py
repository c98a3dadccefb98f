"""Whatever comes, in whatever order, some things must always hold."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from realtime_widget.session.config import Limits
from realtime_widget.session.tool_values import Outcome
from tests.session.driving import Talk, tool

STEPS = 400


class RandomTalk(Talk):
    """A talk in which the next thing is anything."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        super().__init__(
            tools=[tool(timeout_s=3.0)],
            limits=Limits(
                max_response_audio_s=20.0,
                tools_at_once=2,
                idle_s=1e6,
                max_session_s=1e6,
                stalled_browser_s=1e6,
            ),
        )

    def response_id(self):
        return f"resp_{self.dice.randrange(5)}"

    def item_id(self):
        return f"item_{self.dice.randrange(5)}"

    def call_id(self):
        return f"call_{self.dice.randrange(40)}"

    def step(self):
        """Do one random thing."""
        dice = self.dice
        item, response, call = self.item_id(), self.response_id(), self.call_id()
        played = dice.choice([0, 5.5, 300, 2000, 1e7])
        dice.choice(
            [
                lambda: self.response(response),
                lambda: self.done(response, dice.choice(["completed", "cancelled"])),
                lambda: self.done(response, "failed"),
                lambda: self.audio(dice.choice([1, 200, 900]), item, response),
                lambda: self.audio(200, item, response),
                lambda: self.audio_done(item, response),
                lambda: self.words("word ", item, response),
                lambda: self.all_words("word word", item, response),
                lambda: self.text("text ", item, response),
                self.speech,
                self.silence,
                lambda: self.transcribed("said", item),
                lambda: self.spoken(item, dice.choice([None, self.item_id()])),
                lambda: self.call(
                    call, dice.choice(["lookup", "other"]), response_id=response
                ),
                lambda: self.finish_tool(call, Outcome("completed", 1)),
                lambda: self.error(
                    dice.choice([None, "server_error", "invalid_value"])
                ),
                lambda: self.error(
                    "conversation_already_has_active_response",
                    event_id=f"response_{dice.randrange(1, 20)}",
                ),
                lambda: self.page("message", text="typed"),
                lambda: self.page("interrupt", item_id=item, played_ms=played),
                lambda: self.page("interrupt", played_ms=played),
                lambda: self.page(
                    "playback", item_id=item, played_ms=played, done=True
                ),
                lambda: self.page("playback", item_id=item, played_ms=played),
                lambda: self.page("microphone", muted=True),
                lambda: self.raw({"type": response, "item": item}),
                lambda: self.raw(
                    {"type": "response.done", "response": {"id": response}}
                ),
                self.play,
                lambda: self.after(dice.choice([0.01, 0.3, 2.0, 25.0])),
            ]
        )()


@pytest.mark.parametrize("seed", range(40))
def test_rules_hold_in_any_talk(seed):
    talk = RandomTalk(seed)
    played = []
    for _ in range(STEPS):
        talk.step()
        played += talk.play()
    answered = Counter(
        event["item"]["call_id"]
        for event in talk.sent("conversation.item.create")
        if event["item"]["type"] == "function_call_output"
    )
    assert max(answered.values(), default=0) <= 1
    finished = Counter(m["call_id"] for m in talk.messages("tool.finished"))
    started = Counter(m["call_id"] for m in talk.messages("tool.started"))
    assert finished == answered
    assert answered.keys() <= started.keys()
    cancels = Counter(e["response_id"] for e in talk.sent("response.cancel"))
    assert max(cancels.values(), default=0) <= 1
    assert all(e["audio_end_ms"] > 0 for e in talk.sent("conversation.item.truncate"))
    states = talk.states
    assert all(a != b for a, b in zip(states, states[1:], strict=False))
    marks = [p for p in played if isinstance(p, dict)]
    assert all(m["type"] in {"audio.start", "audio.end"} for m in marks)

    talk.clear()
    talk.take(talk.core.stop("user", "", talk.now))
    assert talk.messages()[-1]["type"] == "session.stopped"
    still_open = started.keys() - finished.keys()
    cancelled = {
        f.call_id for f in talk.facts if getattr(f, "status", "") == "cancelled"
    }
    assert cancelled == still_open
    talk.clear()
    for _ in range(50):
        talk.step()
    assert talk.effects == []
    assert talk.play() == []
