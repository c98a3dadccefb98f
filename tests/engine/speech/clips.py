"""The recordings of tests/data/clips, and how well they were understood."""

from __future__ import annotations

import re
import wave
from pathlib import Path

from realtime_widget.engine.dialogue.numbers import small_number
from realtime_widget.engine.resample import (
    pcm16_to_samples,
    resample,
    samples_to_pcm16,
)

CLIPS = Path(__file__).resolve().parents[2] / "data" / "clips"

# Recordings without added noise and what is said in them.
CLEAN = {
    "real-librivox-ill-disposed": "He was not an ill-disposed young man.",
    "real-librivox-amiable": "He might even have been made amiable himself.",
    "real-librivox-dashwood": (
        "And Mr. John Dashwood had then leisure to consider how much there might be"
        " prudently in his power to do for them."
    ),
    "real-go-forward": "Go forward ten meters.",
    "real-cards": "Eight of spades, four of clubs, seven of hearts.",
    "real-8k-please-hold": "Please hold while we try to connect you.",
    "real-8k-phone-number": (
        "Please enter your phone number, starting with the area code."
    ),
    "synth-weather-tokyo": "What's the weather in Tokyo?",
    "synth-book-tuesday": "Book an appointment for Tuesday at ten.",
    "synth-timer": "Set a timer for fifteen minutes.",
    "synth-pause-inside": (
        "I would like to book an appointment, on Friday at half past seven."
    ),
}

# Clip -> its language and what is said in it.
OTHER_LANGUAGES = {
    "fr-8k-please-hold": (
        "fr",
        "Veuillez patienter pendant que l'on achemine votre appel.",
    ),
    "es-8k-try-again": ("es", "Por favor, intente de nuevo."),
}


def read_clip(name: str) -> bytes:
    """Return a clip as 16-bit mono PCM at 24 kHz."""
    with wave.open(str(CLIPS / f"{name}.wav")) as file:
        pcm = file.readframes(file.getnframes())
        rate_hz = file.getframerate()
    return samples_to_pcm16(resample(pcm16_to_samples(pcm), rate_hz, 24_000))


def plain_words(text: str) -> list[str]:
    """Return the words of a text without case, punctuation and ways to write numbers."""
    words = re.findall(r"[a-z0-9']+", text.lower().replace("-", " "))
    numbers = (small_number(word) for word in words)
    return [
        word if number is None else str(number)
        for word, number in zip(words, numbers, strict=True)
    ]


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """Return (words wrong, missing or too many; words said)."""
    expected, actual = plain_words(said), plain_words(heard)
    row = list(range(len(actual) + 1))
    for at, word in enumerate(expected, start=1):
        previous, row[0] = row[0], at
        for place, other in enumerate(actual, start=1):
            cost = previous + (word != other)
            previous = row[place]
            row[place] = min(cost, row[place] + 1, row[place - 1] + 1)
    return row[-1], len(expected)
