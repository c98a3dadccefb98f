"""Audio formats of the Realtime protocol and of the browser protocol.

Source: Realtime API session object, ``audio.input.format`` and
``audio.output.format``: PCM is 16-bit little-endian mono at 24 kHz and nothing
else; G.711 is one byte a sample at 8 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

AudioFormatName = Literal["pcm16", "pcmu", "pcma"]

PCM16_SAMPLE_RATE_HZ: Final = 24_000
G711_SAMPLE_RATE_HZ: Final = 8_000
# Of audio, in one ``input_audio_buffer.append``.
MAX_APPEND_BYTES: Final = 15 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One audio format.

    Attributes:
        name: Its name in the browser protocol.
        rate_hz: Samples a second.
        sample_bytes: Bytes of one sample.
        wire: Its object in the Realtime API.
    """

    name: AudioFormatName
    rate_hz: int
    sample_bytes: int
    wire: dict[str, Any]

    @property
    def bytes_per_ms(self) -> int:
        """Return how many bytes one millisecond takes (48 or 8)."""
        return self.rate_hz * self.sample_bytes // 1000

    def duration_ms(self, size_bytes: int) -> int:
        """Return how long ``size_bytes`` of this audio last, floored, in ms."""
        return size_bytes // self.bytes_per_ms


PCM16: Final = AudioFormat(
    "pcm16", PCM16_SAMPLE_RATE_HZ, 2, {"type": "audio/pcm", "rate": 24_000}
)
PCMU: Final = AudioFormat("pcmu", G711_SAMPLE_RATE_HZ, 1, {"type": "audio/pcmu"})
PCMA: Final = AudioFormat("pcma", G711_SAMPLE_RATE_HZ, 1, {"type": "audio/pcma"})

FORMATS: Final[dict[str, AudioFormat]] = {f.name: f for f in (PCM16, PCMU, PCMA)}
FORMATS_BY_WIRE_TYPE: Final[dict[str, AudioFormat]] = {
    f.wire["type"]: f for f in (PCM16, PCMU, PCMA)
}
