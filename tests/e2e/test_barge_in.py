"""A visitor speaks into an answer: it falls silent, and the model learns what was heard."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_widget.models import Conversation
from tests.app.rows import make_widget
from tests.e2e.sound import RATE_HZ, clip, heard_samples, silence

pytestmark = [pytest.mark.speech]

LONG = (
    "Welcome to our shop by the river. We repair bicycles of every kind, we build wheels"
    " by hand, and we sell lights, bags and good rain clothes. On weekdays we are open"
    " from nine in the morning until half past five in the afternoon, and on Saturdays we"
    " close a little earlier. You can ask me about an order, about an appointment, or"
    " about the price of a repair. I can also tell you how to find us."
)
SILENT_WITHIN_S = 0.150
TRUNCATED_WITHIN_MS = 60
# What a voice starts with is quiet, but not nothing.
AUDIBLE = 0.003


def test_speech_silences_the_answer_and_the_model_learns_what_was_heard(
    visit, microphone, upstreams
):
    make_widget(greeting=LONG)
    microphone(silence(5.0), clip("synth-book-tuesday"), silence(6.0))
    page = visit("support")
    page.start(state="speaking")
    started = page.wait_received("speech.started")
    interrupted = page.wait_received("audio.interrupted")
    page.wait_received("speech.stopped")

    heard = page.heard(to_s=started["atS"] + 1.0)
    samples = heard_samples(heard)
    rate_hz = heard["rateHz"]
    loud = np.flatnonzero(np.abs(samples) > AUDIBLE)
    ended_s = heard["startS"] + loud[-1] / rate_hz
    assert ended_s - started["atS"] <= SILENT_WITHIN_S

    upstream = upstreams[0]
    (truncation,) = upstream.events_sent("conversation.item.truncate")
    assert truncation["item_id"] == interrupted["item_id"]
    answer = upstream.audio[truncation["item_id"]]
    pcm = np.frombuffer(answer, "<i2") / 32768
    quiet_ms = np.flatnonzero(np.abs(pcm) > AUDIBLE)[0] / RATE_HZ * 1000
    played_ms = (loud[-1] - loud[0]) / rate_hz * 1000 + quiet_ms
    assert truncation["audio_end_ms"] == pytest.approx(
        played_ms, abs=TRUNCATED_WITHIN_MS
    )
    told = page.sent("playback", item_id=truncation["item_id"], done=True)[-1]
    assert truncation["audio_end_ms"] == pytest.approx(
        told["played_ms"], abs=TRUNCATED_WITHIN_MS
    )
    page.stop()

    item = Conversation.objects.get().items.get(item_id=truncation["item_id"])
    assert item.status == "interrupted"
    assert item.heard_ms == truncation["audio_end_ms"]
    assert LONG.startswith(item.text[:20])
    assert len(item.text) < len(LONG)


def test_interrupt_from_the_page_silences_the_answer_at_once(visit, upstreams):
    make_widget(greeting=LONG)
    page = visit("support")
    page.start(state="speaking")
    page.page.wait_for_function("() => __probe.blocks.length > 200")
    at_s = page.page.evaluate(
        """() => {
          document.querySelector("realtime-widget").interrupt();
          return __probe.context.currentTime;
        }"""
    )
    page.wait_received("audio.interrupted")
    page.wait_for_state("listening")

    heard = page.heard()
    ended_s = heard["startS"] + len(heard_samples(heard)) / heard["rateHz"]
    assert ended_s - at_s <= SILENT_WITHIN_S
    assert len(upstreams[0].events_sent("conversation.item.truncate")) == 1
    page.stop()
    assert Conversation.objects.get().items.get(role="assistant").heard_ms > 0
