"""What one client of the engine's server may do, so that the others are served too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one client; beyond the first four it is told so and cut off.

    A microphone sends 10 to 50 events and 64 kB a second.

    Attributes:
        events_at_once: Events that may come as fast as they like.
        events_per_s: How fast that allowance grows again.
        bytes_at_once: Bytes of events that may come as fast as they like.
        bytes_per_s: How fast that allowance grows again.
        unread_s: How long a client may take nothing while something waits for it.
        event_bytes: Longest event; the WebSocket closes with 1009 beyond. 15 MiB of
            audio as base64 and the JSON around it.
        waiting_events: Events that are read from the network before they are taken.
    """

    events_at_once: int = 20_000
    events_per_s: float = 1_000
    bytes_at_once: int = 128 * 1024 * 1024
    bytes_per_s: float = 4 * 1024 * 1024
    unread_s: float = 20
    event_bytes: int = 21 * 1024 * 1024
    waiting_events: int = 4


class Allowance:
    """So much at once, and more as time goes by: a token bucket, without a clock.

    Args:
        at_once: What may be taken at once.
        per_s: What comes back a second.
        now_s: The time on a clock that only goes forward.
    """

    def __init__(self, at_once: float, per_s: float, now_s: float) -> None:
        self._most = at_once
        self._per_s = per_s
        self._left = at_once
        self._seen_s = now_s

    def take(self, amount: float, now_s: float) -> bool:
        """Take some; False, and nothing is taken, when there is too little. HOT."""
        grown = self._left + (now_s - self._seen_s) * self._per_s
        self._left = min(self._most, grown)
        self._seen_s = now_s
        if amount > self._left:
            return False
        self._left -= amount
        return True
