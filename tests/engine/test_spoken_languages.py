"""In which languages an engine answers aloud."""

from __future__ import annotations

import pytest

from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.parts import load_parts
from tests.engine.machine import Machine


def answered(machine, language):
    """Answer once in a session of a language; return the kind of the answer's part."""
    transcription = {"model": "whisper-1", "language": language} if language else None
    machine.update(audio={"input": {"transcription": transcription}})
    machine.type_text("Bonjour")
    machine.send("response.create")
    machine.reply("Bonjour.")
    speaks = any(type(work).__name__ == "Speak" for work in machine.work)
    if speaks:
        machine.speak()
    (done,) = [e for e in machine.events if e["type"] == "response.done"]
    return done["response"]["output"][0]["content"][0]["type"]


@pytest.mark.parametrize(
    ("language", "part"),
    [
        ("", "output_audio"),
        ("en", "output_audio"),
        ("en-GB", "output_audio"),
        ("fr", "output_text"),
        ("pt-BR", "output_text"),
    ],
)
def test_what_the_voice_cannot_say_is_written(language, part):
    assert answered(Machine(spoken={"en"}), language) == part


def test_a_voice_that_names_no_language_says_all():
    assert answered(Machine(), "fr") == "output_audio"


class FrenchVoice:
    languages = ("fr",)

    def __init__(self, options):
        pass

    def speak(self, text, *, voice="", speed=1.0):
        yield b""


def test_a_part_of_your_own_says_its_languages():
    parts = load_parts(EngineOptions(tts=f"{__name__}.FrenchVoice"))
    assert parts.spoken == ("fr",)
