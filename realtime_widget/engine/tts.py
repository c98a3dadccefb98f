"""Speak with hibari, a small English voice at the protocol's own 24 kHz.

hibari-tts is Apache-2.0, its voice is made from Kokoro-82M (Apache-2.0).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from realtime_widget.engine.resample import Samples, samples_to_pcm16
from realtime_widget.engine.speakable import sentences, speakable
from realtime_widget.engine.weights import INSTALL_HINT
from realtime_widget.exceptions import EngineUnavailable
from realtime_widget.protocol.audio import PCM16_SAMPLE_RATE_HZ

# Same words, same bytes: tests and caches may rely on it.
_SEED: Final = 0
_SPEED_MIN: Final = 0.5
_SPEED_MAX: Final = 2.0
# hibari surrounds a sentence with 0.3 s and 0.5 s of silence. The first would be waited
# for by the listener, the second is cut to a breath.
_QUIET: Final = 0.002
_LEAD_MS: Final = 20
_PAUSE_MS: Final = 180
_GAIN: Final = 2.0
_PEAK: Final = 0.95


class HibariTts:
    """Speaks English with the one voice that the package brings.

    Other voices of the protocol (``alloy``, ``marin`` ...) fall back to it. Safe to call
    from several threads.

    Attributes:
        languages: What it can say.

    Raises:
        EngineUnavailable: If hibari-tts or its voice is missing.
    """

    languages: Final = frozenset({"en"})

    def __init__(self) -> None:
        model = voice_file()
        import hibari

        # A path, not a name: by name, hibari would fetch other voices from the network.
        self._hibari: Any = hibari.Hibari(model=str(model), threads=1)

    def speak(
        self, text: str, *, voice: str = "", speed: float = 1.0
    ) -> Iterator[bytes]:
        """Yield 16-bit little-endian mono PCM at 24 kHz, a sentence at a time.

        Args:
            text: As written, markdown and all; without an English word in it nothing
                is spoken.
            voice: Not chosen from; there is one voice.
            speed: 0.5 to 2.0, beyond that the nearest.
        """
        pace = min(max(speed, _SPEED_MIN), _SPEED_MAX)
        for sentence in sentences(speakable(text)):
            for samples in self._hibari.stream(sentence, speed=pace, seed=_SEED):
                if len(samples):
                    yield samples_to_pcm16(_trimmed(samples))


def load_hibari() -> HibariTts:
    """Load and warm up the voice; takes about half a second.

    Raises:
        EngineUnavailable: If hibari-tts or its voice is missing.
        ImportError: If a package it needs is missing.
    """
    tts = HibariTts()
    # The first sentence loads the lexicon; better now than while a visitor waits.
    for _pcm in tts.speak("Ready."):
        pass
    return tts


def voice_file() -> Path:
    """Return the voice's model file, found without importing hibari.

    Raises:
        EngineUnavailable: If it is not installed.
    """
    spec = importlib.util.find_spec("hibari")
    if spec is None or spec.origin is None:
        raise EngineUnavailable(
            f"No voice was found. Install it: {INSTALL_HINT}", part="tts"
        )
    path = Path(spec.origin).parent / "assets" / "hibari.onnx"
    if not path.is_file():
        raise EngineUnavailable(
            f"hibari-tts is installed without its voice. Install it again: {INSTALL_HINT}",
            part="tts",
        )
    return path


def _trimmed(samples: Samples) -> Samples:
    """Return a sentence at speaking level with short silence around it."""
    loud = np.flatnonzero(np.abs(samples) > _QUIET)
    if not len(loud):
        return samples[:0]
    lead = _LEAD_MS * PCM16_SAMPLE_RATE_HZ // 1000
    pause = _PAUSE_MS * PCM16_SAMPLE_RATE_HZ // 1000
    voiced = samples[max(0, int(loud[0]) - lead) : int(loud[-1]) + pause]
    peak = float(np.abs(voiced).max())
    return voiced * np.float32(min(_GAIN, _PEAK / peak))
