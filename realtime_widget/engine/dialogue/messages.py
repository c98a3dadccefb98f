"""Realtime conversation items as chat-completions messages and tools.

Source: the Realtime API's items (message, function_call, function_call_output) and the
chat-completions request (``messages``, ``tools``, ``tool_choice``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Message = dict[str, Any]


def item_text(item: Mapping[str, Any]) -> str:
    """Return the words of a message item: typed, spoken or answered."""
    parts = item.get("content") or ()
    words = (part.get("text") or part.get("transcript") or "" for part in parts)
    return " ".join(word for word in words if word).strip()


def heard_nothing(items: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the last item is speech in which no words were recognised."""
    if not items:
        return False
    last = items[-1]
    parts = last.get("content") or ()
    return (
        last.get("type") == "message"
        and last.get("role") == "user"
        and any(part.get("type") == "input_audio" for part in parts)
        and not item_text(last)
    )


def to_messages(instructions: str, items: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Return the messages of a request.

    A call stands right before its output, as chat-completions demands; calls that were
    never answered and outputs without a call are left out.
    """
    messages: list[Message] = []
    if instructions:
        messages.append({"role": "system", "content": instructions})
    outputs = {
        str(item.get("call_id")): item
        for item in items
        if item.get("type") == "function_call_output"
    }
    for item in items:
        messages.extend(_messages_of(item, outputs))
    return messages


def to_tools(tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the function tools of a request."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool["name"],
                "description": tool.get("description") or "",
                "parameters": tool.get("parameters")
                or {"type": "object", "properties": {}},
            },
        }
        for tool in tools
        if tool.get("type", "function") == "function" and tool.get("name")
    ]


def to_tool_choice(choice: Any) -> Any:
    """Return the request's ``tool_choice``."""
    if isinstance(choice, Mapping):
        if choice.get("type") == "function" and choice.get("name"):
            return {"type": "function", "function": {"name": choice["name"]}}
        return "auto"
    return choice if choice in ("auto", "none", "required") else "auto"


def _messages_of(
    item: Mapping[str, Any], outputs: Mapping[str, Mapping[str, Any]]
) -> Iterator[Message]:
    kind = item.get("type")
    if kind == "message":
        text = item_text(item)
        if text:
            yield {"role": item.get("role", "user"), "content": text}
    elif kind == "function_call":
        call_id = str(item.get("call_id"))
        output = outputs.get(call_id)
        if output is None:
            return
        function = {
            "name": item.get("name"),
            "arguments": item.get("arguments") or "{}",
        }
        yield {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": call_id, "type": "function", "function": function}],
        }
        yield {
            "role": "tool",
            "tool_call_id": call_id,
            "content": str(output.get("output") or ""),
        }
