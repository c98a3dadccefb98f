"""The embedded engine: from the end of speech to the first audio of the answer."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import wave
from pathlib import Path
from statistics import median
from typing import Any

from bench.load_shape import percentile
from realtime_widget.engine.loopback import LoopbackConnection
from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.parts import load_parts
from realtime_widget.engine.ports import Parts
from realtime_widget.protocol.events import append_audio

CLIPS = Path(__file__).resolve().parent.parent / "tests" / "data" / "clips"
# Clip -> end of its speech in ms, read off the waveform (last sample over -40 dBFS).
SPEECH_CLIPS = ("synth-weather-tokyo", "synth-book-tuesday", "synth-timer")
FRAME_MS = 40
FRAME_BYTES = FRAME_MS * 48
ROUNDS = 4
SILENCE_AFTER_S = 3.0
LOUD = 300


def read_clip(name: str) -> tuple[bytes, int]:
    """Return 24 kHz PCM16 and where its speech ends, in ms."""
    import numpy as np

    with wave.open(str(CLIPS / f"{name}.wav")) as clip:
        if clip.getframerate() != 24_000:
            raise ValueError(f"{name} is not at 24 kHz")
        pcm = clip.readframes(clip.getnframes())
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(int)) > LOUD)
    return pcm, int(loud[-1]) // 24


async def turn(parts: Parts, name: str) -> float:
    """Say one clip in real time; return ms from the end of speech to first audio."""
    pcm, speech_end_ms = read_clip(name)
    pcm += bytes(int(SILENCE_AFTER_S * 48_000))
    model = LoopbackConnection(parts)
    heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def listen() -> None:
        while True:
            event: dict[str, Any] = json.loads(await model.receive())
            if event["type"] == "response.output_audio.delta" and not heard.done():
                heard.set_result(time.monotonic())

    listener = asyncio.create_task(listen())
    transcription = {"model": "local"}
    session = {"type": "realtime", "audio": {"input": {"transcription": transcription}}}
    await model.send(
        json.dumps({"type": "session.update", "session": session}).encode()
    )
    began = time.monotonic()
    for at in range(0, len(pcm), FRAME_BYTES):
        await model.send(append_audio(pcm[at : at + FRAME_BYTES]))
        due_s = began + (at + FRAME_BYTES) / 48_000
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        if heard.done():
            break
    async with asyncio.timeout(10):
        first_audio_s = await heard
    listener.cancel()
    await model.close()
    return (first_audio_s - began) * 1000 - speech_end_ms


def measure() -> list[str]:
    """Return the line about the engine, or why it could not be measured."""
    sys.stderr.write("  engine: end of speech to first audio\n")
    parts = load_parts(EngineOptions())
    if not (parts.hears and parts.speaks):
        return [f"engine: not measured, {'; '.join(parts.missing.values())}"]

    async def run() -> list[float]:
        for name in SPEECH_CLIPS:
            await turn(parts, name)  # warm
        return [await turn(parts, name) for _ in range(ROUNDS) for name in SPEECH_CLIPS]

    values = asyncio.run(run())
    return [
        f"engine, end of speech to first audio, {len(values)} turns: "
        f"p50 {median(values):.0f} ms, p95 {percentile(values, 0.95):.0f} ms "
        "(500 ms of it is the silence that ends a turn)"
    ]
