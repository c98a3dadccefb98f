"""The audio of one spoken item on its way to the wire: converted and cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from realtime_widget.engine.g711 import G711Encoder
from realtime_widget.protocol.audio import AudioFormat

# What one ``response.output_audio.delta`` carries: 9,600 bytes of PCM.
DELTA_MS: Final = 200


class AnswerAudio:
    """Cuts a voice's PCM into pieces of the wire's format.

    Args:
        wire: The format of the answer's audio.
    """

    def __init__(self, wire: AudioFormat) -> None:
        self._wire = wire
        self._encoder = None if wire.name == "pcm16" else G711Encoder(wire.name)
        self._rest = b""
        self._sent_bytes = 0

    @property
    def sent_ms(self) -> int:
        """Audio given out so far."""
        return self._wire.duration_ms(self._sent_bytes)

    def feed(self, pcm: bytes) -> Iterator[bytes]:
        """Yield the pieces that are full; ``pcm`` is 16-bit mono at 24 kHz."""
        data = self._rest + (self._encoder.feed(pcm) if self._encoder else pcm)
        size = DELTA_MS * self._wire.bytes_per_ms
        end = len(data) - len(data) % size
        self._rest = data[end:]
        for start in range(0, end, size):
            self._sent_bytes += size
            yield data[start : start + size]

    def flush(self) -> Iterator[bytes]:
        """Yield what is left as a shorter piece: a sentence has ended."""
        rest, self._rest = self._rest, b""
        if rest:
            self._sent_bytes += len(rest)
            yield rest
