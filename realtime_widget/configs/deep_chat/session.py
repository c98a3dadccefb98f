"""What deep-chat sent to the model itself: agent, turns, transcription, tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from realtime_widget.configs.deep_chat.notes import (
    Imported,
    May,
    allowed,
    is_object,
    take,
)
from realtime_widget.models import Tool, Widget

TURN_FIELDS: Final = {
    "type": "turn_detection",
    "threshold": "vad_threshold",
    "prefix_padding_ms": "prefix_padding_ms",
    "silence_duration_ms": "silence_duration_ms",
    "eagerness": "eagerness",
    "interrupt_response": "interrupt_response",
    "idle_timeout_ms": "idle_timeout_ms",
}
AGENT_FIELDS: Final = {
    "instructions": "instructions",
    "voice": "voice",
    "speed": "speed",
    "max_response_output_tokens": "max_output_tokens",
    "max_output_tokens": "max_output_tokens",
}


def read_config(result: Imported, given: Any, may: May, *, new_agent: bool) -> None:
    """Take what belongs to the widget, and to an agent that is new."""
    if given is None or not is_object(result, "config", given):
        return
    agent = result.widget.agent
    for name, value in given.items():
        path = f"config.{name}"
        column = AGENT_FIELDS.get(name)
        if column and not new_agent:
            why = _("The agent “%s” has its own; change it there.") % agent.name
            result.note(path, "left_out", why)
        elif column:
            unbounded = column == "max_output_tokens" and value == "inf"
            take(result, agent, column, None if unbounded else value, path)
        elif name == "turn_detection":
            _read_turns(result, value)
        elif name == "input_audio_transcription":
            _read_transcription(result, value)
        elif name == "tools":
            _read_tools(result, value, may, new_agent=new_agent)
        else:
            result.note(path, "left_out", _why_no_row(result.widget, name, value))
    if new_agent:
        agent.save()


def _why_no_row(widget: Widget, name: str, value: Any) -> str:
    if name == "model":
        return _("The model belongs to the provider; choose it there.")
    if name == "temperature":
        return _("The service has given it up.")
    if name == "function_handler":
        return _("This is code: register it in the page, or write it in Python.")
    if name == "tool_choice":
        return _("The model chooses by itself.")
    return _("There is no such setting here.")


def _read_turns(result: Imported, given: Any) -> None:
    path = "config.turn_detection"
    if given is None:
        take(result, result.widget, "turn_detection", "none", path)
        return
    if not is_object(result, path, given):
        return
    for name, value in given.items():
        column = TURN_FIELDS.get(name)
        if column:
            take(result, result.widget, column, value, f"{path}.{name}")
        else:
            why = _("There is no such setting here.")
            result.note(f"{path}.{name}", "left_out", why)


def _read_transcription(result: Imported, given: Any) -> None:
    path = "config.input_audio_transcription"
    if given is True:
        why = _("Written down by the model that is set here.")
        result.note(path, "changed", why)
        return
    if not is_object(result, path, given):
        return
    for name, value in given.items():
        if name == "model":
            take(result, result.widget, "transcription_model", value, f"{path}.model")
        else:
            why = _("The language is the visitor's; hints have no setting.")
            result.note(f"{path}.{name}", "left_out", why)


def _read_tools(result: Imported, given: Any, may: May, *, new_agent: bool) -> None:
    if not isinstance(given, list):
        result.note("config.tools", "left_out", _("This is no list."))
        return
    for path, tool in _functions(result, given):
        known = Tool.objects.filter(name=str(tool.get("name"))).first()
        if known is not None:
            why = _("A tool of this name is there already; it is not changed.")
            result.note(path, "left_out", why)
        elif allowed(result, path, may, Tool):
            made = _new_tool(result, path, tool)
            if made is not None and new_agent:
                result.widget.agent.tools.add(made)


def _functions(
    result: Imported, given: list[Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, tool in enumerate(given):
        path = f"config.tools[{number}]"
        if isinstance(tool, Mapping) and tool.get("type", "function") == "function":
            yield path, tool
        else:
            result.note(path, "left_out", _("Only functions are tools here."))


def _new_tool(result: Imported, path: str, given: Mapping[str, Any]) -> Tool | None:
    tool = Tool(
        name=str(given.get("name") or ""),
        description=str(given.get("description") or ""),
        parameters=given.get("parameters") or {"type": "object", "properties": {}},
        runs_on=Tool.RunsOn.BROWSER,
    )
    try:
        tool.full_clean()
    except ValidationError as error:
        result.note(path, "left_out", " ".join(error.messages))
        return None
    tool.save()
    why = _("It runs in the page, and an agent that is to use it must have it.")
    result.note(path, "taken", why)
    return tool
