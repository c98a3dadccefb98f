"""A visitor speaks, and hears an answer that a function of the site gave."""

from __future__ import annotations

import json

import pytest

from realtime_widget.models import Conversation
from tests.app.rows import make_widget
from tests.e2e.sound import (
    clip,
    plain_words,
    recognised,
    silence,
    spoken,
    word_errors,
)

pytestmark = [pytest.mark.speech]

# Whisper tiny.en, which the engine hears with, is known to miss two of these words.
CLEAN_CLIPS = {
    "real-librivox-ill-disposed": "He was not an ill-disposed young man.",
    "real-librivox-amiable": "He might even have been made amiable himself.",
    "real-librivox-dashwood": (
        "And Mr. John Dashwood had then leisure to consider how much there might be"
        " prudently in his power to do for them."
    ),
    "real-go-forward": "Go forward ten meters.",
    "real-cards": "Eight of spades, four of clubs, seven of hearts.",
    "synth-weather-tokyo": "What's the weather in Tokyo?",
    "synth-book-tuesday": "Book an appointment for Tuesday at ten.",
    "synth-timer": "Set a timer for fifteen minutes.",
}
ASKED = "Where is my order one zero four two?"
# The next clip interrupts the answer to the one before, as people do.
PAUSE_S = 3.5


def test_spoken_question_is_answered_aloud_by_the_sites_own_function(
    visit, microphone, mira, upstreams, signals_seen
):
    make_widget(tools=["order_status", "opening_hours"])
    microphone(spoken(ASKED))
    page = visit("support", user=mira)
    page.start()

    question = page.wait_received("transcript", role="user", final=True)
    assert (
        word_errors(ASKED, question["text"].replace("1042", "one zero four two")) <= 1
    )
    page.wait_received("tool.finished", name="order_status", status="completed")
    answer = page.wait_received("transcript", role="assistant", final=True)
    assert "shipped" in answer["text"]
    page.wait_for_answer("shipped")
    page.wait_received("audio.end")
    page.wait_for_state("listening")

    heard = plain_words(recognised(page.heard()))
    assert "shipped" in heard, heard
    page.stop()

    conversation = Conversation.objects.get()
    assert conversation.user == mira
    assert (conversation.status, conversation.reason) == ("ended", "user")
    call = conversation.tool_calls.get()
    assert json.loads(call.arguments) == {"order_number": "1042"}
    assert json.loads(call.output)["user"] == "mira"
    assert call.status == "completed"
    said = [(item.role, item.source) for item in conversation.items.all()]
    assert said == [("user", "voice"), ("assistant", "voice")]
    assert "shipped" in conversation.items.get(role="assistant").text
    assert signals_seen.wait_for("session_stopped")["reason"] == "user"
    assert signals_seen.count("session_started") == 1
    assert signals_seen.count("session_stopped") == 1
    assert signals_seen.count("tool_called") == 1
    assert signals_seen.count("transcript_added") >= 2
    assert upstreams[0].closed


def test_clean_recordings_arrive_with_at_most_15_percent_wrong_words(visit, microphone):
    make_widget()
    parts = [part for name in CLEAN_CLIPS for part in (clip(name), silence(PAUSE_S))]
    microphone(*parts)
    page = visit("support")
    page.start()
    page.wait_received(
        "transcript",
        role="user",
        final=True,
        count=len(CLEAN_CLIPS),
        timeout_ms=180_000,
    )
    page.stop()

    items = Conversation.objects.get().items.filter(role="user")
    written = [item.text for item in items.order_by("position")]
    assert len(written) == len(CLEAN_CLIPS)
    said = list(CLEAN_CLIPS.values())
    wrong = sum(map(word_errors, said, written))
    total = sum(len(plain_words(text)) for text in said)
    assert wrong / total <= 0.15, (wrong, total, written)


def test_typed_message_is_answered_in_the_same_spoken_session(visit, mira, upstreams):
    make_widget(tools=["order_status"])
    page = visit("support", user=mira)
    page.start()
    page.write("Where is my order 1042?")

    page.wait_for_answer("shipped")
    page.wait_received("audio.end")
    page.wait_for_state("listening")
    assert "shipped" in plain_words(recognised(page.heard()))
    page.stop()

    sources = {
        item.role: item.source for item in Conversation.objects.get().items.all()
    }
    assert sources["user"] == "text"


def test_muted_microphone_lets_nothing_through_until_it_is_unmuted(visit, microphone):
    make_widget()
    muted, open_again = clip("synth-timer"), clip("real-go-forward")
    begins = microphone(silence(3.0), muted, silence(4.0), open_again, silence(2.0))
    page = visit("support")
    page.start()
    page.button("Mute microphone").click()
    page.wait_for_audio_clock(begins[2] + 1.0)
    page.button("Unmute microphone").click()
    heard = page.wait_received("transcript", role="user", final=True)
    assert "forward" in heard["text"]
    assert len(page.received("speech.started")) == 1
    page.stop()


def test_closed_tab_ends_the_conversation_once(visit, signals_seen):
    make_widget()
    page = visit("support")
    page.start()
    page.page.close()

    assert signals_seen.wait_for("session_stopped")["reason"] == "user"
    assert Conversation.objects.get().status == "ended"
    assert signals_seen.count("session_stopped") == 1
