"""Audio on its way to the page: queue, pace, and what was heard of it.

The queue lets audio out at most a lead ahead of what the page has heard. What was
heard is what the page reports; between two reports, and before the first, it is
estimated by the clock. No I/O and no clock in here: the time comes in.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakSet

from realtime_widget.protocol.audio import AudioFormat

MAX_FRAME_MS = 100  # longest binary frame of the browser protocol
# Reports come about every 250 ms; without one the clock is believed only this far.
REPORT_VALID_MS = 1_000
# A page cannot have played faster than real time; this allows for its own clock.
CLOCK_SLACK_MS = 500
# How long after the estimated end a page that reports may still say "done".
DONE_GRACE_S = 1.0
# Audio that had to wait is let out in pieces of this length, to wake up seldom.
PACE_S = 0.1

# The sessions of this process in which more audio waits than is their own share.
_beyond: Final[WeakSet[Playback]] = WeakSet()


@dataclass(slots=True)
class Track:
    """The audio of one item.

    Attributes:
        received_bytes: What the model's side has sent.
        sent_bytes: What was given to the page.
        base_ms: What was heard at ``base_s``, by report or estimate.
        reported: Whether the page has reported on this item.
        closed: No more audio will come.
        end_sent: The page was told so.
        done: The page has played it all.
    """

    item_id: str
    response_id: str
    first_s: float = 0.0
    received_bytes: int = 0
    sent_bytes: int = 0
    base_ms: float = 0.0
    base_s: float = 0.0
    reported: bool = False
    closed: bool = False
    end_sent: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """An answer that was silenced before its end.

    Attributes:
        heard_ms: What was heard, estimated.
        sent_ms: What the page can have heard at most.
        received_ms: What the model's side had sent.
        complete: Whether that was all of it.
    """

    item_id: str
    heard_ms: int
    sent_ms: int
    received_ms: int
    complete: bool


class Playback:
    """Queue and play clock of one session.

    Args:
        audio: Format of the audio.
        lead_s: How far ahead of what was heard audio is let out.
        stalled_s: How long a page may take nothing while audio waits.
        own_bytes: So much may wait in any case.
        spare_bytes: What all sessions of this process share beyond that.
    """

    def __init__(
        self,
        audio: AudioFormat,
        *,
        lead_s: float,
        stalled_s: float,
        own_bytes: int = 1536 * 1024,
        spare_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        self._bytes_per_ms = audio.bytes_per_ms
        self._frame_bytes = MAX_FRAME_MS * audio.bytes_per_ms
        self._lead_ms = lead_s * 1000
        self._stalled_s = stalled_s
        self._own_bytes = own_bytes
        self._spare_bytes = spare_bytes
        self._tracks: dict[str, Track] = {}
        self._queue: deque[tuple[Track, bytes | dict[str, Any]]] = deque()
        self._queued_bytes = 0
        self._unanswered_bytes = 0
        self._progress_s = 0.0
        self._reports = False
        self._heard_until_s = 0.0

    @property
    def queued_ms(self) -> int:
        """Return how much audio waits to be sent."""
        return self._queued_bytes // self._bytes_per_ms

    @property
    def item_ids(self) -> list[str]:
        """Return what is heard or waits to be, oldest first."""
        return list(self._tracks)

    def has_room(self, size_bytes: int) -> bool:
        """Return whether so much more audio may wait. HOT.

        A model may send minutes of audio in seconds, and it is heard in its own time.
        A few long answers fit into what the sessions share; of many, none may take
        the memory of the process.
        """
        if self._beyond_bytes + size_bytes <= 0:
            return True
        spent = sum(max(0, other._beyond_bytes) for other in _beyond)
        own = min(size_bytes, self._beyond_bytes + size_bytes)
        return spent + own <= self._spare_bytes

    def add(self, item_id: str, response_id: str, audio: bytes) -> bool:
        """Queue a piece of an answer.

        Returns:
            True when it is the first of its item.
        """
        track = self._tracks.get(item_id)
        first = track is None
        if track is None:
            track = self._tracks[item_id] = Track(item_id, response_id)
            self._queue.append((track, self._mark(track, "audio.start")))
        track.received_bytes += len(audio)
        self._queued_bytes += len(audio)
        if self._beyond_bytes > 0:
            _beyond.add(self)
        size = self._frame_bytes
        for start in range(0, len(audio), size):
            self._queue.append((track, audio[start : start + size]))
        return first

    def close(self, item_id: str) -> None:
        """Note that an item's audio is complete."""
        track = self._tracks.get(item_id)
        if track is not None and not track.closed:
            track.closed = True
            self._queue.append((track, self._mark(track, "audio.end")))

    def close_response(self, response_id: str) -> None:
        """Close every item of a response that has ended."""
        for track in list(self._tracks.values()):
            if track.response_id == response_id:
                self.close(track.item_id)

    def take(self, now_s: float) -> bytes | dict[str, Any] | None:
        """Return the next frame or mark to send, None while nothing may be sent."""
        if not self._queue:
            return None
        track, piece = self._queue[0]
        if isinstance(piece, dict):
            self._queue.popleft()
            track.end_sent = track.end_sent or piece["type"] == "audio.end"
            return piece
        if self._wait_ms(len(piece), now_s) > 0:
            return None
        self._queue.popleft()
        self._note_sent(track, len(piece), now_s)
        return piece

    def next_due_s(self, now_s: float) -> float | None:
        """Return when ``take`` may have something, None while the queue is empty."""
        if not self._queue:
            return None
        piece = self._queue[0][1]
        if isinstance(piece, dict):
            return now_s
        wait_ms = self._wait_ms(len(piece), now_s)
        return now_s if wait_ms <= 0 else now_s + wait_ms / 1000 + PACE_S

    def report(
        self, item_id: str, played_ms: float, now_s: float, *, done: bool
    ) -> None:
        """Take the page's word on what was heard, as far as it can be true."""
        track = self._tracks.get(item_id)
        if track is None or not track.sent_bytes:
            return
        possible_ms = (now_s - track.first_s) * 1000 + CLOCK_SLACK_MS
        played_ms = min(played_ms, self._ms(track.sent_bytes), possible_ms)
        self._reports = track.reported = True
        if played_ms > track.base_ms or done:
            self._progress_s = now_s
            self._unanswered_bytes = 0
        track.base_ms, track.base_s = played_ms, now_s
        track.done = done and track.end_sent
        for earlier in self._before(track):
            del self._tracks[earlier.item_id]
        if track.done:
            self._heard_until_s = now_s
            del self._tracks[item_id]

    def heard_ms(self, item_id: str, now_s: float) -> int:
        """Return how much of an item was heard, floored; 0 when it is unknown."""
        track = self._tracks.get(item_id)
        if track is None:
            return 0
        # Half a microsecond makes up for the rounding of the clock's fractions.
        return int(self._heard_ms(track, now_s) + 0.0005)

    def active(self, now_s: float) -> bool:
        """Return whether an answer is being heard or waits to be."""
        for track in list(self._tracks.values()):
            if not self._over(track, now_s):
                return True
            self._heard_until_s = self._end_s(track)
            del self._tracks[track.item_id]
        return False

    def end_s(self) -> float:
        """Return when the last answer was or will have been heard, 0 if none was."""
        return max(
            [self._heard_until_s, *(self._end_s(t) for t in self._tracks.values())]
        )

    def look_again_s(self, now_s: float, at_most_s: float) -> float:
        """Return when ``active`` and ``stalled`` are to be asked again."""
        over_s = self.end_s() + (DONE_GRACE_S if self._reports else 0.0)
        return over_s if now_s < over_s < now_s + at_most_s else now_s + at_most_s

    def interrupt(self, now_s: float) -> list[Cut]:
        """Drop all audio.

        Returns:
            The answers this silences, the one being heard first.
        """
        cuts = [
            Cut(
                item_id=track.item_id,
                heard_ms=self.heard_ms(track.item_id, now_s),
                sent_ms=int(self._ms(track.sent_bytes)),
                received_ms=int(self._ms(track.received_bytes)),
                complete=track.closed,
            )
            for track in self._tracks.values()
            if not self._over(track, now_s)
        ]
        self._tracks.clear()
        self._queue.clear()
        self._queued_bytes = 0
        _beyond.discard(self)
        self._unanswered_bytes = 0
        return cuts

    def idle_page_s(self, now_s: float) -> float:
        """Return for how long the page has taken nothing although audio waits."""
        if not self._unanswered_bytes or not self.active(now_s):
            return 0.0
        # A page that never reports is believed for as much audio as a stall lasts.
        silent_s = self._ms(self._unanswered_bytes) / 1000
        return max(now_s - self._progress_s if self._queue else 0.0, silent_s)

    def stalled(self, now_s: float) -> bool:
        """Return whether the page has stopped taking audio."""
        return self.idle_page_s(now_s) > self._stalled_s

    @property
    def _beyond_bytes(self) -> int:
        """Return what waits beyond the own share, negative below it."""
        return self._queued_bytes - self._own_bytes

    def _mark(self, track: Track, kind: str) -> dict[str, Any]:
        return {
            "type": kind,
            "item_id": track.item_id,
            "response_id": track.response_id,
        }

    def _ms(self, size_bytes: int) -> float:
        return size_bytes / self._bytes_per_ms

    def _note_sent(self, track: Track, size_bytes: int, now_s: float) -> None:
        sent_ms = self._ms(track.sent_bytes)
        if not track.sent_bytes:
            track.first_s = now_s
        if self._heard_ms(track, now_s) >= sent_ms:
            # The first piece, or the page ran dry: hearing starts (again) now, or
            # after the answer before it.
            track.base_ms = sent_ms
            track.base_s = max([now_s, *(self._end_s(t) for t in self._before(track))])
        if not self._unanswered_bytes:
            self._progress_s = now_s
        track.sent_bytes += size_bytes
        self._queued_bytes -= size_bytes
        if self._beyond_bytes <= 0:
            _beyond.discard(self)
        self._unanswered_bytes += size_bytes

    def _before(self, track: Track) -> list[Track]:
        tracks = list(self._tracks.values())
        return tracks[: tracks.index(track)]

    def _heard_ms(self, track: Track, now_s: float) -> float:
        passed_ms = max(0.0, now_s - track.base_s) * 1000
        if track.reported:
            passed_ms = min(passed_ms, REPORT_VALID_MS)
        return min(self._ms(track.sent_bytes), track.base_ms + passed_ms)

    def _end_s(self, track: Track) -> float:
        left_ms = self._ms(track.sent_bytes) - track.base_ms
        return track.base_s + left_ms / 1000

    def _over(self, track: Track, now_s: float) -> bool:
        if not track.end_sent:
            return False
        grace_s = DONE_GRACE_S if self._reports else 0.0
        return now_s >= self._end_s(track) + grace_s

    def _wait_ms(self, size_bytes: int, now_s: float) -> float:
        """Return how long a piece must wait to stay within the lead."""
        ahead_ms = self._ms(size_bytes)
        for track in self._tracks.values():
            ahead_ms += self._ms(track.sent_bytes) - self._heard_ms(track, now_s)
        return ahead_ms - self._lead_ms
