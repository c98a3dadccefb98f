"""One visitor of the engine: says recordings in real time and waits for the answers."""

from __future__ import annotations

import asyncio
import json
import math
import time
from statistics import median
from typing import Any, Protocol

from bench.clips import Clip
from bench.load_shape import percentile
from realtime_widget.protocol.events import append_audio

FRAME_MS = 40
FRAME_BYTES = FRAME_MS * 48
SILENCE_AFTER_MS = 3_000


class Model(Protocol):
    """A connection to the engine, by socket or in this process."""

    async def send(self, event: bytes) -> None:
        """Send one client event."""

    async def receive(self) -> bytes:
        """Return the next server event."""


class Visitor:
    """A session of the engine, spoken to like a microphone does.

    A frame is sent when its last sample has been recorded, not before.

    Args:
        model: The session's connection.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        # When each response's first audio came, on the monotonic clock.
        self._first_audio: dict[str, float] = {}

    async def configure(self, silence_ms: int) -> None:
        """Choose the silence that ends a turn."""
        detection = {"type": "server_vad", "silence_duration_ms": silence_ms}
        audio = {"input": {"turn_detection": detection}}
        session = {"type": "realtime", "audio": audio}
        await self._send({"type": "session.update", "session": session})

    async def listen(self) -> None:
        """Read events until cancelled or the engine closes."""
        while True:
            event: dict[str, Any] = json.loads(await self._model.receive())
            if event["type"] == "error":
                raise RuntimeError(f"the engine refused: {event['error']['message']}")
            if event["type"] == "response.output_audio.delta":
                self._first_audio.setdefault(event["response_id"], time.monotonic())

    async def say(self, clip: Clip, *, period_ms: int = 0) -> float:
        """Say a recording; return ms from the end of speech to the answer's first audio.

        Args:
            clip: What is said, followed by silence until the answer comes.
            period_ms: The silence goes on until this time in any case.

        Returns:
            NaN when no answer came within ``SILENCE_AFTER_MS``.
        """
        began_s = time.monotonic()
        ended_s = began_s + clip.speech_end_ms / 1000
        pcm = clip.pcm + bytes(
            48 * max(SILENCE_AFTER_MS, period_ms - len(clip.pcm) // 48)
        )
        for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
            due_s = began_s + (at + FRAME_BYTES) / 48_000
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            await self._model.send(append_audio(pcm[at : at + FRAME_BYTES]))
            told_ms = (at + FRAME_BYTES) // 48
            if told_ms >= period_ms and self._answered(ended_s):
                break
        answers = [at_s for at_s in self._first_audio.values() if at_s > ended_s]
        self._first_audio.clear()
        return (min(answers) - ended_s) * 1000 if answers else math.nan

    def _answered(self, ended_s: float) -> bool:
        """Return whether an answer came; one to half of the words was cut short."""
        return any(at_s > ended_s for at_s in self._first_audio.values())

    async def _send(self, event: dict[str, Any]) -> None:
        await self._model.send(json.dumps(event).encode())


def spread(values: list[float]) -> str:
    """Return the middle and the worst of some turns' milliseconds, in words."""
    answered = [value for value in values if not math.isnan(value)]
    if not answered:
        return f"none of {len(values)} turns was answered"
    return (
        f"p50 {median(answered):.0f} ms, p95 {percentile(answered, 0.95):.0f} ms, "
        f"min {min(answered):.0f}, max {max(answered):.0f} ({len(values)} turns, "
        f"{len(values) - len(answered)} unanswered)"
    )
