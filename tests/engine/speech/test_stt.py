from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.engine.speech.needs import needs_speech

pytest.importorskip("numpy", reason="the [local] extra is not installed: numpy")

from realtime_widget.engine.stt import WhisperStt, begins_again, without_loops
from realtime_widget.engine.weights import find_whisper
from tests.engine.speech.clips import (
    CLEAN,
    plain_words,
    read_clip,
    word_errors,
)

pytestmark = needs_speech


def test_clean_speech_is_understood(stt):
    wrong = said = 0
    for name, words in CLEAN.items():
        errors, length = word_errors(words, stt.transcribe(read_clip(name)))
        wrong, said = wrong + errors, said + length

    assert said > 80
    assert wrong / said <= 0.15


def test_clear_words_are_surer_than_words_in_noise(stt):
    clear = stt.transcribe(read_clip("synth-weather-tokyo"))
    noisy = stt.transcribe(read_clip("synth-weather-noise10db"))

    assert -0.5 < clear.logprob < 0
    assert noisy.logprob < clear.logprob


def test_words_heard_in_the_full_window_are_told_how_sure_they_are(stt):
    clip = read_clip("synth-weather-tokyo")
    long_speech = (clip + bytes(24_000)) * 8

    assert -1 < stt.transcribe(long_speech).logprob < 0


def test_speech_in_noise_is_understood(stt):
    heard = stt.transcribe(read_clip("synth-weather-noise10db"))

    assert plain_words(heard) == plain_words("What's the weather in Tokyo?")


@pytest.mark.parametrize("seconds", [0.0, 0.05, 1.0, 5.0])
def test_silence_is_no_words(stt, seconds):
    assert stt.transcribe(bytes(2 * int(24_000 * seconds))) == ""


def test_noise_is_no_words(stt):
    assert stt.transcribe(read_clip("noise-only")) == ""


@pytest.mark.parametrize("language", ["ar", "en-GB", "xx", "nonsense"])
def test_language_hint_does_not_disturb_the_english_model(stt, language):
    heard = stt.transcribe(read_clip("synth-timer"), language=language)

    assert plain_words(heard) == plain_words("Set a timer for 15 minutes.")


def test_odd_byte_at_the_end_is_ignored(stt):
    heard = stt.transcribe(read_clip("synth-timer") + b"\x01")

    assert "timer" in heard


def test_two_recognitions_at_once_do_not_mix(stt):
    names = ["synth-timer", "synth-weather-tokyo"]
    alone = [stt.transcribe(read_clip(name)) for name in names]

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(stt.transcribe, map(read_clip, names)))

    assert together == alone


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Thank you. Thank you. Thank you. Thank you. Thank you.", "Thank you."),
        ("go go go go go home", "go home"),
        ("No, no, no, not that one.", "No, no, no, not that one."),
        ("one zero four two", "one zero four two"),
        ("", ""),
    ],
)
def test_a_loop_is_said_once(text, kept):
    assert without_loops(text) == kept


def test_prompt_does_not_appear_in_silence_or_disturb_speech(stt):
    prompt = "order number, appointment, tune-up, timer"

    assert stt.transcribe(bytes(48_000), prompt=prompt) == ""
    assert "timer" in stt.transcribe(read_clip("synth-timer"), prompt=prompt)


def test_long_utterance_is_understood_to_its_end(stt):
    names = ["real-librivox-dashwood", "synth-pause-inside", "synth-timer"] * 2
    pcm = b"".join(read_clip(name) for name in names)
    assert len(pcm) > 48_000 * 25

    heard = stt.transcribe(pcm)

    errors, length = word_errors(" ".join(CLEAN[name] for name in names), heard)
    assert errors / length <= 0.15


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("Where is my order 1042? Where is my order", True),
        ("Where is my order 1042?", False),
        ("one two one two", False),
        ("go on go on go on go on", True),
        ("", False),
    ],
)
def test_text_that_begins_again_is_suspected(text, again):
    assert begins_again(text) is again


def test_guess_that_is_not_sure_is_heard_again_in_full():
    class Looping(WhisperStt):
        def _hear(self, samples, language, prompt):
            return replace(
                super()._hear(samples, language, prompt), text="x", sure=False
            )

    stt = Looping(find_whisper())

    assert plain_words(stt.transcribe(read_clip("synth-timer"))) == plain_words(
        "Set a timer for 15 minutes."
    )
