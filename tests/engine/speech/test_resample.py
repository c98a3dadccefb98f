from __future__ import annotations

import pytest

from tests.engine.speech.needs import needs_numpy

np = pytest.importorskip("numpy", reason="the [local] extra is not installed: numpy")

from realtime_widget.engine.resample import (  # noqa: E402
    Resampler,
    pcm16_to_samples,
    resample,
    samples_to_pcm16,
)

pytestmark = [needs_numpy]
RATES = [(24_000, 16_000), (16_000, 24_000), (24_000, 8_000), (8_000, 24_000)]
EDGE = slice(400, -400)  # where the filter does not see the beginning or the end


def tone(hz, rate_hz, seconds=1.0):
    at = np.arange(int(rate_hz * seconds)) / rate_hz
    return np.sin(2 * np.pi * hz * at).astype(np.float32)


@pytest.mark.parametrize(("in_hz", "out_hz"), RATES)
def test_tone_keeps_its_shape_and_place(in_hz, out_hz):
    out = resample(tone(1000, in_hz), in_hz, out_hz)[EDGE]
    ideal = tone(1000, out_hz)[EDGE]

    noise = np.mean((out - ideal) ** 2)

    assert 10 * np.log10(np.mean(ideal**2) / noise) > 80


@pytest.mark.parametrize("out_hz", [16_000, 8_000])
@pytest.mark.parametrize("above", [1.15, 1.3])
def test_tone_above_the_new_nyquist_is_gone(out_hz, above):
    out = resample(tone(out_hz / 2 * above, 24_000), 24_000, out_hz)[EDGE]

    assert 20 * np.log10(np.abs(out).max()) < -80


def test_speech_band_is_not_damped():
    out = resample(tone(6_400, 24_000), 24_000, 16_000)[EDGE]

    assert 20 * np.log10(np.abs(out).max()) > -1.0


@pytest.mark.parametrize(("in_hz", "out_hz"), RATES)
def test_stream_in_odd_pieces_equals_the_whole(in_hz, out_hz):
    noise = np.random.default_rng(1).normal(size=in_hz).astype(np.float32)
    converter = Resampler(in_hz, out_hz)

    pieces = [converter.feed(noise[at : at + 331]) for at in range(0, in_hz, 331)]
    streamed = np.concatenate([*pieces, converter.flush()])

    whole = resample(noise, in_hz, out_hz)
    assert len(whole) == out_hz
    assert np.allclose(streamed[: len(whole)], whole, atol=1e-6)


def test_reset_forgets_the_stream():
    converter = Resampler(24_000, 16_000)
    first = converter.feed(tone(500, 24_000, 0.1))
    converter.reset()

    assert np.array_equal(first, converter.feed(tone(500, 24_000, 0.1)))


def test_loud_samples_are_clipped_not_wrapped():
    assert samples_to_pcm16(np.array([2.0, -2.0], np.float32)) == b"\xff\x7f\x00\x80"


def test_pcm_survives_the_way_to_samples_and_back():
    pcm = np.arange(-32768, 32768, dtype="<i2").tobytes()

    assert samples_to_pcm16(pcm16_to_samples(pcm)) == pcm
