"""One spoken turn through the whole engine, as a microphone would send it, with times."""

from __future__ import annotations

import asyncio
import json
from array import array
from dataclasses import dataclass
from typing import Any, Final

from realtime_widget.engine.loopback import LoopbackConnection
from realtime_widget.engine.ports import Parts
from realtime_widget.protocol.audio import PCM16
from realtime_widget.protocol.events import append_audio, encode

_TRANSCRIBED: Final = "conversation.item.input_audio_transcription.completed"
_AUDIO: Final = "response.output_audio.delta"
_FRAME_MS: Final = 40
# A sample above is speech: -40 dB of full scale.
_LOUD: Final = 300
_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """What one turn took; times count from the end of the speech.

    Attributes:
        status: Of the response: ``completed`` or what went wrong.
        stopped_ms: To the end of the turn: the silence that is waited for, and notice.
        words_ms: To the words, None when they were not found out.
        first_audio_ms: To the first audio of the answer, None when there was none.
        answer_ms: How long the answer sounds.
    """

    status: str
    stopped_ms: float
    words_ms: float | None
    first_audio_ms: float | None
    answer_ms: int


async def take_spoken_turn(parts: Parts, pcm: bytes) -> SpokenTurn:
    """Say something to the engine in real time, and listen to the answer.

    Args:
        parts: What hears, thinks and speaks.
        pcm: Speech, 16-bit little-endian mono PCM at 24 kHz.

    Raises:
        TimeoutError: If there is no answer in 20 s.
    """
    connection = LoopbackConnection(parts)
    try:
        input_ = {"transcription": {"model": "local"}}
        session = {"type": "realtime", "audio": {"input": input_}}
        await connection.send(encode({"type": "session.update", "session": session}))
        speech_ends_s = asyncio.get_running_loop().time() + _speech_s(pcm)
        microphone = asyncio.create_task(_say(connection, pcm))
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await _listen(connection, speech_ends_s)
        finally:
            microphone.cancel()
            await asyncio.gather(microphone, return_exceptions=True)
    finally:
        await connection.close()


async def _say(connection: LoopbackConnection, pcm: bytes) -> None:
    """Send speech and then silence, each frame when its last sample was recorded."""
    loop = asyncio.get_running_loop()
    size = _FRAME_MS * PCM16.bytes_per_ms
    began_s, at = loop.time(), 0
    while True:
        due_s = began_s + (at + size) / (PCM16.bytes_per_ms * 1000)
        await asyncio.sleep(due_s - loop.time())
        await connection.send(append_audio(pcm[at : at + size].ljust(size, b"\0")))
        at += size


async def _listen(connection: LoopbackConnection, speech_ends_s: float) -> SpokenTurn:
    loop = asyncio.get_running_loop()
    first: dict[str, float] = {}
    audio_chars = 0
    while True:
        event: dict[str, Any] = json.loads(await connection.receive())
        kind = event["type"]
        first.setdefault(kind, (loop.time() - speech_ends_s) * 1000)
        if kind == _AUDIO:
            audio_chars += len(event["delta"])
        elif kind == "response.done":
            return SpokenTurn(
                status=event["response"]["status"],
                stopped_ms=first["input_audio_buffer.speech_stopped"],
                words_ms=first.get(_TRANSCRIBED),
                first_audio_ms=first.get(_AUDIO),
                answer_ms=PCM16.duration_ms(audio_chars // 4 * 3),
            )


def _speech_s(pcm: bytes) -> float:
    """Return when speech ends: silence at the end of a recording is none."""
    samples = array("h", pcm[: len(pcm) & ~1])
    last = len(samples)
    while last and abs(samples[last - 1]) < _LOUD:
        last -= 1
    return last * 2 / (PCM16.bytes_per_ms * 1000)
