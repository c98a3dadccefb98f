"""What an answer and a recognition cost, in the provider's own shape.

Audio counts as at the Realtime API: a user's 10 tokens a second, an answer's 20. Text is
estimated, as the engine has no tokeniser.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from realtime_widget.engine.conversation.items import Item

_USER_MS_PER_TOKEN: Final = 100
ANSWER_MS_PER_TOKEN: Final = 50
CHARS_PER_TOKEN: Final = 4
# Recognisers that are billed by the second; the others are billed by the token.
_BY_DURATION: Final = frozenset(
    {"whisper-1", "gpt-realtime-whisper", "gpt-live-transcribe"}
)


def text_tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    return math.ceil(len(text) / CHARS_PER_TOKEN)


def user_audio_tokens(duration_ms: int) -> int:
    """Return the tokens of what a user said aloud."""
    return math.ceil(duration_ms / _USER_MS_PER_TOKEN)


def answer_audio_tokens(duration_ms: int) -> int:
    """Return the tokens of a spoken answer."""
    return math.ceil(duration_ms / ANSWER_MS_PER_TOKEN)


def input_tokens(
    instructions: str, tools: Sequence[Mapping[str, Any]], items: Iterable[Item]
) -> tuple[int, int]:
    """Return the text and audio tokens that an answer is made from."""
    text = text_tokens(instructions)
    if tools:
        text += text_tokens(json.dumps(tools))
    audio = 0
    for item in items:
        if item.body.get("role") == "assistant":
            audio += answer_audio_tokens(item.audio_ms)
        else:
            audio += user_audio_tokens(item.audio_ms)
        text += text_tokens("".join(_words(item.body)))
    return text, audio


def response_usage(
    taken: tuple[int, int], *, text_out: int, audio_out: int
) -> dict[str, Any]:
    """Return the ``usage`` of a response.

    Args:
        taken: What ``input_tokens`` returned.
        text_out: Tokens of words and arguments in the answer.
        audio_out: Tokens of its audio.
    """
    text_in, audio_in = taken
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": {
                "text_tokens": 0,
                "audio_tokens": 0,
                "image_tokens": 0,
            },
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


def transcription_usage(model: str, words: str, duration_ms: int) -> dict[str, Any]:
    """Return the ``usage`` of a recognition, in the way its model is billed.

    Args:
        model: Name of the recogniser.
        words: What it found.
        duration_ms: How long the audio lasts; seconds are begun seconds.
    """
    if model in _BY_DURATION:
        return {"type": "duration", "seconds": math.ceil(duration_ms / 1000)}
    audio, text = user_audio_tokens(duration_ms), text_tokens(words)
    return {
        "type": "tokens",
        "total_tokens": audio + text,
        "input_tokens": audio,
        "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
        "output_tokens": text,
    }


def _words(body: Mapping[str, Any]) -> Iterable[str]:
    for part in body.get("content") or ():
        if part.get("type") in ("input_text", "output_text"):
            yield part.get("text") or ""
    for name in ("arguments", "output"):
        yield body.get(name) or ""
