"""Talking in Firefox: heard, answered, interrupted, muted, by key, over broken networks."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_widget.models import Conversation
from tests.app.rows import make_widget
from tests.e2e.engines.engines import in_firefox
from tests.e2e.sound import (
    clip,
    heard_samples,
    plain_words,
    silence,
    word_errors,
)
from tests.e2e.watching import WIDGET

pytestmark = [pytest.mark.speech]

LONG = (
    "Welcome to our shop by the river. We repair bicycles of every kind, we build wheels"
    " by hand, and we sell lights, bags and good rain clothes. On weekdays we are open"
    " from nine in the morning until half past five in the afternoon, and on Saturdays we"
    " close a little earlier. You can ask me about an order, or about an appointment."
)
SILENT_WITHIN_S = 0.150
# What a voice starts with is quiet, but not nothing.
AUDIBLE = 0.003
# A sentence has ended after so much silence.
PAUSE_S = 1.2
CANCELLER_MS = 4_000


def sounded_until_s(page, *, to_s):
    """Return when on the page's audio clock the last sound before a time was played."""
    heard = page.heard(to_s=to_s)
    loud = np.flatnonzero(np.abs(heard_samples(heard)) > AUDIBLE)
    return heard["startS"] + loud[-1] / heard["rateHz"]


@in_firefox
def test_speech_silences_the_answer_and_the_model_learns_what_was_heard(
    visit, room, upstreams
):
    make_widget(greeting=LONG)
    page = visit("support")
    page.start(state="speaking")
    # Until Firefox's echo canceller knows the room it swallows whoever speaks as well.
    page.wait_until(f"() => {WIDGET}.getStats().playedMs > {CANCELLER_MS}")
    room.say(clip("synth-book-tuesday"), clip("synth-timer"), silence(PAUSE_S))
    started = page.wait_received("speech.started")
    interrupted = page.wait_received("audio.interrupted")
    page.wait_received("speech.stopped")
    ended_s = sounded_until_s(page, to_s=started["atS"] + 1.0)
    assert ended_s - started["atS"] <= SILENT_WITHIN_S

    truncation = upstreams[0].events_sent("conversation.item.truncate")[0]
    assert truncation["item_id"] == interrupted["item_id"]
    told = page.sent("playback", item_id=truncation["item_id"], done=True)[-1]
    assert truncation["audio_end_ms"] == pytest.approx(told["played_ms"], abs=60)
    page.stop()
    item = Conversation.objects.get().items.get(item_id=truncation["item_id"])
    assert item.status == "interrupted"
    assert item.heard_ms == truncation["audio_end_ms"]
    assert len(item.text) < len(LONG)


@in_firefox
def test_muted_microphone_lets_nothing_through_until_it_is_unmuted(visit, room):
    make_widget()
    page = visit("support")
    page.start()
    page.press("Mute microphone")
    room.say(clip("synth-timer"), silence(PAUSE_S))
    page.press("Unmute microphone")
    room.say(clip("real-go-forward"), silence(PAUSE_S))
    heard = page.wait_received("transcript", role="user", final=True)
    assert "forward" in heard["text"].lower()
    assert len(page.received("speech.started")) == 1
    page.stop()


@in_firefox
def test_only_what_is_said_while_the_button_is_held_is_heard_and_answered(
    visit, room, upstreams
):
    make_widget(turn_detection="none")
    page = visit("support")
    page.start()
    page.button("Hold to talk").wait_for()
    room.say(clip("synth-timer"), silence(0.5))
    page.hold("Hold to talk")
    page.wait_for_state("hearing")
    room.say(clip("real-go-forward"), silence(0.5))
    page.let_go()
    heard = page.wait_received("transcript", role="user", final=True)
    # Four words; nothing of what was said before.
    assert word_errors("Go forward ten meters.", heard["text"]) <= 2
    assert "timer" not in plain_words(heard["text"])
    page.wait_received("transcript", role="assistant", final=True)
    page.stop()
    assert len(upstreams[0].events_sent("input_audio_buffer.commit")) == 1
    assert len(upstreams[0].events_sent("response.create")) == 1


@in_firefox
def test_an_unplugged_microphone_is_replaced_by_the_other_one(visit, room):
    make_widget()
    room.plug("headset")
    page = visit("support")
    page.start()
    room.unplug()
    room.wait_heard_from("headset")
    room.say(clip("real-go-forward"), silence(PAUSE_S))
    heard = page.wait_received("transcript", role="user", final=True)
    assert "forward" in heard["text"].lower()
    assert page.received("session.stopped") == []
    page.stop()
