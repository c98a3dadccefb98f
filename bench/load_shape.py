"""The shape of one talk, and the stamps that travel inside its audio."""

from __future__ import annotations

import math
import struct
import time
from base64 import b64encode
from typing import Final

FRAME_MS: Final = 40
FRAME_BYTES: Final = FRAME_MS * 48
DELTA_MS: Final = 200
DELTA_BYTES: Final = DELTA_MS * 48
DELTAS_PER_ANSWER: Final = 25
DELTA_INTERVAL_S: Final = DELTA_MS / 1000 / 4
ANSWER_PERIOD_S: Final = 10.0

STAMP: Final = struct.Struct("<Q")


def speech_like(size_bytes: int) -> bytes:
    """Return PCM16 that is neither silence nor noise: a tone with a moving pitch."""
    samples = (
        int(9000 * math.sin(0.05 * n + 3 * math.sin(0.0007 * n)))
        for n in range(size_bytes // 2)
    )
    return b"".join(struct.pack("<h", sample) for sample in samples)


FRAME_TAIL: Final = speech_like(FRAME_BYTES)[STAMP.size :]
_DELTA_HEAD_BYTES: Final = 24  # a multiple of three: base64 splits there
_DELTA: Final = speech_like(DELTA_BYTES)
_DELTA_HEAD_TAIL: Final = _DELTA[STAMP.size : _DELTA_HEAD_BYTES]
_DELTA_BASE64_TAIL: Final = b64encode(_DELTA[_DELTA_HEAD_BYTES:])


def stamped_frame() -> bytes:
    """Return 40 ms of microphone audio that says when it was sent."""
    return STAMP.pack(time.monotonic_ns()) + FRAME_TAIL


def stamped_delta_base64() -> bytes:
    """Return 200 ms of answer audio in base64 that says when it was sent."""
    head = STAMP.pack(time.monotonic_ns()) + _DELTA_HEAD_TAIL
    return b64encode(head) + _DELTA_BASE64_TAIL


def age_ms(stamped: bytes | memoryview) -> float:
    """Return how long ago audio that begins with a stamp was sent, in ms."""
    return (time.monotonic_ns() - STAMP.unpack_from(stamped)[0]) / 1e6


def percentile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of the values lie."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
