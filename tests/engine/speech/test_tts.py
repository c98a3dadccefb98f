from __future__ import annotations

import pytest

from tests.engine.speech.needs import needs_speech

pytest.importorskip("numpy", reason="the [local] extra is not installed: numpy")

import numpy as np

from tests.engine.speech.clips import plain_words

pytestmark = needs_speech


def spoken(tts, text, **options):
    return b"".join(tts.speak(text, **options))


@pytest.mark.parametrize(
    "text",
    [
        "Your order is on its way and should arrive on Tuesday.",
        "We are open from nine to five.",
        "What's the weather in Tokyo?",
        "Your appointment is booked for Friday at ten.",
    ],
)
def test_what_is_spoken_is_heard(tts, stt, text):
    heard = stt.transcribe(spoken(tts, text))

    assert plain_words(heard) == plain_words(text)


def test_order_number_is_spelled(tts, stt):
    heard = stt.transcribe(spoken(tts, "Your order A-1042 is ready to collect."))

    assert "1042" in "".join(plain_words(heard))


def test_a_sentence_comes_at_a_time(tts):
    pieces = list(tts.speak("It is ready. You can collect it today. Goodbye!"))

    assert len(pieces) == 3
    assert all(len(piece) % 2 == 0 for piece in pieces)


def test_speech_begins_and_ends_without_a_long_silence(tts):
    samples = np.frombuffer(spoken(tts, "It is ready."), "<i2")
    loud = np.flatnonzero(np.abs(samples) > 300)

    assert loud[0] < 24 * 80
    assert len(samples) - loud[-1] < 24 * 350
    assert 8_000 < np.abs(samples).max() <= 32_767


@pytest.mark.parametrize(
    "text", ["", "   ", "🎉🎉", "***", "日本語", "...", "\x00\x07"]
)
def test_nothing_to_say_is_silent(tts, text):
    assert spoken(tts, text) == b""


@pytest.mark.parametrize("voice", ["", "alloy", "marin", "no-such-voice"])
def test_every_voice_name_speaks(tts, voice):
    assert spoken(tts, "Hello.", voice=voice) == spoken(tts, "Hello.")


def test_speed_changes_the_length(tts):
    usual = len(spoken(tts, "This is said at a certain pace."))

    assert len(spoken(tts, "This is said at a certain pace.", speed=1.5)) < 0.85 * usual
    assert len(spoken(tts, "This is said at a certain pace.", speed=0.7)) > 1.15 * usual
    assert spoken(tts, "Hello.", speed=99) == spoken(tts, "Hello.", speed=2)


def test_long_text_is_spoken_in_bounded_pieces(tts):
    text = "and another thing " * 60

    assert max(len(piece) for piece in tts.speak(text)) < 48_000 * 30
