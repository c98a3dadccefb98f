"""Engine parts that hear, think and speak by script."""

from __future__ import annotations

import struct
import threading

from realtime_widget.engine.ports import FunctionCall, Parts, TextDelta

MS_BYTES = 48
LOUD = struct.pack("<h", 8_000)
# Speech lasts this long a word, so that tests can count.
WORD_MS = 300


def loud(duration_ms):
    """Return speech, as the detector below understands it."""
    return LOUD * (24 * duration_ms)


def quiet(duration_ms):
    """Return silence."""
    return bytes(MS_BYTES * duration_ms)


class LoudVad:
    """Takes every frame for speech whose first sample is loud."""

    def __init__(self):
        self._rest = b""

    def feed(self, pcm):
        pcm = self._rest + pcm
        size = 32 * MS_BYTES
        end = len(pcm) - len(pcm) % size
        self._rest = pcm[end:]
        return [0.9 if pcm[at : at + 2] == LOUD else 0.0 for at in range(0, end, size)]

    def reset(self):
        self._rest = b""


class ScriptedStt:
    """Hears what its script says, one line an utterance; raises a scripted error."""

    def __init__(self, *lines):
        self.lines = list(lines)
        self.heard = []

    def transcribe(self, pcm, *, language="", prompt=""):
        self.heard.append((len(pcm) // MS_BYTES, language, prompt))
        line = self.lines.pop(0) if self.lines else ""
        if isinstance(line, Exception):
            raise line
        return line


class WordTts:
    """Says every word for ``WORD_MS``, one chunk a word; can be held in mid-sentence."""

    def __init__(self):
        self.said = []
        self.chunks = 0
        self.gate = threading.Event()
        self.gate.set()

    def speak(self, text, *, voice="", speed=1.0):
        self.said.append((text, voice, speed))
        for _word in text.split():
            self.gate.wait(5)
            self.chunks += 1
            yield loud(WORD_MS)


class ScriptedDialogue:
    """Answers with its script, one list of pieces a request.

    A piece is text, a ``FunctionCall``, an exception to raise, or an ``asyncio.Event``
    to wait for. Without a script it repeats what was said.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.closed = 0

    async def reply(self, request):
        self.requests.append(request)
        pieces = self.answers.pop(0) if self.answers else [self._echo(request)]
        try:
            for piece in pieces:
                if isinstance(piece, Exception):
                    raise piece
                if hasattr(piece, "wait"):
                    await piece.wait()
                elif isinstance(piece, FunctionCall):
                    yield piece
                else:
                    yield TextDelta(piece)
        finally:
            self.closed += 1

    def _echo(self, request):
        parts = request.items[-1].get("content") if request.items else None
        words = [p.get("text") or p.get("transcript") or "" for p in parts or ()]
        return f"You said: {' '.join(words)}."


def make_parts(*, dialogue=None, stt=None, tts=None, hears=True, speaks=True):
    """Return scripted parts, some of them missing."""
    return Parts(
        dialogue=dialogue or ScriptedDialogue(),
        vad=LoudVad if hears else None,
        stt=(stt or ScriptedStt()) if hears else None,
        tts=(tts or WordTts()) if speaks else None,
        missing={} if hears and speaks else {"stt": "It is not installed."},
    )
