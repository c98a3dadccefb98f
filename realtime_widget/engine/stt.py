"""Write speech down with Whisper, through CTranslate2.

Whisper looks at 30 s of sound, however short the words are, and that takes half a second of
a core. An utterance is followed by 8 s of silence instead, which costs a third and is
recognised better; when the result looks like a loop, faster-whisper hears it again in the
full window. faster-whisper and CTranslate2 are MIT, the weights (OpenAI) too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from realtime_widget.engine.ports import Heard
from realtime_widget.engine.resample import Samples, pcm16_to_samples, resample
from realtime_widget.engine.weights import WhisperModel, find_whisper
from realtime_widget.protocol.audio import PCM16_SAMPLE_RATE_HZ

_MODEL_HZ: Final = 16_000
_HOP_SAMPLES: Final = 160  # of Whisper's spectrogram
_FULL_WINDOW_S: Final = 30.0
# Less silence behind the words makes the model repeat itself.
_SILENCE_BEHIND_S: Final = 8.0
_SHORTEST_WINDOW_S: Final = 12.0
# Shorter than this is no word; Whisper would invent one.
_MIN_SPEECH_S: Final = 0.1
# Whisper writes words into silence with 0.79 or more, into speech with 0.39 or less.
_NO_SPEECH: Final = 0.6
# Words into noise and breath: both signs together, each far from speech (0.14 at most
# and -0.4 at least over the clean recordings).
_DOUBTFUL_NO_SPEECH: Final = 0.2
_DOUBTFUL_LOGPROB: Final = -1.0
_BEAM: Final = 5
_PROMPT_CHARS: Final = 400
_PROMPT_TOKENS: Final = 100
# A speaker says fewer tokens than this; a model caught in a loop says more.
_TOKENS_AT_LEAST: Final = 8
_TOKENS_PER_S: Final = 6
# The vocabulary has fewer whole words of other languages, so they take more pieces.
_TOKENS_PER_S_MULTILINGUAL: Final = 14
# Half of the decoder's context; the other half is for the prompt.
_TOKENS_AT_MOST: Final = 224
_ECHO_WORDS: Final = 3
_REPEATED = re.compile(r"(\b[\w']+(?:\W+[\w']+){0,7}?)(?:\W+\1\b){3,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Guess:
    """What the short window gave; not ``sure`` when it has to be heard again."""

    text: str
    sure: bool
    logprob: float = 0.0


class WhisperStt:
    """Recognises utterances; safe to call from two threads at once.

    Args:
        found: The checked model.
        threads: CPU threads of one recognition.
        at_once: Recognitions that may run beside each other.

    Attributes:
        multilingual: Whether it knows more than English.

    Raises:
        ImportError: If faster-whisper is missing.
    """

    def __init__(
        self, found: WhisperModel, *, threads: int = 1, at_once: int = 2
    ) -> None:
        import faster_whisper
        from faster_whisper.tokenizer import Tokenizer

        with found.folder() as folder:
            self._model: Any = faster_whisper.WhisperModel(
                str(folder),
                device="cpu",
                compute_type="int8",
                cpu_threads=threads,
                num_workers=at_once,
                local_files_only=True,
            )
        self._tokenizer_class = Tokenizer
        self.multilingual = bool(self._model.model.is_multilingual)
        self._languages = frozenset(self._model.supported_languages)

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
        spoken = self._language(language)
        prompt = prompt[:_PROMPT_CHARS]
        if spoken and duration_s + _SILENCE_BEHIND_S <= _FULL_WINDOW_S:
            guess = self._hear(samples, spoken, prompt)
            if guess.sure:
                return Heard(guess.text, guess.logprob)
        return self._hear_in_full(samples, spoken, prompt)

    def _hear(self, samples: Samples, language: str, prompt: str) -> _Guess:
        """Recognise in a window not much longer than the utterance."""
        import ctranslate2

        duration_s = len(samples) / _MODEL_HZ
        window_s = max(_SHORTEST_WINDOW_S, duration_s + _SILENCE_BEHIND_S)
        frames = min(int(window_s * 50) * 2, int(_FULL_WINDOW_S * 100))
        padded = np.zeros(frames * _HOP_SAMPLES, np.float32)
        padded[: len(samples)] = samples
        spectrogram = self._model.feature_extractor(padded, padding=0)
        tokenizer = self._tokenizer_class(
            self._model.hf_tokenizer, self.multilingual, "transcribe", language
        )
        start = self._start_tokens(tokenizer, prompt)
        most = self._most_tokens(duration_s)
        result = self._model.model.generate(
            ctranslate2.StorageView.from_array(
                np.ascontiguousarray(spectrogram[None, :, :frames], np.float32)
            ),
            [start],
            beam_size=_BEAM,
            max_length=len(start) + most,
            return_no_speech_prob=True,
            return_scores=True,
        )[0]
        if is_invented(result.no_speech_prob, result.scores[0]):
            return _Guess("", sure=True)
        tokens = result.sequences_ids[0]
        text = words_only(tokenizer.decode(tokens))
        looped = len(tokens) >= most or _REPEATED.search(text) or begins_again(text)
        # Of a beam search with a length penalty of 1 the score is the mean of the tokens.
        return _Guess(text, sure=not looped, logprob=result.scores[0])

    def _start_tokens(self, tokenizer: Any, prompt: str) -> list[int]:
        """Return the decoder's first tokens: likely words, then what it is to do."""
        start = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        if not prompt.strip():
            return start
        words = tokenizer.encode(f" {prompt.strip()}")[-_PROMPT_TOKENS:]
        return [tokenizer.sot_prev, *words, *start]

    def _hear_in_full(self, samples: Samples, language: str, prompt: str) -> str:
        """Recognise in windows of 30 s, which is slower and hardly ever loops."""
        duration_s = min(len(samples) / _MODEL_HZ, _FULL_WINDOW_S)
        segments, _info = self._model.transcribe(
            samples,
            language=language or None,
            task="transcribe",
            beam_size=_BEAM,
            temperature=0.0,
            initial_prompt=prompt or None,
            condition_on_previous_text=False,
            without_timestamps=True,
            vad_filter=False,
            no_speech_threshold=_NO_SPEECH,
            log_prob_threshold=None,
            compression_ratio_threshold=None,
            max_new_tokens=self._most_tokens(duration_s),
        )
        return _joined(segments)

    def _most_tokens(self, duration_s: float) -> int:
        """Return how many tokens can be said in a time."""
        per_s = _TOKENS_PER_S_MULTILINGUAL if self.multilingual else _TOKENS_PER_S
        return min(_TOKENS_AT_LEAST + round(per_s * duration_s), _TOKENS_AT_MOST)

    def _language(self, tag: str) -> str:
        """Return Whisper's code of the language, "" when it has to guess."""
        if not self.multilingual:
            return "en"
        primary = tag.lower().replace("_", "-").split("-")[0]
        return primary if primary in self._languages else ""


def load_whisper(model_dir: str = "", model_sha256: str = "") -> WhisperStt:
    """Find, check, load and warm up the recognition model; takes about a second.

    Raises:
        EngineUnavailable: If there is no model or it was refused.
        ImportError: If faster-whisper is missing.
    """
    stt = WhisperStt(find_whisper(model_dir, model_sha256))
    # The first call allocates; better now than while a visitor waits.
    stt.transcribe(bytes(2 * PCM16_SAMPLE_RATE_HZ))
    return stt


def is_invented(no_speech_prob: float, logprob: float) -> bool:
    """Return whether words were written into silence or noise.

    Args:
        no_speech_prob: How likely nobody speaks, 0 to 1.
        logprob: Natural logarithm of the mean probability of the tokens.
    """
    doubtful = no_speech_prob > _DOUBTFUL_NO_SPEECH and logprob < _DOUBTFUL_LOGPROB
    return doubtful or no_speech_prob > _NO_SPEECH


def words_only(text: str) -> str:
    """Return the text with single blanks, "" when there is no word in it."""
    return " ".join(text.split()) if any(map(str.isalnum, text)) else ""


def begins_again(text: str) -> bool:
    """Return whether a text's first three words come again, as when a model loops."""
    words = re.findall(r"\w+", text.lower())
    again = range(_ECHO_WORDS, len(words) - _ECHO_WORDS + 1)
    head = words[:_ECHO_WORDS]
    return any(words[at : at + _ECHO_WORDS] == head for at in again)


def without_loops(text: str) -> str:
    """Return the text with a phrase said four times or more in a row said once."""
    return _REPEATED.sub(r"\1", text)


def _joined(segments: Iterable[Any]) -> str:
    spoken = [
        segment
        for segment in segments
        if not is_invented(segment.no_speech_prob, segment.avg_logprob)
    ]
    if not spoken:
        return ""
    text = words_only(" ".join(segment.text for segment in spoken))
    tokens = sum(len(segment.tokens) for segment in spoken) or 1
    total = sum(segment.avg_logprob * len(segment.tokens) for segment in spoken)
    return Heard(without_loops(text), total / tokens)
