"""A voice of tones: as long as the words would take, and the same bytes every time."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Final

from realtime_widget.engine.speakable import speakable
from realtime_widget.protocol.audio import PCM16, PCM16_SAMPLE_RATE_HZ

# English is spoken at some 15 characters a second.
MS_PER_CHAR: Final = 65
SENTENCE_MIN_MS: Final = 200
_AMPLITUDE: Final = 6_000
# Each of these divides the sample rate, so that a whole number of samples is one wave.
_PITCHES_HZ: Final = (200, 240, 250, 300, 320, 375, 400, 480)


def tone_ms(text: str, speed: float = 1.0) -> int:
    """Return how long the tone of a text lasts, 0 when nothing of it can be said."""
    words = speakable(text)
    if not words:
        return 0
    return round(max(SENTENCE_MIN_MS, MS_PER_CHAR * len(words)) / speed)


class ToneTts:
    """Hums: one pitch a voice, ``MS_PER_CHAR`` for each character."""

    def speak(
        self, text: str, *, voice: str = "", speed: float = 1.0
    ) -> Iterator[bytes]:
        """Yield the tone of a sentence, a second at a time."""
        left_bytes = tone_ms(text, speed) * PCM16.bytes_per_ms
        pitch_hz = _PITCHES_HZ[zlib.crc32(voice.encode()) % len(_PITCHES_HZ)]
        second = _second(pitch_hz)
        while left_bytes > 0:
            yield second[:left_bytes]
            left_bytes -= len(second)


@cache
def _second(pitch_hz: int) -> bytes:
    """Return one second of a sine."""
    period = PCM16_SAMPLE_RATE_HZ // pitch_hz
    wave = [
        round(_AMPLITUDE * math.sin(2 * math.pi * at / period)) for at in range(period)
    ]
    return struct.pack(f"<{period}h", *wave) * pitch_hz
