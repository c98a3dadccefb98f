"""The four parts of the engine, one small interface each.

Every part can be replaced by a dotted path in the engine's settings. Audio between
the parts is 16-bit little-endian mono PCM at 24 kHz, the protocol's own format.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

VAD_FRAME_MS = 32


class Vad(Protocol):
    """Finds speech. One object a stream: it keeps state. Runs on the event loop."""

    def feed(self, pcm: bytes) -> list[float]:
        """Take audio of any length.

        Args:
            pcm: 16-bit little-endian mono PCM at 24 kHz.

        Returns:
            The probability of speech, 0 to 1, of each 32 ms frame that is now full.
        """

    def reset(self) -> None:
        """Forget what was heard."""


class Stt(Protocol):
    """Writes speech down. Shared by all sessions; called in worker threads."""

    def transcribe(self, pcm: bytes, *, language: str = "", prompt: str = "") -> str:
        """Return the words, "" when nothing intelligible was said.

        Args:
            pcm: 16-bit little-endian mono PCM at 24 kHz, one utterance.
            language: BCP 47 tag, "" when unknown.
            prompt: Words likely to occur.
        """


class Tts(Protocol):
    """Speaks. Shared by all sessions; called in worker threads."""

    def speak(
        self, text: str, *, voice: str = "", speed: float = 1.0
    ) -> Iterator[bytes]:
        """Yield 16-bit little-endian mono PCM at 24 kHz, a sentence or less at a time.

        Text without anything speakable yields nothing. Unknown voices fall back.
        """


@dataclass(frozen=True, slots=True)
class DialogueRequest:
    """What an answer is made from.

    Attributes:
        instructions: The session's or the response's instructions.
        items: Conversation items in protocol form (GA), oldest first; user audio
            parts carry their ``transcript``.
        tools: Function tools in protocol form.
        tool_choice: As in the protocol: auto, none, required or a named function.
        language: BCP 47 tag, "" when unknown.
        max_output_tokens: Bound of the answer, None for no bound.
    """

    instructions: str
    items: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: Any = "auto"
    language: str = ""
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Some more words of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """The answer calls a tool; ``arguments`` is JSON text."""

    name: str
    arguments: str


DialogueEvent = TextDelta | FunctionCall


class Dialogue(Protocol):
    """Decides what to say. Shared by all sessions; runs on the event loop."""

    def reply(self, request: DialogueRequest) -> AsyncIterator[DialogueEvent]:
        """Yield the answer piece by piece; closing the iterator stops the work."""


@dataclass(frozen=True, slots=True)
class Parts:
    """One composition of the engine.

    Attributes:
        dialogue: Always there.
        vad: Makes a detector for a new stream; None when voice is off.
        stt: None when voice is off.
        tts: None when the engine cannot speak.
        missing: Part -> one sentence for the operator on how to get it.
    """

    dialogue: Dialogue
    vad: Callable[[], Vad] | None = None
    stt: Stt | None = None
    tts: Tts | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def hears(self) -> bool:
        """Whether speech can be understood."""
        return self.vad is not None and self.stt is not None

    @property
    def speaks(self) -> bool:
        """Whether answers can be spoken."""
        return self.tts is not None
