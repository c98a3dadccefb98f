"""The events the server composes for the model's side.

The page's words reach the model as message text and nothing else: instructions,
tools and model come from the configuration alone.

Source: Realtime API, client events ``session.update``, ``conversation.item.create``,
``response.create``, ``conversation.item.truncate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from realtime_widget.protocol.greeting import say_exactly
from realtime_widget.session.config import (
    AgentSpec,
    McpSpec,
    SessionConfig,
    ToolSpec,
    TurnDetection,
)

Event = dict[str, Any]


def session_update(session: Mapping[str, Any], *, event_id: str) -> Event:
    """Return the event that configures the upstream session."""
    return {"type": "session.update", "event_id": event_id, "session": session}


def session_object(config: SessionConfig) -> dict[str, Any]:
    """Return the GA session object for a configuration.

    Fields that were not chosen are left out, so that the server's defaults hold and
    servers which do not know a field are not asked about it.
    """
    session: dict[str, Any] = {
        "type": "realtime",
        "instructions": config.agent.instructions,
        "output_modalities": ["text"] if config.text_only else ["audio"],
        "tools": offered_tools(config.agent),
        "tool_choice": "auto",
    }
    if not config.text_only:
        session["audio"] = {
            "input": _audio_input(config),
            "output": _audio_output(config),
        }
    if config.max_output_tokens is not None:
        session["max_output_tokens"] = config.max_output_tokens
    return merged(session, config.session_overrides)


def changed_parts(before: SessionConfig, after: SessionConfig) -> dict[str, Any]:
    """Return the session object with only what differs in the audio of two."""
    parts: dict[str, Any] = {}
    if before.turn_detection != after.turn_detection:
        parts["turn_detection"] = turn_detection_object(after.turn_detection)
    if before.noise_reduction != after.noise_reduction:
        kind = after.noise_reduction
        parts["noise_reduction"] = {"type": kind} if kind else None
    audio: dict[str, Any] = {"input": parts} if parts else {}
    if before.speed != after.speed:
        audio["output"] = {"speed": after.speed}
    return {"type": "realtime", "audio": audio}


def agent_parts(
    agent: AgentSpec, *, with_voice: bool, with_mcp: bool = True
) -> dict[str, Any]:
    """Return the part of the session object that another agent changes."""
    parts: dict[str, Any] = {
        "type": "realtime",
        "instructions": agent.instructions,
        "tools": offered_tools(agent, with_mcp=with_mcp),
    }
    if with_voice and agent.voice:
        parts["audio"] = {"output": {"voice": agent.voice}}
    return parts


def offered_tools(agent: AgentSpec, *, with_mcp: bool = True) -> list[dict[str, Any]]:
    """Return the tools the model may call, wherever they run."""
    asks_always = agent.checks_arguments
    servers = [
        mcp_object(one, asks_always=asks_always) for one in agent.mcp if with_mcp
    ]
    return [*map(tool_object, agent.tools), *servers]


def tool_object(tool: ToolSpec) -> dict[str, Any]:
    """Return a tool as the protocol spells it."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def mcp_object(server: McpSpec, *, asks_always: bool) -> dict[str, Any]:
    """Return an MCP server as the protocol spells it.

    Args:
        server: The server.
        asks_always: Whether we want to see every call before it is made.
    """
    tool: dict[str, Any] = {"type": "mcp", "server_label": server.label}
    optional = {
        "server_url": server.url,
        "connector_id": server.connector,
        "server_description": server.description,
        "authorization": server.authorization,
        "allowed_tools": list(server.tools),
    }
    tool.update({name: value for name, value in optional.items() if value})
    if asks_always or (server.needs_approval and not server.unasked):
        tool["require_approval"] = "always"
    elif not server.needs_approval:
        tool["require_approval"] = "never"
    else:
        never = {"tool_names": sorted(server.unasked)}
        tool["require_approval"] = {"never": never}
    return tool


def _audio_input(config: SessionConfig) -> dict[str, Any]:
    audio: dict[str, Any] = {
        "format": dict(config.audio.wire),
        "transcription": None,
        "turn_detection": turn_detection_object(config.turn_detection),
    }
    if config.transcription_model:
        audio["transcription"] = {"model": config.transcription_model}
        if config.language:
            # ISO 639-1: the first part of the page's BCP 47 tag.
            audio["transcription"]["language"] = config.language.partition("-")[0]
    if config.noise_reduction:
        audio["noise_reduction"] = {"type": config.noise_reduction}
    return audio


def _audio_output(config: SessionConfig) -> dict[str, Any]:
    audio: dict[str, Any] = {"format": dict(config.audio.wire)}
    if config.agent.voice:
        audio["voice"] = config.agent.voice
    if config.speed != 1.0:
        audio["speed"] = config.speed
    return audio


def turn_detection_object(detection: TurnDetection) -> dict[str, Any] | None:
    """Return the protocol's turn detection, None for push-to-talk."""
    if detection.kind == "none":
        return None
    common = {
        "create_response": True,
        "interrupt_response": detection.interrupt_response,
    }
    if detection.kind == "semantic_vad":
        return {"type": "semantic_vad", "eagerness": detection.eagerness, **common}
    server_vad = {
        "type": "server_vad",
        "threshold": detection.threshold,
        "prefix_padding_ms": detection.prefix_padding_ms,
        "silence_duration_ms": detection.silence_duration_ms,
        **common,
    }
    if detection.idle_timeout_ms is not None:
        server_vad["idle_timeout_ms"] = detection.idle_timeout_ms
    return server_vad


def merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``overrides`` merged in, objects key by key."""
    result = dict(base)
    for key, value in overrides.items():
        here = result.get(key)
        if isinstance(here, Mapping) and isinstance(value, Mapping):
            result[key] = merged(here, value)
        else:
            result[key] = value
    return result


def without_field(session: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    """Return a session object without one field.

    Args:
        session: A GA session object.
        path: The field as an ``error`` names it: ``session.audio.input.format``.

    Returns:
        The smaller object; None when it has no such field, or when the field is one
        a session must not lose: its type, instructions or tools.
    """
    head, _, rest = path.partition(".")
    if head != "session" or rest.partition(".")[0] in {
        "",
        "type",
        "instructions",
        "tools",
    }:
        return None
    return _without(session, rest.split("."))


def without_mcp(session: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a session object without MCP servers, None when it has none."""
    tools = session.get("tools", [])
    kept = [tool for tool in tools if tool.get("type") != "mcp"]
    return {**session, "tools": kept} if len(kept) < len(tools) else None


def _without(value: Mapping[str, Any], path: list[str]) -> dict[str, Any] | None:
    name, rest = path[0], path[1:]
    if name not in value:
        return None
    if not rest:
        return {key: item for key, item in value.items() if key != name}
    inner = value[name]
    if not isinstance(inner, Mapping):
        return None
    smaller = _without(inner, rest)
    return None if smaller is None else {**value, name: smaller}


def message_item(item_id: str, role: str, text: str, picture: str = "") -> Event:
    """Return the event that adds a typed message to the conversation.

    Args:
        item_id: Of our own.
        role: Who says it.
        text: The words; "" beside a picture.
        picture: A data URL, "" for none.
    """
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": text}] if text else []
    if picture:
        content.append({"type": "input_image", "image_url": picture})
    return {
        "type": "conversation.item.create",
        "item": {
            "id": item_id,
            "type": "message",
            "role": role,
            "content": content,
        },
    }


def tool_call_item(call_id: str, name: str, arguments: str) -> Event:
    """Return the event that tells of a call which another session has made."""
    return {
        "type": "conversation.item.create",
        "item": {
            "type": "function_call",
            "call_id": call_id,
            "name": name,
            "arguments": arguments,
        },
    }


def tool_output_item(call_id: str, output: str) -> Event:
    """Return the event that answers a tool call."""
    return {
        "type": "conversation.item.create",
        "item": {"type": "function_call_output", "call_id": call_id, "output": output},
    }


def approval_item(
    item_id: str, request_id: str, *, approve: bool, reason: str = ""
) -> Event:
    """Return the event that answers whether an MCP call may be made."""
    item: dict[str, Any] = {
        "id": item_id,
        "type": "mcp_approval_response",
        "approval_request_id": request_id,
        "approve": approve,
    }
    if reason:
        item["reason"] = reason
    return {"type": "conversation.item.create", "item": item}


def delete_item(item_id: str) -> Event:
    """Return the event that takes an item out of the conversation."""
    return {"type": "conversation.item.delete", "item_id": item_id}


def truncate_item(item_id: str, heard_ms: int) -> Event:
    """Return the event that tells the model how much of an answer was heard."""
    return {
        "type": "conversation.item.truncate",
        "item_id": item_id,
        "content_index": 0,
        "audio_end_ms": heard_ms,
    }


def greeting_response(text: str) -> dict[str, Any]:
    """Return the parameters of a response that says the greeting."""
    return {"instructions": say_exactly(text), "tool_choice": "none"}
