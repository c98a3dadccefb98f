"""The input audio buffer: what was appended and not yet committed."""

from __future__ import annotations

from collections import deque
from typing import Final

from realtime_widget.engine.g711 import G711Decoder
from realtime_widget.protocol.audio import PCM16, AudioFormat

# Speech is kept up to this long; of more, the newest. 48 kB a second.
MAX_HELD_MS: Final = 120_000


class InputAudio:
    """Holds audio as it came, in pieces, and gives it out once in one.

    Positions are milliseconds of audio since the session's start. Whatever the wire
    carries, what is held is 16-bit little-endian mono PCM at 24 kHz.

    Args:
        wire: The format in which audio is appended.
    """

    def __init__(self, wire: AudioFormat = PCM16) -> None:
        self._wire = wire
        self._decoder = self._make_decoder()
        self._odd_byte = b""
        self._pieces: deque[bytes] = deque()
        self._held_bytes = 0
        self._written_bytes = 0

    @property
    def written_ms(self) -> int:
        """Audio that was ever appended."""
        return PCM16.duration_ms(self._written_bytes)

    @property
    def held_ms(self) -> float:
        """Audio that is held, with fractions."""
        return self._held_bytes / PCM16.bytes_per_ms

    def set_format(self, wire: AudioFormat) -> None:
        """Take audio in another format from now on.

        Raises:
            ImportError: If it is G.711 and numpy is missing.
        """
        if wire.name != self._wire.name:
            self._wire = wire
            self._decoder = self._make_decoder()
            self._odd_byte = b""

    def append(self, data: bytes) -> bytes:
        """Hold audio in the wire's format; return it as PCM."""
        if self._decoder is not None:
            pcm = self._decoder.feed(data)
        elif self._odd_byte or len(data) % 2:
            whole = self._odd_byte + data
            self._odd_byte = whole[len(whole) & ~1 :]
            pcm = whole[: len(whole) & ~1]
        else:
            pcm = data
        self._hold(pcm)
        self.keep(MAX_HELD_MS)
        return pcm

    def flush(self) -> None:
        """Hold what a converter still has: the client will wait for it."""
        if self._decoder is not None:
            self._hold(self._decoder.flush())

    def keep(self, newest_ms: int) -> None:
        """Forget what is older than the newest so many ms, by whole pieces."""
        keep_bytes = newest_ms * PCM16.bytes_per_ms
        while self._pieces and self._held_bytes - len(self._pieces[0]) >= keep_bytes:
            self._held_bytes -= len(self._pieces.popleft())

    def copy(self, start_ms: int, end_ms: int) -> bytes:
        """Return the held part of a span."""
        first_byte = self._written_bytes - self._held_bytes
        start = max(0, start_ms * PCM16.bytes_per_ms - first_byte)
        end = max(start, end_ms * PCM16.bytes_per_ms - first_byte)
        return b"".join(self._pieces)[start:end]

    def take_all(self) -> bytes:
        """Return all that is held, and hold nothing."""
        pcm = b"".join(self._pieces)
        self.clear()
        return pcm

    def clear(self) -> None:
        """Hold nothing."""
        self._pieces.clear()
        self._held_bytes = 0
        self._odd_byte = b""

    def _hold(self, pcm: bytes) -> None:
        if pcm:
            self._pieces.append(pcm)
            self._held_bytes += len(pcm)
            self._written_bytes += len(pcm)

    def _make_decoder(self) -> G711Decoder | None:
        if self._wire.name == "pcm16":
            return None
        return G711Decoder(self._wire.name)
