"""How fast one visitor, page and process may go on, counted in this process.

Time is passed in (``now_s``, monotonic), so tests need no clock.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from realtime_widget.conf import Conf

# Addresses whose opens are remembered; the one seen longest ago goes first.
ADDRESSES_KEPT = 10_000


class TokenBucket:
    """Lets ``per_s`` pass on average and ``burst`` at once.

    Args:
        per_s: Refilled each second.
        burst: Most it holds; it starts full.
    """

    __slots__ = ("_left", "_seen_s", "burst", "per_s")

    def __init__(self, per_s: float, burst: float) -> None:
        self.per_s = per_s
        self.burst = burst
        self._left = burst
        self._seen_s: float | None = None

    def take(self, now_s: float, amount: float = 1.0) -> bool:
        """Take ``amount`` if it is there; take nothing if it is not."""
        if self._seen_s is not None and self._left < self.burst:
            passed_s = max(0.0, now_s - self._seen_s)
            self._left = min(self.burst, self._left + passed_s * self.per_s)
        self._seen_s = now_s
        if amount > self._left:
            return False
        self._left -= amount
        return True

    def credit(self, amount: float) -> None:
        """Allow ``amount`` more, once, even above the burst."""
        self._left += amount


class AddressRate:
    """How often each address may ask for a session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, address: str, per_minute: int, now_s: float) -> bool:
        """Tell whether one more is allowed now; 0 a minute is no bound."""
        if not per_minute:
            return True
        with self._lock:
            bucket = self._buckets.pop(address, None)
            if bucket is None or bucket.burst != per_minute:
                bucket = TokenBucket(per_minute / 60, per_minute)
            self._buckets[address] = bucket
            if len(self._buckets) > ADDRESSES_KEPT:
                self._buckets.popitem(last=False)
            return bucket.take(now_s)


class SocketMeter:
    """What one open socket sends; every bound is a setting.

    Args:
        conf: The settings, read once when the socket opens.
    """

    __slots__ = (
        "_audio",
        "_conf",
        "_dropped_bytes",
        "_second_bytes",
        "errors",
        "messages",
        "turns",
    )

    def __init__(self, conf: Conf) -> None:
        self._conf = conf
        self.messages = TokenBucket(conf.MESSAGES_PER_S, conf.MESSAGES_BURST)
        self.turns = TokenBucket(conf.TURNS_PER_S, conf.TURNS_BURST)
        self.errors = 0
        self._audio = TokenBucket(0, 0)
        self._second_bytes = 1
        self._dropped_bytes = 0

    def expect_audio(self, bytes_per_s: int, buffered_s: float) -> None:
        """Start to measure audio.

        Args:
            bytes_per_s: Bytes of one second in the session's format.
            buffered_s: Seconds the page has been recording for already; it sends
                them all at once.
        """
        conf = self._conf
        self._second_bytes = bytes_per_s
        self._audio = TokenBucket(
            conf.AUDIO_RATE * bytes_per_s, conf.AUDIO_BURST_S * bytes_per_s
        )
        self._audio.credit(buffered_s * bytes_per_s)

    def take_audio(self, now_s: float, size_bytes: int) -> bool:
        """Tell whether a frame may pass; one that may not is to be dropped."""
        return self._audio.take(now_s, size_bytes)

    def dropped_a_second(self, size_bytes: int) -> bool:
        """Count dropped audio; True for the first frame of every whole second.

        A network that held back some seconds delivers them at once. That is no
        attack, so mistakes are counted by the second and not by the frame.
        """
        first = self._dropped_bytes == 0
        self._dropped_bytes += size_bytes
        if self._dropped_bytes >= self._second_bytes:
            self._dropped_bytes = 0
        return first

    def error(self) -> bool:
        """Count one mistake of the page; False when there were too many."""
        self.errors += 1
        return self.errors < self._conf.ERRORS_PER_SESSION


# The process's own; every socket of every loop counts here.
opens = AddressRate()
socket_opens = AddressRate()
