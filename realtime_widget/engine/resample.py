"""Change the sample rate of a stream by a windowed-sinc polyphase filter.

Needs numpy, so nothing imports this module before a voice part is wanted.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# Zero crossings of the sinc on each side: delay of 1 ms at 24 kHz -> 16 kHz.
_HALF_CROSSINGS: Final = 16
# Kaiser window for about 100 dB, and the pass band as a part of the lower Nyquist rate.
_KAISER_BETA: Final = 10.0
_PASS_BAND: Final = 0.92


def pcm16_to_samples(pcm: bytes) -> Samples:
    """Return 16-bit little-endian PCM as samples from -1 to 1."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) * np.float32(1 / 32768)


def samples_to_pcm16(samples: Samples) -> bytes:
    """Return samples as 16-bit little-endian PCM, clipped."""
    return pcm16_codes(samples).view("<i2").tobytes()


def pcm16_codes(samples: Samples) -> NDArray[np.uint16]:
    """Return samples as 16-bit PCM, clipped, its bits read as unsigned numbers."""
    scaled = np.rint(samples * np.float32(32768))
    signed = np.clip(scaled, -32768, 32767).astype("<i2")
    return np.asarray(signed.view("<u2"), np.uint16)


class Resampler:
    """Converts one stream; keeps what the next piece needs.

    Args:
        in_hz: Rate of what is fed.
        out_hz: Rate of what comes out. The two must have a small common ratio.
    """

    def __init__(self, in_hz: int, out_hz: int) -> None:
        common = math.gcd(in_hz, out_hz)
        self._up = out_hz // common
        self._down = in_hz // common
        half = math.ceil(_HALF_CROSSINGS * max(1.0, self._down / self._up))
        self._width = 2 * half
        self._taps = _polyphase(self._up, self._down, self._width)
        self._half = half
        self.reset()

    def reset(self) -> None:
        """Forget the stream; the next piece starts a new one."""
        # Starting with half a filter of silence keeps input and output in step:
        # the first sample out stands for the first sample in.
        self._kept: Samples = np.zeros(self._width - self._half - 1, np.float32)

    def feed(self, samples: Samples) -> Samples:
        """Return what can be said about the stream so far; lags by half a filter."""
        stream = np.concatenate((self._kept, samples))
        blocks = (len(stream) - self._width + 1) // self._down
        if blocks <= 0:
            self._kept = stream
            return np.zeros(0, np.float32)
        windows = sliding_window_view(stream, self._width)
        out = np.empty(blocks * self._up, np.float32)
        end = (blocks - 1) * self._down + 1
        for step in range(self._up):
            offset, phase = divmod(step * self._down, self._up)
            rows = windows[offset : offset + end : self._down]
            out[step :: self._up] = rows @ self._taps[phase]
        self._kept = stream[blocks * self._down :].copy()
        return out

    def flush(self) -> Samples:
        """Return the rest of the stream and forget it."""
        # The tail is followed by silence long enough to push its last sample out.
        rest = self.feed(np.zeros(self._half + self._down, np.float32))
        self.reset()
        return rest


def resample(samples: Samples, in_hz: int, out_hz: int) -> Samples:
    """Convert a whole recording; the length is kept to the sample."""
    if in_hz == out_hz:
        return samples
    converter = Resampler(in_hz, out_hz)
    whole = np.concatenate((converter.feed(samples), converter.flush()))
    length = round(len(samples) * out_hz / in_hz)
    if len(whole) < length:
        whole = np.concatenate((whole, np.zeros(length - len(whole), np.float32)))
    return whole[:length]


def _polyphase(up: int, down: int, width: int) -> Samples:
    """Return the filter's phases, one row each, taps in the stream's order.

    Row ``p`` weighs ``width`` input samples for the output that lies ``p / up`` of a
    sample behind the middle one.
    """
    middle = width // 2 - 1
    cutoff = _PASS_BAND * min(1.0, up / down)
    rows = []
    for phase in range(up):
        distance = np.arange(width) - middle - phase / up
        window = np.i0(
            _KAISER_BETA * np.sqrt(np.clip(1 - (distance / (width / 2)) ** 2, 0, 1))
        )
        taps = np.sinc(cutoff * distance) * window
        rows.append(taps / taps.sum())
    return np.asarray(rows, np.float32)
