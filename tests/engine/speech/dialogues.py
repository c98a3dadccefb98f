"""A small business's tools, and conversations with the rules about them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from realtime_widget.engine.dialogue.rules import decide
from realtime_widget.engine.ports import DialogueRequest

TODAY = date(2026, 11, 21)  # a Saturday


def tool(
    name: str, description: str, required: tuple[str, ...] = (), /, **properties: Any
):
    """Return a function tool in protocol form."""
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": schema,
    }


TEXT = {"type": "string"}
SHOP = [
    tool(
        "order_status",
        "Look up an order of the signed-in customer.",
        ("order_number",),
        order_number={**TEXT, "description": "The number on the confirmation mail."},
    ),
    tool(
        "book_appointment",
        "Book an appointment in the workshop.",
        ("day", "time"),
        day={**TEXT, "format": "date", "description": "The day of the visit."},
        time={**TEXT, "description": "The time of the visit."},
        notes={**TEXT, "default": "", "description": "Anything to prepare."},
    ),
    tool(
        "cancel_appointment",
        "Cancel an appointment of the signed-in customer.",
        ("reference",),
        reference={**TEXT, "description": "Its reference, such as AP-12."},
    ),
    tool(
        "opening_hours",
        "Tell when the shop is open.",
        (),
        day={
            "enum": [
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "saturday",
                "sunday",
            ]
        },
    ),
    tool("get_weather", "Current weather of a city.", ("city",), city=TEXT),
    tool("set_timer", "Start a timer.", ("minutes",), minutes={"type": "integer"}),
]


def said(text: str) -> dict[str, Any]:
    """Return an item of what a visitor said aloud."""
    part = {"type": "input_audio", "transcript": text}
    return {"type": "message", "role": "user", "content": [part]}


def answered(text: str) -> dict[str, Any]:
    """Return an item of what the agent answered."""
    part = {"type": "output_audio", "transcript": text}
    return {"type": "message", "role": "assistant", "content": [part]}


def called(name: str, arguments: dict[str, Any], output: Any) -> list[dict[str, Any]]:
    """Return the items of a tool call and its output."""
    call = {
        "type": "function_call",
        "name": name,
        "call_id": "call_1",
        "arguments": json.dumps(arguments),
    }
    text = output if isinstance(output, str) else json.dumps(output)
    return [call, {"type": "function_call_output", "call_id": "call_1", "output": text}]


class Talk:
    """A conversation with the rules, tools answered from a table.

    Args:
        outputs: Tool name -> what it returns.
        tools: The session's tools.
        tool_choice: As in the protocol.
    """

    def __init__(
        self, outputs: dict[str, Any] | None = None, tools=None, tool_choice="auto"
    ):
        self.outputs = outputs or {}
        self.tools = SHOP if tools is None else tools
        self.tool_choice = tool_choice
        self.items: list[dict[str, Any]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def say(self, text: str) -> str:
        """Say something and return what is answered, tools called on the way."""
        self.items.append(said(text))
        decision = self._decide()
        steps = 0
        while decision.calls:
            for call in decision.calls:
                arguments = json.loads(call.arguments)
                self.calls.append((call.tool.name, arguments))
                output = self.outputs.get(call.tool.name, {"ok": True})
                self.items += called(call.tool.name, arguments, output)
            decision = self._decide()
            steps += 1
            assert steps < 5, "calls without an end"
        self.items.append(answered(decision.text))
        return decision.text

    def _decide(self):
        request = DialogueRequest("", self.items, self.tools, self.tool_choice)
        return decide(request, TODAY)


def call_for(text: str, **options: Any) -> tuple[str, dict[str, Any]] | None:
    """Return the tool call that a single sentence leads to, None for none."""
    talk = Talk(**options)
    talk.say(text)
    return talk.calls[0] if talk.calls else None
