"""PCM16 of 24 kHz to speak with."""

from __future__ import annotations

import math
import struct

PIECE_BYTES = 100 * 48
_WAVE = [round(8_000 * math.sin(2 * math.pi * at / 80)) for at in range(80)]
_SECOND = struct.pack("<80h", *_WAVE) * 300


def loud(ms):
    """Return a tone of so many ms."""
    return (_SECOND * (ms // 1000 + 1))[: ms * 48]


def quiet(ms):
    """Return so many ms of digital silence."""
    return bytes(ms * 48)


def pieces(pcm):
    """Yield sound as a microphone does, 100 ms at a time."""
    for at in range(0, len(pcm), PIECE_BYTES):
        yield pcm[at : at + PIECE_BYTES]
