"""Look at the engine's parts and try them: what is there, is it sound, does it work."""

from __future__ import annotations

import asyncio
import hashlib
import platform
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal, cast

from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.ports import (
    DialogueRequest,
    FunctionCall,
    Parts,
    TextDelta,
)
from realtime_widget.engine.spoken_turn import SpokenTurn, take_spoken_turn
from realtime_widget.engine.weights import find_silero, find_whisper
from realtime_widget.exceptions import EngineUnavailable

State = Literal["ok", "note", "missing"]

# Distributions of the [local] extra; those that only carry data stand with the weights.
_DISTRIBUTIONS: Final = (
    "numpy",
    "onnxruntime",
    "ctranslate2",
    "faster-whisper",
    "hibari-tts",
)
# The voice of hibari-tts 0.2.1, the release that was read and measured.
_KNOWN_VOICE_SHA256: Final = (
    "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
)
TEST_SENTENCE: Final = "Your order is ready to collect."


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        state: ``ok``, ``note`` (works, but look at it) or ``missing``.
        name: What was looked at.
        words: What was found.
    """

    state: State
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What one turn through all parts gave.

    Attributes:
        heard: The words recognised in the engine's own voice.
        understood: Whether they are the words that were spoken.
        answer: What the dialogue said to them.
        tts_ms: From the words to the first audio.
        vad_frame_ms: Time of one 32 ms frame.
        speech_ms: How long the voice detection heard speech.
        stt_ms: From the audio to the words.
        dialogue_ms: From the words to the first of the answer.
    """

    heard: str
    understood: bool
    answer: str
    tts_ms: float
    vad_frame_ms: float
    speech_ms: int
    stt_ms: float
    dialogue_ms: float


def examine(options: EngineOptions) -> list[Finding]:
    """Return what is installed, where the weights are and whether they are as pinned."""
    found = [Finding("ok", "python", platform.python_version())]
    found += [_distribution(name) for name in _DISTRIBUTIONS]
    found.append(_part("vad", options.vad, _vad_words))
    found.append(_part("stt", options.stt, lambda: _stt_words(options)))
    found.append(_part("tts", options.tts, _tts_words))
    if options.dialogue:
        words = f"{options.dialogue} of the settings"
    else:
        words = options.dialogue_url or "the embedded rules, no language model"
    found.append(Finding("ok", "dialogue", words))
    return found


def run_self_test(parts: Parts) -> SelfTest | None:
    """Speak a sentence and hear it back; None when the parts cannot.

    Raises:
        UpstreamError: If the dialogue's server does not answer.
    """
    if parts.vad is None or parts.stt is None or parts.tts is None:
        return None
    started = time.perf_counter()
    pieces = parts.tts.speak(TEST_SENTENCE)
    pcm = next(pieces, b"")
    tts_ms = _since_ms(started)
    pcm += b"".join(pieces)

    vad = parts.vad()
    started = time.perf_counter()
    judged = vad.feed(pcm)
    vad_ms = _since_ms(started)

    started = time.perf_counter()
    heard = parts.stt.transcribe(pcm)
    stt_ms = _since_ms(started)

    answer, dialogue_ms = asyncio.run(_answer(parts, heard))
    return SelfTest(
        heard=heard,
        understood=_plain(heard) == _plain(TEST_SENTENCE),
        answer=answer,
        tts_ms=tts_ms,
        vad_frame_ms=vad_ms / max(len(judged), 1),
        speech_ms=32 * sum(p > 0.5 for p in judged),
        stt_ms=stt_ms,
        dialogue_ms=dialogue_ms,
    )


def run_spoken_turn(parts: Parts) -> SpokenTurn:
    """Say the test sentence in real time and listen to the answer.

    Raises:
        EngineUnavailable: If the engine cannot speak.
        TimeoutError: If there is no answer.
    """
    if parts.tts is None:
        raise EngineUnavailable("The engine cannot speak.", part="tts")
    pcm = b"".join(parts.tts.speak(TEST_SENTENCE))
    return asyncio.run(take_spoken_turn(parts, pcm))


async def _answer(parts: Parts, heard: str) -> tuple[str, float]:
    part = {"type": "input_text", "text": heard}
    item = {"type": "message", "role": "user", "content": [part]}
    started = time.perf_counter()
    first_ms = 0.0
    words: list[str] = []
    # ``reply`` is an async generator in every dialogue of ours; one that is not has
    # nothing to close.
    replies = cast(Any, parts.dialogue.reply(DialogueRequest("Be brief.", [item])))
    async with aclosing(replies):
        async for event in replies:
            first_ms = first_ms or _since_ms(started)
            if isinstance(event, TextDelta):
                words.append(event.text)
            elif isinstance(event, FunctionCall):
                words.append(event.name)
    return "".join(words), first_ms


def _distribution(name: str) -> Finding:
    try:
        return Finding("ok", name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding("missing", name, "not installed")


def _part(name: str, path: str, words: Callable[[], str | Finding]) -> Finding:
    if path:
        return Finding("ok", name, f"{path} of the settings")
    try:
        found = words()
    except EngineUnavailable as exc:
        return Finding("missing", name, str(exc))
    except ImportError as exc:
        return Finding("missing", name, f"{exc.name} is not installed")
    return found if isinstance(found, Finding) else Finding("ok", name, found)


def _vad_words() -> str:
    path, source = find_silero()
    return f"{path.name} from {source}, {_digest(path)} as pinned"


def _stt_words(options: EngineOptions) -> str:
    model = find_whisper(options.stt_model_dir, options.stt_model_sha256)
    return (
        f"Whisper {model.name} from {model.source} ({model.directory}),"
        f" {_digest(model.directory / 'model.bin')} as pinned"
    )


def _tts_words() -> str | Finding:
    from realtime_widget.engine.tts import voice_file

    path = voice_file()
    digest = _digest(path)
    if digest != f"SHA-256 {_KNOWN_VOICE_SHA256}":
        words = f"{path.name} is not the voice of hibari-tts 0.2.1 ({digest})"
        return Finding("note", "tts", words)
    return f"{path.name} from hibari-tts, {digest} as in release 0.2.1"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"SHA-256 {hashlib.file_digest(file, 'sha256').hexdigest()}"


def _since_ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _plain(text: str) -> list[str]:
    return "".join(c for c in text.lower() if c.isalnum() or c == " ").split()
