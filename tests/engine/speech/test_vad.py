from __future__ import annotations

import pytest

from tests.engine.speech.needs import needs_speech

pytest.importorskip("numpy", reason="the [local] extra is not installed: numpy")

from realtime_widget.engine.vad import SileroVad
from tests.engine.speech.clips import CLEAN, read_clip

pytestmark = needs_speech
FRAME_BYTES = 32 * 48


def probabilities(pcm, piece_bytes=40 * 48):
    vad = SileroVad()
    return [
        p
        for at in range(0, len(pcm), piece_bytes)
        for p in vad.feed(pcm[at : at + piece_bytes])
    ]


@pytest.mark.parametrize("name", [*CLEAN, "synth-weather-noise10db"])
def test_speech_is_found(name):
    heard = probabilities(read_clip(name))

    speech_ms = 32 * sum(p > 0.5 for p in heard)
    assert speech_ms > 800
    assert max(heard) > 0.9


def test_noise_alone_is_no_speech():
    heard = probabilities(read_clip("noise-only"))

    assert len(heard) > 90
    assert max(heard) < 0.5


def test_noise_around_speech_is_no_speech():
    heard = probabilities(read_clip("synth-weather-noise10db"))

    # One second of noise stands before and after the sentence.
    assert max(heard[:28]) < 0.5
    assert max(heard[-20:]) < 0.5


@pytest.mark.parametrize("piece_bytes", [960, 1_001, 4_800, 100_000])
def test_pieces_of_any_size_give_the_same(piece_bytes):
    pcm = read_clip("synth-timer")

    assert probabilities(pcm, piece_bytes) == pytest.approx(
        probabilities(pcm), abs=1e-4
    )


def test_a_frame_comes_out_when_it_is_full():
    vad = SileroVad()

    # The filter looks 1 ms ahead, so the first frame needs 33 ms.
    assert vad.feed(bytes(FRAME_BYTES)) == []
    assert len(vad.feed(bytes(2 * 48))) == 1


def test_reset_forgets_what_was_heard():
    pcm = read_clip("synth-timer")[: 48 * 1000]
    vad = SileroVad()
    first = vad.feed(pcm)
    vad.reset()

    assert vad.feed(pcm) == first


def test_streams_do_not_share_state():
    pcm = read_clip("synth-timer")[: 48 * 1000]
    one, other = SileroVad(), SileroVad()
    alone = SileroVad().feed(pcm)

    mixed = []
    for at in range(0, len(pcm), 1920):
        mixed += one.feed(pcm[at : at + 1920])
        other.feed(bytes(1920))

    assert mixed == pytest.approx(alone, abs=1e-4)
