"""Write speech down with Whisper, through faster-whisper.

faster-whisper and CTranslate2 are MIT, the weights (OpenAI) too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from realtime_widget.engine.resample import pcm16_to_samples, resample
from realtime_widget.engine.weights import WhisperModel, find_whisper
from realtime_widget.protocol.audio import PCM16_SAMPLE_RATE_HZ

_MODEL_HZ: Final = 16_000
# Shorter than this is no word; Whisper would invent one.
_MIN_SPEECH_S: Final = 0.1
# Whisper writes words into silence with 0.79 or more, into speech with 0.39 or less.
_NO_SPEECH: Final = 0.6
_BEAM: Final = 5
_PROMPT_CHARS: Final = 400
# A speaker says fewer tokens than this; a model caught in a loop says more.
_TOKENS_AT_LEAST: Final = 8
_TOKENS_PER_S: Final = 6
_REPEATED = re.compile(r"(\b[\w']+(?:\W+[\w']+){0,7}?)(?:\W+\1\b){3,}", re.IGNORECASE)


class WhisperStt:
    """Recognises utterances; safe to call from two threads at once.

    Args:
        found: The checked model.
        threads: CPU threads of one recognition.
        at_once: Recognitions that may run beside each other.

    Raises:
        ImportError: If faster-whisper is missing.
    """

    def __init__(
        self, found: WhisperModel, *, threads: int = 1, at_once: int = 2
    ) -> None:
        import faster_whisper

        self._model: Any = faster_whisper.WhisperModel(
            str(found.directory),
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            num_workers=at_once,
            local_files_only=True,
        )
        self._languages = frozenset(self._model.supported_languages)
        self._multilingual = bool(self._model.model.is_multilingual)

    def transcribe(self, pcm: bytes, *, language: str = "", prompt: str = "") -> str:
        """Return the words, "" when nothing intelligible was said.

        Args:
            pcm: 16-bit little-endian mono PCM at 24 kHz, one utterance.
            language: BCP 47 tag. A model of English alone writes English whatever it
                says; a multilingual one guesses when it is "" or unknown.
            prompt: Words likely to occur.
        """
        samples = resample(
            pcm16_to_samples(pcm[: len(pcm) & ~1]), PCM16_SAMPLE_RATE_HZ, _MODEL_HZ
        )
        duration_s = len(samples) / _MODEL_HZ
        if duration_s < _MIN_SPEECH_S:
            return ""
        options: dict[str, Any] = {
            "language": self._language(language),
            "initial_prompt": prompt[:_PROMPT_CHARS] or None,
            "max_new_tokens": _TOKENS_AT_LEAST
            + round(_TOKENS_PER_S * min(duration_s, 30.0)),
        }
        text = self._recognise(samples, options)
        if _REPEATED.search(text):
            text = self._recognise(samples, {**options, "no_repeat_ngram_size": 3})
        return without_loops(text)

    def _recognise(self, samples: Any, options: dict[str, Any]) -> str:
        segments, _info = self._model.transcribe(
            samples,
            task="transcribe",
            beam_size=_BEAM,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            vad_filter=False,
            no_speech_threshold=_NO_SPEECH,
            log_prob_threshold=None,
            compression_ratio_threshold=None,
            **options,
        )
        return _joined(segments)

    def _language(self, tag: str) -> str | None:
        if not self._multilingual:
            return "en"
        primary = tag.lower().replace("_", "-").split("-")[0]
        return primary if primary in self._languages else None


def load_whisper(model_dir: str = "", model_sha256: str = "") -> WhisperStt:
    """Find, check, load and warm up the recognition model; takes about a second.

    Raises:
        EngineUnavailable: If there is no model or it was refused.
        ImportError: If faster-whisper is missing.
    """
    stt = WhisperStt(find_whisper(model_dir, model_sha256))
    # The first call allocates; better now than while a visitor waits.
    stt.transcribe(bytes(PCM16_SAMPLE_RATE_HZ))
    return stt


def without_loops(text: str) -> str:
    """Return the text with a phrase said four times or more in a row said once."""
    return _REPEATED.sub(r"\1", text)


def _joined(segments: Iterable[Any]) -> str:
    texts = (
        segment.text for segment in segments if segment.no_speech_prob <= _NO_SPEECH
    )
    return " ".join(" ".join(texts).split())
