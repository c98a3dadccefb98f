"""The four parts of the engine, one small interface each.

Every part can be replaced by a dotted path in the engine's settings. Audio between
the parts is 16-bit little-endian mono PCM at 24 kHz, the protocol's own format.
"""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
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


class Heard(str):
    """Words, and how sure the recogniser is of them.

    Args:
        words: The words.
        logprob: Natural logarithm of the mean probability of their tokens.
    """

    __slots__ = ("logprob",)

    def __new__(cls, words: str, logprob: float) -> Heard:
        heard = super().__new__(cls, words)
        heard.logprob = logprob
        return heard

    logprob: float

    def __getnewargs__(self) -> tuple[str, float]:  # type: ignore[override]
        """Return what a copy is made from."""
        return str(self), self.logprob


class Stt(Protocol):
    """Writes speech down. Shared by all sessions; called in worker threads."""

    def transcribe(self, pcm: bytes, *, language: str = "", prompt: str = "") -> str:
        """Return the words, "" when nothing intelligible was said.

        A recogniser that knows how sure it is returns ``Heard``.

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
        heard: What the last item said aloud, as 16-bit little-endian mono PCM at
            24 kHz; b"" when it was typed or is kept no more.
    """

    instructions: str
    items: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: Any = "auto"
    language: str = ""
    max_output_tokens: int | None = None
    heard: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Some more words of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """The answer calls a tool; ``arguments`` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class AudioDelta:
    """Sound of the answer as it is to be heard, and the words to show with it.

    Attributes:
        pcm: 16-bit little-endian mono PCM at 24 kHz; a second or two, so that an
            interruption stops a long one.
        text: Its words, "" for none. A written answer has only these.
    """

    pcm: bytes = field(repr=False)
    text: str = ""


DialogueEvent = TextDelta | FunctionCall | AudioDelta


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
        spoken: Primary languages the voice can say, empty for any. Answers in another
            one are written: read as if they were English, they would be nonsense.
    """

    dialogue: Dialogue
    vad: Callable[[], Vad] | None = None
    stt: Stt | None = None
    tts: Tts | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    spoken: Collection[str] = ()

    @property
    def hears(self) -> bool:
        """Whether speech can be understood."""
        return self.vad is not None and self.stt is not None

    @property
    def speaks(self) -> bool:
        """Whether answers can be spoken."""
        return self.tts is not None
