"""What one session is made of: frozen values, never a database row.

``realtime_widget.configs`` builds them from rows; scripts and tests build them by
hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from realtime_widget.protocol.audio import PCM16, AudioFormat
from realtime_widget.protocol.usage import Tariff

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
        needs_approval: Whether the visitor is asked before each call.
        approval_text: What the visitor is asked; ``{name}`` stands for an argument.
        spoken_approval: Whether a plain "yes" or "no", said or typed, answers too.
        cancel_on_barge_in: Whether a call is given up when the visitor speaks.
        max_calls: Most calls in one session, None for the session's own bound.
        filler: What the agent says when a call takes long, "" for nothing.
        handoff_to: Agent that the conversation is passed to, "" for a plain tool.
        filters: Whether its handler says what of the talk so far the next agent gets.
        runs: Whether there is something to run; a handoff may have no function.
        checks_arguments: Whether arguments must fit ``parameters``; a Python function
            has its own check, of its signature.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    runs_on: Literal["server", "browser"] = "server"
    timeout_s: float = DEFAULT_TOOL_TIMEOUT_S
    needs_approval: bool = False
    approval_text: str = ""
    spoken_approval: bool = False
    cancel_on_barge_in: bool = False
    max_calls: int | None = None
    filler: str = ""
    handoff_to: str = ""
    filters: bool = False
    runs: bool = True
    checks_arguments: bool = False


@dataclass(frozen=True, slots=True)
class McpSpec:
    """An MCP server whose tools the model's side calls by itself.

    Attributes:
        label: What the model, the page and the record call it.
        url: Its address, "" for a connector.
        connector: Id of a connector of the provider's own, "" for an address.
        description: What it is for, in the model's words.
        tools: Names of the tools that may be used, empty for all of them.
        needs_approval: Whether the visitor is asked before each call.
        unasked: Tools that run without asking all the same.
        approval_text: What the visitor is asked; ``{name}`` stands for an argument,
            ``{tool}`` for the tool.
        spoken_approval: Whether a plain "yes" or "no", said or typed, answers too.
        max_calls: Most calls in one session, None for the session's own bound.
        authorization: Access token for the server; never shown, logged or recorded.
    """

    label: str
    url: str = ""
    connector: str = ""
    description: str = ""
    tools: tuple[str, ...] = ()
    needs_approval: bool = True
    unasked: frozenset[str] = frozenset()
    approval_text: str = ""
    spoken_approval: bool = False
    max_calls: int | None = None
    authorization: str = field(default="", repr=False)

    def asks(self, tool: str) -> bool:
        """Return whether the visitor is asked before a call of this tool."""
        return self.needs_approval and tool not in self.unasked


@dataclass(frozen=True, slots=True)
class GuardrailSpec:
    """One guardrail of an agent.

    Attributes:
        name: Shown in records and told to the page; the site's code goes by it.
        stages: What it checks: ``output`` (what the agent says), ``input`` (what the
            visitor says) and ``arguments`` (what tools are given).
        steer: What the model is told after a trip, "" for the usual words.
    """

    name: str
    stages: frozenset[str]
    steer: str = ""


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """Who answers: instructions, voice, tools, MCP servers and guardrails."""

    name: str
    instructions: str = ""
    voice: str = ""
    tools: tuple[ToolSpec, ...] = ()
    guardrails: tuple[GuardrailSpec, ...] = ()
    mcp: tuple[McpSpec, ...] = ()

    @property
    def checks_arguments(self) -> bool:
        """Return whether a guardrail looks at what tools are given."""
        return any("arguments" in one.stages for one in self.guardrails)


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
        waiting_audio_bytes: Audio that may wait for the page in any case.
        spare_audio_bytes: What all sessions of a process share beyond that; more
            ends the answer.
        playback_lead_s: How far ahead of what was heard audio is sent.
        stalled_browser_s: A page that takes no audio for so long is closed.
        tools_at_once: Calls that run at the same time; more wait.
        tool_calls_per_session: Most tool calls of one session.
        tool_calls_per_minute: Most tool calls within any minute.
        approval_s: How long the visitor may take to allow a call.
        filler_after_s: A call that takes longer is bridged by its filler phrase.
        tool_arguments_bytes: Longest arguments of a call.
        tool_output_bytes: Longest answer of a handler after encoding as JSON.
        upstream_open_s: Longest wait for the model's server to accept.
        reconnect_s: A connection to it that is lost in the middle of a talk may take
            so long to be replaced; 0 to end the talk instead.
        rotate_s: Age at which a session of the model is replaced, in a silence, before
            its server ends it; 0 for never.
        upstream_event_bytes: Largest event taken from the model's server.
    """

    max_session_s: float = 600.0
    idle_s: float = 120.0
    text_chars: int = 4_000
    max_response_audio_s: float = 180.0
    waiting_audio_bytes: int = 1536 * 1024
    spare_audio_bytes: int = 16 * 1024 * 1024
    playback_lead_s: float = 2.5
    stalled_browser_s: float = 15.0
    tools_at_once: int = 5
    tool_calls_per_session: int = 100
    tool_calls_per_minute: int = 30
    approval_s: float = 60.0
    filler_after_s: float = 1.5
    tool_arguments_bytes: int = 64 * 1024
    tool_output_bytes: int = 32 * 1024
    upstream_open_s: float = 10.0
    reconnect_s: float = 0.0
    rotate_s: float = 0.0
    upstream_event_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """Something that was said in an earlier session of the same conversation.

    Attributes:
        role: Whose words these are.
        text: The words.
        session_id: Of that session, "" when unknown.
        item_id: Of the item in that session, "" when unknown.
    """

    role: Literal["user", "assistant", "system"]
    text: str
    session_id: str = ""
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Everything one session needs to know before it starts.

    Attributes:
        session_id: Our id of the session and of its conversation record (UUID).
        agent: Who answers first.
        agents: Everybody the conversation may be passed to, by name.
        model: Model name sent upstream.
        transcription_model: Model that writes down the visitor; "" for none.
        language: BCP 47 tag of the page, "" when unknown.
        text_only: No audio either way.
        audio: Format of the audio on both legs.
        turn_detection: How a turn ends.
        noise_reduction: near_field, far_field or "".
        half_duplex: Whether nothing is heard of the visitor while the agent speaks.
        changeable: Names of ``session.changes`` that the page may change.
        speed: Speech rate of the answer, 0.25 to 1.5.
        max_output_tokens: Bound of one answer, None for the provider's.
        message_roles: Roles the page may use in ``message``.
        picture_bytes: Largest picture that the visitor may show, 0 for none at all.
        greeting: Said by the agent at the start when not "".
        resume: Token with which the page may go on after a cut, "" for none.
        resumed: Whether this session goes on with an earlier one.
        history: What was said before, oldest first.
        show_usage: Whether the page is told what is used.
        tariff: What the models cost; changes with the provider that answers.
        guardrail_debounce_chars: How much an answer grows between two checks of it.
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
    half_duplex: bool = False
    changeable: frozenset[str] = frozenset()
    speed: float = 1.0
    max_output_tokens: int | None = None
    message_roles: frozenset[str] = frozenset({"user"})
    picture_bytes: int = 0
    greeting: str = ""
    resume: str = ""
    resumed: bool = False
    history: tuple[HistoryItem, ...] = ()
    show_usage: bool = False
    tariff: Tariff = field(default_factory=Tariff)
    guardrail_debounce_chars: int = 100
    limits: Limits = field(default_factory=Limits)
    agents: Mapping[str, AgentSpec] = field(default_factory=dict)
    error_messages: Mapping[str, str] = field(default_factory=dict)
    session_overrides: Mapping[str, Any] = field(default_factory=dict)
