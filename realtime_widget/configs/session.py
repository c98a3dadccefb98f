"""From a widget's rows to what one session needs.

Nothing below this sees a row: sessions get frozen values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast
from uuid import UUID

from django.utils.translation import get_language_info

from realtime_widget.conf import Conf, get_conf
from realtime_widget.configs.agents import Staff, staff
from realtime_widget.configs.instructions import page_facts
from realtime_widget.handlers import Visit
from realtime_widget.messages import best_language, error_messages
from realtime_widget.models import Provider, Widget
from realtime_widget.protocol.audio import FORMATS
from realtime_widget.session.config import (
    DEFAULT_MODEL,
    Limits,
    SessionConfig,
    TurnDetection,
)
from realtime_widget.upstream.catalogue import (
    COMPATIBLE_SESSION_LIMIT_S,
    MODELS,
    SESSION_LIMIT_S,
)

# In a silence after this part of its life a session of the model is replaced.
ROTATE_AT = 0.9
# OpenAI recommends it for its current models; other services have voices of their own.
DEFAULT_VOICES = {Provider.Kind.OPENAI: "marin", Provider.Kind.AZURE: "marin"}


def session_config(
    widget: Widget,
    *,
    user: Any,
    site: Any,
    language: str,
    text_only: bool,
    variables: Mapping[str, Any],
    session_id: str | UUID,
    people: Staff | None = None,
) -> SessionConfig:
    """Return everything one session needs to know before it starts.

    Args:
        widget: From ``find_widget``.
        user: Who talks; not told to the model.
        site: Decides which functions answer the tools.
        language: Language of the page as the browser gave it, "" when unknown.
        text_only: The visitor wants no audio.
        variables: What the page says about itself; only names that the row lists.
        session_id: Id of the session and of its record.
        people: From ``session_staff``, when it was asked for already.
    """
    agent = widget.agent
    model = widget.provider.model if widget.provider else DEFAULT_MODEL
    people = people or session_staff(
        widget, user=user, site=site, language=language, variables=variables
    )
    return SessionConfig(
        session_id=str(session_id),
        agent=people.agents[agent.name],
        agents=people.agents,
        guardrail_debounce_chars=get_conf().GUARDRAIL_DEBOUNCE_CHARS,
        model=model,
        show_usage=widget.show_usage,
        transcription_model=widget.transcription_model,
        language=language,
        text_only=text_only or widget.text_only,
        audio=FORMATS[widget.audio_format],
        turn_detection=_turn_detection(widget),
        noise_reduction=cast(
            Literal["", "near_field", "far_field"], widget.noise_reduction
        ),
        half_duplex=widget.half_duplex,
        changeable=frozenset(widget.changeable),
        speed=agent.speed,
        max_output_tokens=agent.max_output_tokens,
        message_roles=frozenset(widget.message_roles),
        picture_bytes=get_conf().PICTURE_BYTES if widget.pictures else 0,
        greeting=widget.greeting,
        limits=_limits(widget, get_conf()),
        error_messages=error_messages(best_language(language)),
    )


def session_staff(
    widget: Widget,
    *,
    user: Any,
    site: Any,
    language: str,
    variables: Mapping[str, Any],
) -> Staff:
    """Return everybody who may answer in a session, with their code.

    Args:
        widget: From ``find_widget``.
        user: Who talks.
        site: Decides what answers the tools.
        language: Of the page, "" when unknown.
        variables: What the page says about itself.
    """
    visit = Visit(
        user=user,
        site=site,
        widget=widget.slug,
        language=best_language(language),
        page=page_facts(widget.variables, variables),
    )
    closing = _spoken(visit.language) if visit.language in widget.languages else ""
    return staff(widget.agent, visit, _default_voice(widget.provider), closing)


def _spoken(language: str) -> str:
    """Return what tells a model which language the visitor has chosen."""
    name = get_language_info(language)["name"]
    return (
        f"The visitor has chosen {name}: speak it until they ask for another language."
    )


def _default_voice(provider: Provider | None) -> str:
    return DEFAULT_VOICES.get(Provider.Kind(provider.kind), "") if provider else ""


def _turn_detection(widget: Widget) -> TurnDetection:
    return TurnDetection(
        kind=cast(Literal["server_vad", "semantic_vad", "none"], widget.turn_detection),
        threshold=widget.vad_threshold,
        prefix_padding_ms=widget.prefix_padding_ms,
        silence_duration_ms=widget.silence_duration_ms,
        eagerness=cast(Literal["auto", "low", "medium", "high"], widget.eagerness),
        interrupt_response=widget.interrupt_response,
        idle_timeout_ms=widget.idle_timeout_ms,
    )


def _limits(widget: Widget, conf: Conf) -> Limits:
    max_session_s = widget.max_session_s or conf.MAX_SESSION_S
    return Limits(
        max_session_s=min(max_session_s, conf.HARD_MAX_SESSION_S),
        idle_s=widget.idle_s or conf.IDLE_S,
        text_chars=conf.TEXT_CHARS,
        max_response_audio_s=conf.MAX_RESPONSE_AUDIO_S,
        waiting_audio_bytes=conf.WAITING_AUDIO_BYTES,
        spare_audio_bytes=conf.SPARE_AUDIO_BYTES,
        playback_lead_s=conf.PLAYBACK_LEAD_S,
        stalled_browser_s=conf.STALLED_BROWSER_S,
        tools_at_once=conf.TOOLS_AT_ONCE,
        tool_arguments_bytes=conf.TOOL_ARGUMENTS_BYTES,
        tool_output_bytes=conf.TOOL_OUTPUT_BYTES,
        tool_calls_per_session=conf.TOOL_CALLS_PER_SESSION,
        tool_calls_per_minute=conf.TOOL_CALLS_PER_MINUTE,
        approval_s=conf.APPROVAL_S,
        filler_after_s=conf.FILLER_AFTER_S,
        upstream_open_s=conf.UPSTREAM_OPEN_S,
        upstream_event_bytes=conf.UPSTREAM_EVENT_BYTES,
        reconnect_s=conf.RECONNECT_S,
        rotate_s=ROTATE_AT * _upstream_session_s(widget, conf),
    )


def _upstream_session_s(widget: Widget, conf: Conf) -> float:
    """Return how long a session lives at the widget's provider."""
    if conf.UPSTREAM_SESSION_S:
        return conf.UPSTREAM_SESSION_S
    provider = widget.provider
    if provider is not None and provider.kind == Provider.Kind.COMPATIBLE:
        return COMPATIBLE_SESSION_LIMIT_S
    facts = MODELS.get(provider.model) if provider is not None else None
    return facts.session_limit_s if facts is not None else SESSION_LIMIT_S
