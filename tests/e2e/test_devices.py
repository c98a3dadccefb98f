"""Microphone, speaker and volume as the visitor chooses them, in the middle of a call."""

from __future__ import annotations

import numpy as np

from tests.app.rows import make_widget
from tests.e2e.sound import heard_samples

WIDGET = "document.querySelector('realtime-widget')"
LONG = "We are open from nine in the morning until half past five. " * 6
PLAYING = f"(ms) => {WIDGET}.getStats().playedMs > ms"


def devices(page):
    """Return what the element says of devices."""
    return page.page.evaluate(f"() => {WIDGET}.devices()")


def sent_frames(page):
    """Return how many frames of the microphone were sent."""
    return page.stats()["sentFrames"]


def test_another_microphone_takes_over_in_the_middle_of_a_call(visit):
    make_widget()
    page = visit("support")
    page.start()
    listed = devices(page)
    assert (listed["microphone"], listed["speaker"]) == ("", "")
    microphones = [one["id"] for one in listed["microphones"]]
    assert len(microphones) >= 2
    assert all(one["label"] for one in listed["microphones"])
    page.page.evaluate(f"(id) => {WIDGET}.chooseMicrophone(id)", microphones[-1])
    before = sent_frames(page)
    page.page.wait_for_function(
        f"(count) => {WIDGET}.getStats().sentFrames > count + 10", arg=before
    )
    assert devices(page)["microphone"] == microphones[-1]
    assert page.widget.get_attribute("state") == "listening"
    page.stop()
    # The browser remembers it for the next page.
    page.page.reload()
    assert devices(page)["microphone"] == microphones[-1]


def test_a_microphone_that_is_in_use_is_told_and_the_talk_goes_on(visit):
    make_widget(tools=["opening_hours"])
    page = visit("support")
    page.start()
    page.page.evaluate(
        f"""async () => {{
          const {{ microphones }} = await {WIDGET}.devices();
          navigator.mediaDevices.getUserMedia = () =>
            Promise.reject(new DOMException("no", "NotReadableError"));
          await {WIDGET}.chooseMicrophone(microphones.at(-1).id);
        }}"""
    )
    page.alert.get_by_text("Another program is using").wait_for()
    assert page.widget.get_attribute("state") == "listening"
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.stop()


def test_volume_is_heard_at_once_and_remembered(visit):
    make_widget(greeting=LONG)
    page = visit("support")
    page.page.evaluate(f"() => {{ {WIDGET}.volume = 0; }}")
    page.start(state="speaking")
    page.page.wait_for_function(PLAYING, arg=1_500)
    silent = heard_samples(page.heard())
    assert np.abs(silent).max(initial=0) == 0
    at_s = page.page.evaluate(
        f"() => {{ {WIDGET}.volume = 1; return __probe.context.currentTime; }}"
    )
    page.wait_for_audio_clock(at_s + 3)
    assert np.abs(heard_samples(page.heard(from_s=at_s))).max() > 0.02
    page.stop()
    assert page.page.evaluate(f"() => {WIDGET}.volume") == 1
