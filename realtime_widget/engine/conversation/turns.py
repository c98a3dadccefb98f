"""When somebody speaks and when they have finished, from probabilities of speech.

Source: Realtime API, ``turn_detection``; start rule and hysteresis as measured with the
Silero detector.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from realtime_widget.engine.ports import VAD_FRAME_MS

# Two frames in a row: a click is one.
_START_FRAMES: Final = 2
# Speech that goes on may be this much less sure than speech that begins.
_HYSTERESIS: Final = 0.15
# So long a pause makes it worth to begin recognition before the turn has ended: a frame
# before half of the silence that ends it, so that the words are nearly there when it has
# ended. Shorter pauses are gaps between sounds, longer ones gain nothing.
PAUSE_MIN_MS: Final = 3 * VAD_FRAME_MS
PAUSE_MAX_MS: Final = 200


@dataclass(frozen=True, slots=True)
class Detection:
    """How turns are found; ``session_object.read_detection`` makes it.

    Attributes:
        threshold: Probability of speech from which a frame counts as speech.
        prefix_padding_ms: Audio before the speech that belongs to the turn.
        silence_duration_ms: Silence that ends a turn.
        create_response: Whether a turn's end asks for an answer.
        interrupt_response: Whether a turn's start stops the answer.
        idle_timeout_ms: Silence after an answer that asks for another, None for never.
    """

    threshold: float
    prefix_padding_ms: int
    silence_duration_ms: int
    create_response: bool
    interrupt_response: bool
    idle_timeout_ms: int | None


class Turn(NamedTuple):
    """Something about a turn became known.

    ``paused`` and ``resumed`` come in mid-turn: silence that may become its end, and
    speech after it. Times are milliseconds of audio since the session's start.
    """

    kind: Literal["started", "paused", "resumed", "stopped"]
    at_ms: int


class TurnDetector:
    """Follows one stream of frames.

    Args:
        detection: How turns are found.
        offset_ms: Audio of the session before this stream's first frame.
    """

    def __init__(self, detection: Detection, offset_ms: int) -> None:
        self._detection = detection
        self._offset_ms = offset_ms
        self._now_ms = offset_ms
        self._run = 0
        self._last_speech_ms = 0
        self._paused = False
        pause_ms = max(PAUSE_MIN_MS, detection.silence_duration_ms // 2 - VAD_FRAME_MS)
        self._pause_ms = min(PAUSE_MAX_MS, pause_ms)
        self.speaking = False

    def feed(self, probabilities: Iterable[float]) -> list[Turn]:
        """Take the probabilities of the next frames."""
        found: list[Turn] = []
        for probability in probabilities:
            self._now_ms += VAD_FRAME_MS
            if self.speaking:
                self._in_turn(probability, found)
            else:
                self._between_turns(probability, found)
        return found

    def _between_turns(self, probability: float, found: list[Turn]) -> None:
        if probability < self._detection.threshold:
            self._run = 0
            return
        self._run += 1
        if self._run < _START_FRAMES:
            return
        self.speaking = True
        self._paused = False
        self._last_speech_ms = self._now_ms
        start_ms = self._now_ms - self._run * VAD_FRAME_MS
        start_ms -= self._detection.prefix_padding_ms
        found.append(Turn("started", max(self._offset_ms, start_ms)))

    def _in_turn(self, probability: float, found: list[Turn]) -> None:
        if probability >= self._detection.threshold - _HYSTERESIS:
            self._last_speech_ms = self._now_ms
            if self._paused:
                self._paused = False
                found.append(Turn("resumed", self._now_ms))
            return
        silence_ms = self._now_ms - self._last_speech_ms
        end_ms = self._detection.silence_duration_ms
        if silence_ms >= end_ms:
            self.speaking = False
            self._run = 0
            found.append(Turn("stopped", self._last_speech_ms + end_ms))
            # The next turn does not begin inside this one.
            self._offset_ms = self._last_speech_ms + end_ms
        elif silence_ms >= self._pause_ms and not self._paused:
            self._paused = True
            found.append(Turn("paused", self._now_ms))
