"""What the bridge needs from the world, as interfaces a test can replace."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

# Id of the call that a tool's task works for; the task has a context of its own.
CALL_ID: ContextVar[str] = ContextVar("realtime_widget_call_id", default="")

ItemKind = Literal["message", "function_call", "function_call_output", "other"]


@dataclass(frozen=True, slots=True)
class HandoffItem:
    """One item of the talk that the next agent takes over.

    Attributes:
        item_id: The protocol's id.
        kind: What it is; ``other`` for what a filter need not know.
        role: user, assistant or system, "" for what is no message.
        text: What was said, or what a tool answered; "" while it is not known.
        name: Of the called tool, "" for everything else.
        call_id: Which call it is or answers, "" for a message.
    """

    item_id: str
    kind: ItemKind
    role: str = ""
    text: str = ""
    name: str = ""
    call_id: str = ""


# What a handoff's task may choose from; empty for every other tool.
HISTORY: ContextVar[tuple[HandoffItem, ...]] = ContextVar(
    "realtime_widget_history", default=()
)


class BrowserPort(Protocol):
    """The page's end of the bridge."""

    async def send_text(self, text: str) -> None:
        """Send one JSON message.

        Raises:
            SessionClosed: If the page is gone.
        """

    async def send_audio(self, audio: bytes) -> None:
        """Send one frame of audio in the session's format.

        Raises:
            SessionClosed: If the page is gone.
        """


class NoPage:
    """A ``BrowserPort`` where there is nobody."""

    async def send_text(self, text: str) -> None:
        """Drop one message."""

    async def send_audio(self, audio: bytes) -> None:
        """Drop one frame."""


class AudioPort(Protocol):
    """Where the visitor's audio goes."""

    async def send(self, event: bytes) -> None:
        """Send one ``input_audio_buffer.append``.

        Raises:
            UpstreamClosed: If the connection has ended.
        """


class UpstreamPort(Protocol):
    """The model's end of the bridge: one JSON event a frame, as UTF-8 bytes."""

    async def send(self, event: bytes) -> None:
        """Send one client event.

        Raises:
            UpstreamClosed: If the connection has ended.
        """

    async def receive(self) -> bytes:
        """Return the next server event.

        Cancelling this is safe: no event is lost.

        Raises:
            UpstreamClosed: When the connection has ended.
        """

    async def close(self) -> None:
        """End the connection; idempotent, never raises, at most 2 s."""


class ToolPort(Protocol):
    """Runs tool calls, and says which of the page's may be made."""

    async def permit(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Check a call that runs in the page, as ``run`` checks its own.

        Raises:
            ToolError: With words for the model, when the call may not be made.
        """

    async def run(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Return the handler's JSON-serialisable result.

        The caller bounds the time; cancellation must leave nothing behind but a
        thread that may finish late.

        Raises:
            ToolError: With words for the model.
            Exception: Anything else a handler raises; the traceback goes to the log,
                never to the model or the page.
        """


class GuardrailPort(Protocol):
    """Runs one guardrail: other people's code."""

    async def check(self, name: str, text: str) -> bool:
        """Return whether the text trips this guardrail.

        The caller bounds the time, logs what is raised and goes on.
        """


class NoGuardrails:
    """A ``GuardrailPort`` that nothing trips."""

    async def check(self, name: str, text: str) -> bool:
        """Return False."""
        return False


@dataclass(frozen=True, slots=True)
class StartedFact:
    """The model's server accepted the session.

    Attributes:
        model: The model that was asked for.
        provider_session_id: The server's own id of the session, "" when it has none.
    """

    model: str
    provider_session_id: str = ""


@dataclass(frozen=True, slots=True)
class ItemFact:
    """Something was said, as far as it is known now.

    The same ``item_id`` may come again with more; the last one holds.

    Attributes:
        item_id: The protocol's id of the item.
        role: Who said it.
        text: The words: typed text, transcript, or what was heard of an answer.
        source: How it came: by voice or typed.
        status: ``completed``, or ``interrupted`` when the visitor cut in.
        previous_item_id: The item before it, None for the first or unknown.
        heard_ms: How much of the answer's audio was heard, None when not cut.
        agent: Name of the agent that answered, "" for the visitor.
        language: Of the visitor's words, where the model's side tells it.
        generated: All words of an answer that was cut off; "" when ``text`` is all.
    """

    item_id: str
    role: Literal["user", "assistant", "system"]
    text: str
    source: Literal["voice", "text"] = "voice"
    status: Literal["completed", "interrupted", "failed"] = "completed"
    previous_item_id: str | None = None
    heard_ms: int | None = None
    agent: str = ""
    language: str = ""
    generated: str = ""


@dataclass(frozen=True, slots=True)
class ToolFact:
    """A tool call was answered.

    Attributes:
        call_id: The protocol's id of the call.
        name: The tool.
        arguments: JSON text as the model wrote it.
        output: JSON text the model was given.
        status: ``completed``, ``failed``, ``timeout``, ``unknown_tool``,
            ``bad_arguments``, ``cancelled``, ``rejected`` (by the visitor),
            ``refused`` (its budget is used up) or ``guardrail``.
        duration_ms: From the call's arrival to its answer.
    """

    call_id: str
    name: str
    arguments: str
    output: str
    status: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class UsageFact:
    """What one answer or one transcription cost, in the provider's own shape."""

    kind: Literal["response", "transcription"]
    model: str
    response_id: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GuardrailFact:
    """A guardrail tripped.

    Attributes:
        name: The guardrail.
        stage: ``output``, ``input`` or ``arguments``.
        item_id: What was said, or the call whose arguments they were.
        response_id: The answer it was part of, "" for none.
    """

    name: str
    stage: str
    item_id: str = ""
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class HandoffFact:
    """The conversation was passed from one agent to another.

    Attributes:
        before: Name of the agent that had it.
        after: Name of the agent that has it now.
        call_id: The call that did it, "" for the site's own code.
    """

    before: str
    after: str
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class ErrorFact:
    """The page was told of an error.

    Attributes:
        code: Of the browser protocol's table.
    """

    code: str


Fact = (
    StartedFact
    | ItemFact
    | ToolFact
    | UsageFact
    | GuardrailFact
    | HandoffFact
    | ErrorFact
)


class RecorderPort(Protocol):
    """Takes what happened. Called on the event loop, returns at once."""

    def record(self, fact: Fact) -> None:
        """Queue one fact; never blocks and never raises."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How a session ended.

    Attributes:
        reason: One of the browser protocol's stop reasons.
        duration_s: From the upstream's acceptance to the end; 0 when it never was.
        close_code: What the page's socket is to be closed with.
        error_code: Code from the error table, "" for a normal end.
    """

    reason: str
    duration_s: float
    close_code: int
    error_code: str = ""
