"""What one session is made of: frozen values, never a database row.

``realtime_widget.configs`` builds them from rows; scripts and tests build them by
hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from realtime_widget.protocol.audio import PCM16, AudioFormat

DEFAULT_MODEL = "gpt-realtime-2.1"
DEFAULT_TRANSCRIPTION_MODEL = "gpt-transcribe"
DEFAULT_TOOL_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """One tool as the model sees it.

    Attributes:
        name: What the model calls it.
        description: When to use it, in the model's words.
        parameters: JSON Schema of the arguments, an object schema.
        runs_on: Where its handler is: the server, or the page.
        timeout_s: Longest time the handler may take.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    runs_on: Literal["server", "browser"] = "server"
    timeout_s: float = DEFAULT_TOOL_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """Who answers: instructions, voice and tools."""

    name: str
    instructions: str = ""
    voice: str = ""
    tools: tuple[ToolSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """How the end of the visitor's turn is found.

    Attributes:
        kind: ``server_vad``, ``semantic_vad``, or ``none`` for push-to-talk.
        threshold: Voice activity threshold, 0 to 1 (server_vad).
        prefix_padding_ms: Audio kept from before the speech (server_vad).
        silence_duration_ms: Silence that ends a turn (server_vad).
        eagerness: low, medium, high or auto (semantic_vad).
        interrupt_response: Whether speech stops a running answer.
        idle_timeout_ms: Prompt the model after this silence, None for never.
    """

    kind: Literal["server_vad", "semantic_vad", "none"] = "server_vad"
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    eagerness: Literal["auto", "low", "medium", "high"] = "auto"
    interrupt_response: bool = True
    idle_timeout_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one session; every number has a unit in its name.

    Attributes:
        max_session_s: Longest session; it ends with reason ``time_limit``.
        idle_s: Longest time in which neither side says or types anything.
        text_chars: Longest typed message.
        max_response_audio_s: Most audio of one answer; more is cancelled.
        playback_lead_s: How far ahead of what was heard audio is sent.
        stalled_browser_s: A page that takes no audio for so long is closed.
        tools_at_once: Calls that run at the same time; more wait.
        tool_arguments_bytes: Longest arguments of a call.
        tool_output_bytes: Longest answer of a handler after encoding as JSON.
        upstream_open_s: Longest wait for the model's server to accept.
        upstream_event_bytes: Largest event taken from the model's server.
    """

    max_session_s: float = 600.0
    idle_s: float = 120.0
    text_chars: int = 4_000
    max_response_audio_s: float = 180.0
    playback_lead_s: float = 2.5
    stalled_browser_s: float = 15.0
    tools_at_once: int = 5
    tool_arguments_bytes: int = 64 * 1024
    tool_output_bytes: int = 32 * 1024
    upstream_open_s: float = 10.0
    upstream_event_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Everything one session needs to know before it starts.

    Attributes:
        session_id: Our id of the session and of its conversation record (UUID).
        agent: Who answers.
        model: Model name sent upstream.
        transcription_model: Model that writes down the visitor; "" for none.
        language: BCP 47 tag of the page, "" when unknown.
        text_only: No audio either way.
        audio: Format of the audio on both legs.
        turn_detection: How a turn ends.
        noise_reduction: near_field, far_field or "".
        speed: Speech rate of the answer, 0.25 to 1.5.
        max_output_tokens: Bound of one answer, None for the provider's.
        message_roles: Roles the page may use in ``message``.
        greeting: Said by the agent at the start when not "".
        limits: Bounds of the session.
        error_messages: Error code -> words for the visitor, already translated.
        session_overrides: Merged last into the upstream session, for odd servers.
    """

    session_id: str
    agent: AgentSpec
    model: str = DEFAULT_MODEL
    transcription_model: str = DEFAULT_TRANSCRIPTION_MODEL
    language: str = ""
    text_only: bool = False
    audio: AudioFormat = PCM16
    turn_detection: TurnDetection = field(default_factory=TurnDetection)
    noise_reduction: Literal["", "near_field", "far_field"] = ""
    speed: float = 1.0
    max_output_tokens: int | None = None
    message_roles: frozenset[str] = frozenset({"user"})
    greeting: str = ""
    limits: Limits = field(default_factory=Limits)
    error_messages: Mapping[str, str] = field(default_factory=dict)
    session_overrides: Mapping[str, Any] = field(default_factory=dict)
