"""The recordings that the engine's benchmark says, and where their speech ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from realtime_widget.engine.ports import Stt
from realtime_widget.engine.resample import pcm16_to_samples
from tests.engine.speech.clips import CLEAN, read_clip, word_errors

IN_NOISE = {"synth-weather-noise10db": "What's the weather in Tokyo?"}
_PIECE_SAMPLES = 240  # 10 ms
# Speech is what is at most so much quieter than the loudest 10 ms.
_SPEECH_DB = -25.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording.

    Attributes:
        name: Its file without the ending.
        said: The words in it.
        pcm: 16-bit little-endian mono PCM at 24 kHz.
        speech_end_ms: Where the last word ends, read off the waveform.
    """

    name: str
    said: str
    pcm: bytes = field(repr=False)
    speech_end_ms: int


def clean_clips() -> list[Clip]:
    """Return the recordings without added noise."""
    return [_clip(name, said) for name, said in CLEAN.items()]


def words_wrong(stt: Stt) -> tuple[int, int]:
    """Return (words wrong, missing or too many; words said) over all recordings."""
    wrong = said = 0
    for name, words in {**CLEAN, **IN_NOISE}.items():
        errors, length = word_errors(words, stt.transcribe(read_clip(name)))
        wrong, said = wrong + errors, said + length
    return wrong, said


def _clip(name: str, said: str) -> Clip:
    pcm = read_clip(name)
    samples = pcm16_to_samples(pcm)
    pieces = samples[: len(samples) // _PIECE_SAMPLES * _PIECE_SAMPLES]
    power = np.square(pieces.reshape(-1, _PIECE_SAMPLES)).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (_SPEECH_DB / 10))
    return Clip(name, said, pcm, speech_end_ms=(int(loud[-1]) + 1) * 10)
