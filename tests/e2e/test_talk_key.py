"""Push-to-talk: what is said while the key is held is heard, and nothing else."""

from __future__ import annotations

import pytest

from realtime_widget.models import Conversation
from tests.app.rows import make_widget
from tests.e2e.sound import clip, silence

pytestmark = [pytest.mark.speech]


def reach(page, begins, at):
    """Wait for the recording at the microphone to reach a part."""
    page.wait_for_audio_clock(begins[at])


def test_only_what_is_said_while_the_button_is_held_is_heard_and_answered(
    visit, microphone, upstreams
):
    make_widget(turn_detection="none", tools=["opening_hours"])
    ignored, said = clip("synth-timer"), clip("real-go-forward")
    begins = microphone(silence(3.0), ignored, silence(3.0), said, silence(3.0))
    page = visit("support")
    page.start()
    key = page.button("Hold to talk")
    key.wait_for()
    reach(page, begins, 3)
    key.hover()
    page.page.mouse.down()
    page.wait_for_state("hearing")
    assert page.button("Release to send").get_attribute("aria-pressed") == "true"
    reach(page, begins, 4)
    page.page.wait_for_timeout(300)
    page.page.mouse.up()

    heard = page.wait_received("transcript", role="user", final=True)
    assert "forward" in heard["text"].lower()
    page.wait_received("transcript", role="assistant", final=True)
    page.wait_for_state("listening")
    page.stop()

    [upstream] = upstreams
    assert len(upstream.events_sent("input_audio_buffer.commit")) == 1
    assert len(upstream.events_sent("response.create")) == 1
    roles = [item.role for item in Conversation.objects.get().items.all()]
    assert roles == ["user", "assistant"]


def test_the_space_bar_is_the_key_and_a_tap_of_it_is_dropped_kindly(
    visit, microphone, upstreams
):
    make_widget(turn_detection="none")
    begins = microphone(silence(3.0), clip("real-go-forward"), silence(3.0))
    page = visit("support")
    page.start()
    page.button("Hold to talk").wait_for()
    page.page.evaluate(
        "() => { const widget = document.querySelector('realtime-widget');"
        " widget.startTurn(); widget.commitTurn(); }"
    )
    page.wait_received("error", code="turn_too_short")
    page.page.keyboard.down("Escape")
    reach(page, begins, 1)
    page.page.keyboard.down("Space")
    page.wait_for_state("hearing")
    reach(page, begins, 2)
    page.page.wait_for_timeout(300)
    page.page.keyboard.up("Space")
    heard = page.wait_received("transcript", role="user", final=True)
    assert "forward" in heard["text"].lower()
    page.stop()


def test_a_turn_that_is_cancelled_is_never_answered(visit, microphone, upstreams):
    make_widget(turn_detection="none")
    begins = microphone(silence(2.0), clip("real-go-forward"), silence(3.0))
    page = visit("support")
    page.start()
    page.button("Hold to talk").wait_for()
    reach(page, begins, 1)
    page.page.keyboard.down("Space")
    page.wait_for_state("hearing")
    page.page.keyboard.press("Escape")
    page.wait_for_state("listening")
    page.page.keyboard.up("Space")
    page.stop()
    assert not upstreams[0].events_sent("input_audio_buffer.commit")
    assert not Conversation.objects.get().items.exists()


def test_the_way_turns_end_can_be_changed_by_a_page_that_may(visit):
    make_widget(changeable=["turn_detection"])
    page = visit("support")
    page.start()
    assert page.button("Hold to talk").count() == 0
    page.page.evaluate(
        "() => document.querySelector('realtime-widget')"
        ".updateSession({ turn_detection: 'none' })"
    )
    page.wait_received("session.updated")
    page.button("Hold to talk").wait_for()
    page.stop()
    assert page.button("Hold to talk").count() == 0
