"""What the state machine wants done, and the two lists it fills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from realtime_widget.engine.conversation.errors import INVALID_REQUEST, SERVER_ERROR
from realtime_widget.engine.ports import DialogueRequest
from realtime_widget.exceptions import EventRefused
from realtime_widget.protocol import events


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Write speech down; ``pcm`` is 16-bit little-endian mono at 24 kHz."""

    work_id: str
    pcm: bytes = field(repr=False)
    language: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Ask the dialogue for the answer of a response."""

    response_id: str
    request: DialogueRequest = field(repr=False)


@dataclass(frozen=True, slots=True)
class Speak:
    """Say one sentence of a response, or send its sound where there is one already."""

    response_id: str
    text: str = field(repr=False)
    voice: str
    speed: float
    pcm: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Drop:
    """Stop all work for this ``work_id`` or ``response_id``; nobody waits for it."""

    key: str


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection once the events before it have been sent."""

    code: int
    reason: str


Work = Transcribe | Reply | Speak | Drop | Close


class Outbox:
    """Collects server events, encoded, and work until the driver takes them.

    Args:
        new_id: Gives a new id that begins with the given word.
    """

    def __init__(self, new_id: Callable[[str], str]) -> None:
        self.new_id = new_id
        self.events: list[bytes] = []
        self.work: list[Work] = []

    def send(self, kind: str, **fields: Any) -> None:
        """Queue one server event."""
        event = {"type": kind, "event_id": self.new_id("event"), **fields}
        self.events.append(events.encode(event))

    def send_audio(
        self, audio: bytes, *, response_id: str, item_id: str, output_index: int
    ) -> None:
        """Queue one piece of an answer's audio, in the session's output format."""
        self.events.append(
            events.audio_delta(
                audio,
                event_id=self.new_id("event"),
                response_id=response_id,
                item_id=item_id,
                output_index=output_index,
            )
        )

    def send_error(self, error: EventRefused, event_id: Any = None) -> None:
        """Queue an ``error`` event.

        Args:
            error: What was wrong.
            event_id: The client's id of the event that failed.
        """
        kind = SERVER_ERROR if error.code == SERVER_ERROR else INVALID_REQUEST
        body = {
            "type": kind,
            "code": error.code or None,
            "message": str(error),
            "param": error.param or None,
            "event_id": event_id if isinstance(event_id, str) else None,
        }
        self.send("error", error=body)

    def ask(self, work: Work) -> None:
        """Queue work."""
        self.work.append(work)

    def take(self) -> tuple[list[bytes], list[Work]]:
        """Return what was queued since the last call."""
        taken = self.events, self.work
        self.events, self.work = [], []
        return taken
