"""Recordings for the microphone, and what is left of words that were recognised."""

from __future__ import annotations

import base64
import re
import wave
from pathlib import Path

import numpy as np

from realtime_widget.connectors import engine_parts
from realtime_widget.engine.resample import (
    pcm16_to_samples,
    resample,
    samples_to_pcm16,
)

CLIPS = Path(__file__).parent.parent / "data" / "clips"
RATE_HZ = 24_000
MICROPHONE_HZ = 48_000
# The first moments after a microphone opens may be disturbed.
LEAD_S = 0.8
NUMBERS = {
    "0": "zero",
    "1": "one",
    "2": "two",
    "4": "four",
    "7": "seven",
    "8": "eight",
    "10": "ten",
    "15": "fifteen",
}


def clip(name):
    """Return a recording's samples at 24 kHz."""
    with wave.open(str(CLIPS / f"{name}.wav")) as file:
        samples = pcm16_to_samples(file.readframes(file.getnframes()))
        return resample(samples, file.getframerate(), RATE_HZ)


def spoken(text):
    """Return words in the engine's own voice, at 24 kHz."""
    pcm = b"".join(engine_parts().tts.speak(text))
    return pcm16_to_samples(pcm)


def silence(seconds):
    """Return silence at 24 kHz."""
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def write_microphone(path, *parts):
    """Write what the microphone will hear, and the times (s) each part begins.

    Args:
        path: Of the wav file that the browser's microphone plays.
        parts: Samples at 24 kHz, said one after the other.
    """
    begins, at = [], LEAD_S
    for part in parts:
        begins.append(at)
        at += len(part) / RATE_HZ
    whole = np.concatenate((silence(LEAD_S), *parts, silence(1.0)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(MICROPHONE_HZ)
        file.writeframes(samples_to_pcm16(resample(whole, RATE_HZ, MICROPHONE_HZ)))
    return begins


def heard_samples(heard):
    """Return what the probe heard as samples at its own rate."""
    return pcm16_to_samples(base64.b64decode(heard["pcm"]))


def recognised(heard):
    """Return the words in what the probe heard."""
    samples = resample(heard_samples(heard), heard["rateHz"], RATE_HZ)
    return engine_parts().stt.transcribe(samples_to_pcm16(samples), language="en")


def plain_words(text):
    """Return words in lower case, without punctuation, small numbers written out."""
    words = re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("-", " ")).split()
    return [NUMBERS.get(word, word) for word in words]


def word_errors(said, heard):
    """Return how many words are wrong, missing or too many."""
    said, heard = plain_words(said), plain_words(heard)
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, start=1):
        diagonal, row[0] = row[0], number
        for at, other in enumerate(heard, start=1):
            diagonal, row[at] = (
                row[at],
                min(row[at] + 1, row[at - 1] + 1, diagonal + (word != other)),
            )
    return row[-1]
