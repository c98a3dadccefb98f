"""What every browser must do: start, type, be heard, keep to the page's policy."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_widget.models import Conversation
from tests.app.rows import make_widget
from tests.e2e.engines.engines import in_every_engine
from tests.e2e.sound import plain_words, silence
from tests.e2e.watching import WIDGET

pytestmark = [pytest.mark.speech]

LONG = "We are open from nine in the morning until half past five. " * 6
AUDIBLE = 0.003


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
    page.wait_received("audio.end")
    page.wait_for_state("listening")
    assert "shipped" in plain_words(room.recognised())
    assert page.stats()["underruns"] == 0
    assert page.probe("violations") == []
    page.stop()
    answer = Conversation.objects.get().items.get(role="assistant")
    assert answer.status == "completed"


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
    assert np.abs(room.heard()).max() < AUDIBLE
    assert len(upstreams[0].events_sent("conversation.item.truncate")) == 1
    page.stop()
    item = Conversation.objects.get().items.get(role="assistant")
    assert item.status == "interrupted"
    assert 1_000 < item.heard_ms < 10_000
