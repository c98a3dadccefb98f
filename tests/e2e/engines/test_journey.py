"""What every browser must do: type, speak, be heard, fall silent, explain a fault."""

from __future__ import annotations

import json

import numpy as np
import pytest

from realtime_widget.models import Conversation, Provider
from tests.app.rows import make_widget
from tests.e2e.engines.engines import in_every_engine
from tests.e2e.sound import RATE_HZ, plain_words, silence, spoken, word_errors
from tests.e2e.watching import WIDGET

pytestmark = [pytest.mark.speech]

ASKED = "Where is my order one zero four two?"
LONG = "We are open from nine in the morning until half past five. " * 6
AUDIBLE = 0.003
# What the browser has given to the sound system before the page fell silent.
ON_ITS_WAY_S = 0.8
# A sentence has ended after so much silence.
PAUSE_S = 1.2


def assert_heard(page, room):
    """Fail unless the loudspeaker says what the page shows as the agent's answer."""
    page.wait_received("audio.end")
    page.wait_for_state("listening")
    answer = page.received("transcript", role="assistant", final=True)[-1]["text"]
    said = room.recognised()
    # A busy machine drops a syllable; silence, noise and other words are all wrong.
    assert word_errors(answer, said) <= len(plain_words(answer)) / 2, (answer, said)


@in_every_engine
def test_text_under_a_strict_policy_is_answered_by_the_sites_own_function(
    visit, mira, signals_seen
):
    make_widget(text_only=True, tools=["order_status"])
    page = visit("support", user=mira)
    page.write("Where is my order 1042?")
    page.wait_for_answer("shipped")
    page.stop()

    conversation = Conversation.objects.get()
    assert conversation.user == mira
    assert conversation.tool_calls.get().status == "completed"
    assert [(item.role, item.source) for item in conversation.items.all()] == [
        ("user", "text"),
        ("assistant", "text"),
    ]
    assert page.probe("violations") == []
    assert signals_seen.count("session_started") == 1


@in_every_engine
def test_typed_question_is_answered_by_the_loudspeaker(visit, mira, room):
    make_widget(tools=["order_status"])
    page = visit("support", user=mira)
    page.start()
    room.listen()
    page.write("Where is my order 1042?")
    page.wait_for_answer("shipped")
    assert_heard(page, room)
    assert page.probe("violations") == []
    page.stop()
    answer = Conversation.objects.get().items.get(role="assistant")
    assert answer.status == "completed"


@in_every_engine
def test_spoken_question_is_answered_aloud_by_the_sites_own_function(visit, mira, room):
    make_widget(tools=["order_status", "opening_hours"])
    page = visit("support", user=mira)
    page.start()
    room.listen()
    room.say(spoken(ASKED), silence(PAUSE_S))
    question = page.wait_received("transcript", role="user", final=True)
    written = question["text"].replace("1042", "one zero four two")
    assert word_errors(ASKED, written) <= 2
    page.wait_received("tool.finished", name="order_status", status="completed")
    page.wait_for_answer("shipped")
    assert_heard(page, room)
    page.stop()

    conversation = Conversation.objects.get()
    call = conversation.tool_calls.get()
    assert json.loads(call.arguments) == {"order_number": "1042"}
    said = [(item.role, item.source) for item in conversation.items.all()]
    assert said == [("user", "voice"), ("assistant", "voice")]


@in_every_engine
def test_an_answer_that_is_stopped_leaves_the_loudspeaker_silent(
    visit, room, upstreams
):
    make_widget(greeting=LONG)
    page = visit("support")
    page.start(state="speaking")
    page.wait_until(f"() => {WIDGET}.getStats().playedMs > 1500")
    page.evaluate(f"() => {WIDGET}.interrupt()")
    page.wait_received("audio.interrupted")
    page.wait_for_state("listening")
    room.listen()
    room.say(silence(1.5))
    loud = np.flatnonzero(np.abs(room.heard()) >= AUDIBLE)
    assert loud.size == 0 or loud[-1] < ON_ITS_WAY_S * RATE_HZ
    assert len(upstreams[0].events_sent("conversation.item.truncate")) == 1
    page.stop()
    item = Conversation.objects.get().items.get(role="assistant")
    assert item.status == "interrupted"
    assert 1_000 < item.heard_ms < 10_000


@in_every_engine
def test_provider_without_its_key_is_explained_and_can_be_tried_again(
    visit, monkeypatch
):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    provider = Provider.objects.create(
        name="Far", kind="openai", key_name="OPENAI_API_KEY"
    )
    widget = make_widget(text_only=True, tools=["opening_hours"], provider=provider)
    page = visit("support")
    page.write("When are you open on Monday?")
    page.wait_for_alert("not set up")
    widget.provider = None
    widget.save()
    page.press("Try again")
    # What was typed before is not lost.
    page.wait_for_answer("09:00 to 17:30")
    page.stop()
