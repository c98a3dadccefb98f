"""Parts of the embedded engine that a server process loads at once."""

from __future__ import annotations

from realtime_widget.engine.scripted.dialogue import ScriptedDialogue
from realtime_widget.exceptions import EngineUnavailable


def no_voice(options):
    """Say that a part is missing, so that no weights are loaded."""
    raise EngineUnavailable("The suite needs no voice here.", part="stt")


def dialogue(options):
    """Return the dialogue that follows fixed rules."""
    return ScriptedDialogue()


ENGINE = {
    "VAD": "tests.faults.parts.no_voice",
    "STT": "tests.faults.parts.no_voice",
    "TTS": "tests.faults.parts.no_voice",
    "DIALOGUE": "tests.faults.parts.dialogue",
}
