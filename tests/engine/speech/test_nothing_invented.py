from __future__ import annotations

import pytest

from tests.engine.speech.needs import needs_speech

pytest.importorskip("numpy", reason="the [local] extra is not installed: numpy")

import numpy as np

from realtime_widget.engine.conversation.turns import Detection, TurnDetector
from realtime_widget.engine.resample import samples_to_pcm16
from realtime_widget.engine.stt import is_invented, words_only
from realtime_widget.engine.vad import SileroVad
from tests.engine.speech.clips import CLEAN, OTHER_LANGUAGES, read_clip

pytestmark = needs_speech
RATE_HZ = 24_000
SECONDS = 4
SAMPLES = SECONDS * RATE_HZ
TIME_S = np.arange(SAMPLES) / RATE_HZ
DETECTION = Detection(0.5, 300, 500, True, True, None)


def noise():
    """White noise, the same in every run."""
    return np.random.default_rng(5).normal(size=SAMPLES)


def muffled(samples, width):
    window = np.hanning(width)
    return np.convolve(samples, window / window.sum(), "same")


def tone(*frequencies_hz):
    return sum(np.sin(2 * np.pi * hz * TIME_S) for hz in frequencies_hz)


def melody():
    notes_hz = np.repeat([262, 294, 330, 349, 392, 440, 494, 523], RATE_HZ // 2)
    return np.sin(2 * np.pi * np.cumsum(notes_hz) / RATE_HZ) * np.exp(
        -4 * (TIME_S % 0.5)
    )


SOUNDS = {
    "silence": lambda: np.zeros(SAMPLES),
    "soft noise": lambda: 0.01 * noise(),
    "loud noise": lambda: 0.3 * noise(),
    "rumble": lambda: muffled(noise(), 200),
    "mains hum": lambda: 0.2 * tone(50, 100, 150, 250),
    "breath": lambda: 0.5 * muffled(noise(), 12) * np.clip(tone(0.4), 0, 1) ** 2,
    "chord": lambda: 0.1 * tone(262, 330, 392, 523),
    "melody": lambda: 0.3 * melody(),
    "telephone": lambda: 0.3 * tone(440, 480) * (TIME_S % 2 < 1),
    "keys of a telephone": lambda: 0.3 * tone(697, 1209) * (TIME_S % 0.3 < 0.15),
    "clicks": lambda: 0.8 * (np.abs(noise()) > 3.5),
    "humming": lambda: (
        0.05
        * sum(
            np.sin(2 * np.pi * 110 * n * TIME_S)
            * np.exp(-(((110 * n - 600) / 500) ** 2))
            for n in range(1, 30)
        )
        * np.hanning(SAMPLES)
    ),
}


def pcm_of(name):
    return samples_to_pcm16(SOUNDS[name]().astype(np.float32))


@pytest.mark.parametrize("name", SOUNDS)
def test_no_turn_is_begun_by(name):
    turns = TurnDetector(DETECTION, 0).feed(SileroVad().feed(pcm_of(name)))

    assert turns == []


@pytest.mark.parametrize("name", SOUNDS)
def test_no_words_are_found_in(name, stt):
    """As in push-to-talk, where no detector of speech stands before."""
    assert stt.transcribe(pcm_of(name)) == ""


@pytest.mark.parametrize("name", [*CLEAN, *OTHER_LANGUAGES])
def test_speech_begins_a_turn(name):
    pcm = read_clip(name) + bytes(2 * RATE_HZ)

    turns = TurnDetector(DETECTION, 0).feed(SileroVad().feed(pcm))

    assert [turns[0].kind, turns[-1].kind] == ["started", "stopped"]


@pytest.mark.parametrize(
    ("no_speech_prob", "logprob", "invented"),
    [
        (0.95, -0.1, True),
        (0.47, -1.8, True),
        (0.47, -0.3, False),
        (0.05, -1.8, False),
        (0.14, -0.1, False),
    ],
)
def test_words_without_speech_are_dropped(no_speech_prob, logprob, invented):
    assert is_invented(no_speech_prob, logprob) is invented


@pytest.mark.parametrize(
    ("text", "words"), [(" . . . .", ""), ("♪", ""), ("", ""), (" a  1 ", "a 1")]
)
def test_stops_alone_are_no_words(text, words):
    assert words_only(text) == words
