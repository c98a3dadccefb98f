"""Speech by loudness alone, and a recogniser that tells its length instead of its words."""

from __future__ import annotations

import sys
from array import array

from realtime_widget.engine.ports import VAD_FRAME_MS
from realtime_widget.protocol.audio import PCM16

_FRAME_BYTES = VAD_FRAME_MS * PCM16.bytes_per_ms


class LoudnessVad:
    """Takes every frame for speech that is loud enough.

    Args:
        above: The mean absolute sample that a frame has to exceed, 0 to 32767. With 0
            every frame is speech that is not digital silence.
    """

    def __init__(self, above: float = 0) -> None:
        self._above = above
        self._rest = b""

    def feed(self, pcm: bytes) -> list[float]:
        """Return 1.0 for each full frame of 32 ms that is loud, 0.0 for the others."""
        pcm = self._rest + pcm
        end = len(pcm) - len(pcm) % _FRAME_BYTES
        self._rest = pcm[end:]
        return [
            1.0 if self._is_loud(pcm[at : at + _FRAME_BYTES]) else 0.0
            for at in range(0, end, _FRAME_BYTES)
        ]

    def reset(self) -> None:
        """Forget the beginning of a frame."""
        self._rest = b""

    def _is_loud(self, frame: bytes) -> bool:
        if self._above == 0:
            return frame.count(0) < len(frame)
        samples = array("h", frame)
        if sys.byteorder == "big":
            samples.byteswap()
        return sum(map(abs, samples)) > self._above * len(samples)


class LengthStt:
    """Hears how long somebody spoke, and no word of it.

    Args:
        above: As in ``LoudnessVad``.
    """

    def __init__(self, above: float = 0) -> None:
        self._above = above

    def transcribe(self, pcm: bytes, *, language: str = "", prompt: str = "") -> str:
        """Return for example "1.4 seconds of speech", "" for silence."""
        loud_ms = VAD_FRAME_MS * LoudnessVad(self._above).feed(pcm).count(1.0)
        return f"{loud_ms / 1000:.1f} seconds of speech" if loud_ms else ""
