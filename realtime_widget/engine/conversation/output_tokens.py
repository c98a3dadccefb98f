"""What an answer has cost so far, and how much more of it may come.

``max_output_tokens`` bounds words, arguments and audio together, as at the Realtime API.
"""

from __future__ import annotations

import math

from realtime_widget.engine.conversation.usage import (
    ANSWER_MS_PER_TOKEN,
    CHARS_PER_TOKEN,
    text_tokens,
)
from realtime_widget.protocol.audio import PCM16


class OutputTokens:
    """Counts one answer's tokens.

    Args:
        bound: How many there may be, None for no bound.
    """

    def __init__(self, bound: int | None) -> None:
        self._bound = bound
        self._chars = 0
        self._call_tokens = 0
        self._audio_bytes = 0

    @property
    def text(self) -> int:
        """Tokens of words and arguments."""
        return math.ceil(self._chars / CHARS_PER_TOKEN) + self._call_tokens

    def words(self, text: str) -> str:
        """Count words and return those that fit; none fits once some did not."""
        if self._bound is not None:
            used = self._call_tokens + self._audio
            text = text[: max(0, (self._bound - used) * CHARS_PER_TOKEN - self._chars)]
        self._chars += len(text)
        return text

    def audio(self, pcm: bytes) -> bytes:
        """Count audio and return what fits; 16-bit mono PCM at 24 kHz."""
        if self._bound is not None:
            room_ms = (self._bound - self.text) * ANSWER_MS_PER_TOKEN
            room_bytes = room_ms * PCM16.bytes_per_ms - self._audio_bytes
            pcm = pcm[: max(0, room_bytes)]
        self._audio_bytes += len(pcm)
        return pcm

    def call(self, name: str, arguments: str) -> bool:
        """Count a function call and return whether it fits."""
        tokens = text_tokens(name + arguments)
        if self._bound is not None and self.text + self._audio + tokens > self._bound:
            return False
        self._call_tokens += tokens
        return True

    @property
    def _audio(self) -> int:
        duration_ms = self._audio_bytes / PCM16.bytes_per_ms
        return math.ceil(duration_ms / ANSWER_MS_PER_TOKEN)
