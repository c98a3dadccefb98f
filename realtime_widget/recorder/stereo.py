"""Two voices on one clock, written as a stereo WAV file; for a thread.

The visitor's frames stand where they arrived, the agent's where the page plays them:
at once, or behind what it still has. What an interruption threw away was not heard and
is not in the file. The last seconds stay in memory, as an interruption may reach back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Final, Literal

from realtime_widget.protocol.audio import AudioFormat

Side = Literal["visitor", "agent"]
# So much of the agent may be taken back: what is sent ahead, and a page's late answer.
HOLD_S: Final = 8.0
# Frames come a little early or late; only a longer pause is one.
JITTER_S: Final = 0.2
# A clock that jumps fills no disk.
LONGEST_PAUSE_S: Final = 4_000.0
SILENCE: Final = {"pcm16": 0x00, "pcmu": 0xFF, "pcma": 0xD5}
# Format tags of RIFF WAVE.
TAGS: Final = {"pcm16": 1, "pcma": 6, "pcmu": 7}
CHANNELS: Final = 2
# Items that an interruption may still speak of.
ITEMS_KEPT: Final = 16


@dataclass(frozen=True, slots=True)
class Sound:
    """A frame, and when it came."""

    at_s: float
    side: Side
    frame: bytes


@dataclass(frozen=True, slots=True)
class Begin:
    """The agent's next frame begins this item."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Cut:
    """Of this item no more than this was heard."""

    item_id: str
    heard_ms: int


Piece = Sound | Begin | Cut


class StereoFile:
    """A WAV file that grows.

    Args:
        audio: Format of both voices.
    """

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._silence = SILENCE[audio.name]
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - closed by its owner
        self._file.write(self._header(0))
        self._began_s: float | None = None
        # In samples: what is in the file, and where each voice ends.
        self._written = 0
        self._ends: dict[Side, int] = {"visitor": 0, "agent": 0}
        # What is not in the file yet.
        self._held: dict[Side, bytearray] = {
            "visitor": bytearray(),
            "agent": bytearray(),
        }
        self._beginning = ""
        self._item_starts: dict[str, int] = {}

    @property
    def duration_s(self) -> float:
        """Return how long it is so far."""
        return max(self._ends.values()) / self._audio.rate_hz

    def feed(self, pieces: Iterable[Piece], now_s: float) -> None:
        """Take what came, and write what is old enough."""
        for piece in pieces:
            if isinstance(piece, Sound):
                self._sound(piece)
            elif isinstance(piece, Begin):
                self._beginning = piece.item_id
            else:
                self._cut(piece)
        if self._began_s is not None:
            self._write(self._samples(now_s - self._began_s - HOLD_S))

    def finish(self) -> IO[bytes]:
        """Write the rest and return the whole file, from its beginning."""
        self._write(max(self._ends.values()))
        size_bytes = self._written * CHANNELS * self._audio.sample_bytes
        self._file.seek(0)
        self._file.write(self._header(size_bytes))
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Forget it; it leaves nothing on the disk."""
        self._file.close()

    def _sound(self, sound: Sound) -> None:
        length = len(sound.frame) // self._audio.sample_bytes
        if self._began_s is None:
            # The visitor's first frame was spoken before it came.
            spoken_s = length / self._audio.rate_hz if sound.side == "visitor" else 0.0
            self._began_s = sound.at_s - spoken_s
        at, end = self._samples(sound.at_s - self._began_s), self._ends[sound.side]
        if sound.side == "visitor":
            at -= length
        pause = at - end
        if sound.side == "visitor" and pause <= self._samples(JITTER_S):
            pause = 0
        pause = min(max(0, pause), self._samples(LONGEST_PAUSE_S))
        self._extend(sound.side, end + pause)
        if sound.side == "agent" and self._beginning:
            self._item_starts[self._beginning] = end + pause
            while len(self._item_starts) > ITEMS_KEPT:
                del self._item_starts[next(iter(self._item_starts))]
            self._beginning = ""
        self._held[sound.side] += sound.frame[: length * self._audio.sample_bytes]
        self._ends[sound.side] += length

    def _cut(self, cut: Cut) -> None:
        start = self._item_starts.get(cut.item_id)
        if start is None:
            return
        end = max(start + self._samples(cut.heard_ms / 1_000), self._written)
        if end < self._ends["agent"]:
            kept = (end - self._written) * self._audio.sample_bytes
            del self._held["agent"][kept:]
            self._ends["agent"] = end

    def _extend(self, side: Side, end: int) -> None:
        """Fill one voice with silence up to a place."""
        missing = end - self._ends[side]
        if missing > 0:
            silence = bytes([self._silence]) * (missing * self._audio.sample_bytes)
            self._held[side] += silence
            self._ends[side] = end

    def _write(self, end: int) -> None:
        """Write both voices up to a place, interleaved."""
        count = end - self._written
        if count <= 0:
            return
        size = self._audio.sample_bytes
        stereo = bytearray(count * CHANNELS * size)
        for channel, side in enumerate(self._held):
            self._extend(side, end)
            part = self._held[side][: count * size]
            del self._held[side][: count * size]
            for byte in range(size):
                stereo[channel * size + byte :: CHANNELS * size] = part[byte::size]
        self._file.write(stereo)
        self._written = end

    def _samples(self, seconds: float) -> int:
        return int(seconds * self._audio.rate_hz)

    def _header(self, size_bytes: int) -> bytes:
        """Return the header of a WAV file with so much sound (RIFF WAVE)."""
        audio = self._audio
        block = CHANNELS * audio.sample_bytes
        form = struct.pack(
            "<HHIIHHH",
            TAGS[audio.name],
            CHANNELS,
            audio.rate_hz,
            audio.rate_hz * block,
            block,
            8 * audio.sample_bytes,
            0,
        )
        head = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form
        head += b"data" + struct.pack("<I", size_bytes)
        return b"RIFF" + struct.pack("<I", len(head) + size_bytes) + head
