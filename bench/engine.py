"""The embedded engine: how soon it answers, how well it hears, what it weighs."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

from bench.load_shape import percentile
from realtime_widget.engine.loopback import LoopbackConnection
from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.parts import load_parts
from realtime_widget.engine.ports import Parts

if TYPE_CHECKING:
    from bench.clips import Clip

ROUNDS = 2
SILENCES_MS = (500, 200)


def measure(_options: argparse.Namespace) -> list[str]:
    """Return the lines about the engine, or why it could not be measured."""
    began_s = time.monotonic()
    parts = load_parts(EngineOptions())
    load_s = time.monotonic() - began_s
    if not (parts.hears and parts.speaks):
        return [f"engine: not measured, {'; '.join(parts.missing.values())}"]
    # These need numpy, which comes with the parts.
    from bench import engine_load
    from bench.clips import clean_clips

    clips = clean_clips()
    lines = [f"engine, loading all parts: {load_s:.1f} s"]
    _tell("voice detection and words")
    lines += [_detection(parts, clips), _words(parts)]
    for silence_ms in SILENCES_MS:
        _tell(f"one session, {silence_ms} ms of silence end a turn")
        lines.append(_latency(parts, clips, silence_ms))
    _tell(f"{engine_load.SESSIONS} sessions, the engine on one core")
    return [*lines, *engine_load.measure(clips)]


def _detection(parts: Parts, clips: list[Clip]) -> str:
    """Return what finding speech costs; it runs on the event loop."""
    from bench.talk import FRAME_BYTES, FRAME_MS

    assert parts.vad is not None
    took_ms: list[float] = []
    for clip in clips:
        vad = parts.vad()
        for at in range(0, len(clip.pcm), FRAME_BYTES):
            began_s = time.perf_counter()
            vad.feed(clip.pcm[at : at + FRAME_BYTES])
            took_ms.append((time.perf_counter() - began_s) * 1000)
    return (
        f"engine, voice detection of a {FRAME_MS} ms frame, on the event loop: "
        f"p50 {median(took_ms):.2f} ms, p95 {percentile(took_ms, 0.95):.2f} ms"
    )


def _words(parts: Parts) -> str:
    """Return how well recordings are understood."""
    from bench.clips import words_wrong

    assert parts.stt is not None
    wrong, said = words_wrong(parts.stt)
    share = 100 * wrong / said
    return f"engine, word errors over the clips: {share:.1f} % ({wrong} of {said})"


def _latency(parts: Parts, clips: list[Clip], silence_ms: int) -> str:
    """Say every recording in real time to an engine that has nothing else to do."""
    from bench.talk import Visitor, spread

    async def turn(clip: Clip) -> float:
        model = LoopbackConnection(parts)
        visitor = Visitor(model)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(visitor.listen())
            await visitor.configure(silence_ms)
            answered_ms = await visitor.say(clip)
            listening.cancel()
        await model.close()
        return answered_ms

    async def run() -> list[float]:
        await turn(clips[-1])  # warm
        return [await turn(clip) for _ in range(ROUNDS) for clip in clips]

    return (
        f"engine, end of speech to first audio, silence_duration_ms {silence_ms}: "
        f"{spread(asyncio.run(run()))}"
    )


def _tell(what: str) -> None:
    sys.stderr.write(f"  engine: {what}\n")
