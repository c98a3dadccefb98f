"""Which languages the offline parts hear and speak, and the model for each.

English is heard by a small model of its own; every other language by a multilingual
one, when it is installed. It is loaded when somebody speaks such a language first, so
a site whose visitors all speak English does not pay for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from realtime_widget.engine.language_tags import primary_language
from realtime_widget.engine.ports import Stt
from realtime_widget.engine.stt import WhisperStt, load_whisper
from realtime_widget.engine.weights import (
    LANGUAGES_HINT,
    find_multilingual,
)
from realtime_widget.exceptions import EngineUnavailable

logger = logging.getLogger(__name__)

ENGLISH: Final = "en"


class SttByLanguage:
    """Hears English with one model and what is said to be another language with another.

    Nothing is guessed: without a language it is English. Safe to call from several
    threads.

    Args:
        english: Hears English.
        load_other: Loads what hears the rest; called once, by the first who needs it.
    """

    def __init__(self, english: Stt, load_other: Callable[[], Stt | None]) -> None:
        self._english = english
        self._load_other = load_other
        self._lock = threading.Lock()
        self._other: Stt | None = None
        self._tried = False

    def transcribe(self, pcm: bytes, *, language: str = "", prompt: str = "") -> str:
        """Return the words, "" when nothing intelligible was said.

        Args:
            pcm: 16-bit little-endian mono PCM at 24 kHz, one utterance.
            language: BCP 47 tag; one that the other model does not know, or any when
                there is none, is heard as English.
            prompt: Words likely to occur.
        """
        stt = self._english
        if primary_language(language) not in ("", ENGLISH):
            stt = self._other_languages() or stt
        return stt.transcribe(pcm, language=language, prompt=prompt)

    def _other_languages(self) -> Stt | None:
        with self._lock:
            if not self._tried:
                self._tried = True
                self._other = self._load_other()
            return self._other


def load_recognition(model_dir: str = "", model_sha256: str = "") -> Stt:
    """Return what hears: the settings' model alone, else one for each language.

    Raises:
        EngineUnavailable: If there is no model for English or it was refused.
        ImportError: If faster-whisper is missing.
    """
    first = load_whisper(model_dir, model_sha256)
    if model_dir or first.multilingual:
        return first
    return SttByLanguage(first, _load_multilingual)


def _load_multilingual() -> WhisperStt | None:
    """Load the multilingual model; None, with a warning, when it cannot be had."""
    try:
        found = find_multilingual()
        if found is not None:
            logger.info("Loading the model %s for other languages.", found.name)
            return WhisperStt(found)
    except (EngineUnavailable, OSError) as exc:
        logger.warning("Other languages than English are heard as English: %s", exc)
        return None
    logger.warning(
        "Other languages than English are heard as English: there is no model for"
        " them. Install one: %s",
        LANGUAGES_HINT,
    )
    return None
