"""Events on their way to the model's side that its connection has not taken yet."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

# A model's side that lets so much wait takes nothing any more.
MAX_BYTES: Final = 1024 * 1024


class WaitingEvents:
    """The queue of the bridge's writer, within a bound of bytes.

    Args:
        max_bytes: Audio that would not fit is dropped; other events make it overfull.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._events: deque[bytes] = deque()
        self._size_bytes = 0

    def __len__(self) -> int:
        """Return how many events wait."""
        return len(self._events)

    @property
    def overfull(self) -> bool:
        """Return whether more waits than a connection that works ever leaves."""
        return self._size_bytes > self._max_bytes

    def put(self, event: Mapping[str, Any]) -> None:
        """Add an event that must not be lost."""
        self._add(json.dumps(event).encode())

    def put_audio(self, event: bytes) -> None:
        """Add an ``input_audio_buffer.append``, if there is room for it."""
        if self._size_bytes + len(event) <= self._max_bytes:
            self._add(event)

    def take(self) -> bytes:
        """Return the oldest event."""
        event = self._events.popleft()
        self._size_bytes -= len(event)
        return event

    def clear(self) -> None:
        """Forget everything."""
        self._events.clear()
        self._size_bytes = 0

    def _add(self, event: bytes) -> None:
        self._events.append(event)
        self._size_bytes += len(event)
