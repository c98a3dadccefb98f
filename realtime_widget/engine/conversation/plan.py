"""What a response is to be made from and how it is to come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from realtime_widget.engine.conversation import (
    errors,
    field_rules,
    session_rules,
)
from realtime_widget.engine.conversation.item_rules import read_item
from realtime_widget.engine.conversation.items import Item, Items
from realtime_widget.engine.conversation.mcp import LIST_TOOLS
from realtime_widget.engine.conversation.session_object import merge_response
from realtime_widget.engine.ports import DialogueRequest
from realtime_widget.protocol.audio import FORMATS_BY_WIRE_TYPE, AudioFormat


@dataclass(frozen=True, slots=True)
class Plan:
    """One response's configuration, fixed when it is created.

    Attributes:
        config: The session object with the response's own fields merged in.
        items: The context, oldest first.
        in_conversation: Whether its output becomes part of the conversation.
        speaks: Whether it is spoken; else it is written.
        metadata: The client's own notes, echoed.
        own_wishes: Whether its ``response.create`` asked for anything in particular.
    """

    config: Mapping[str, Any]
    items: tuple[Item, ...]
    in_conversation: bool
    speaks: bool
    metadata: Mapping[str, str] | None
    own_wishes: bool

    @property
    def output_format(self) -> AudioFormat:
        """The format of its audio."""
        kind = self.config["audio"]["output"]["format"]["type"]
        return FORMATS_BY_WIRE_TYPE[kind]

    @property
    def voice(self) -> str:
        """The name of its voice."""
        voice = self.config["audio"]["output"]["voice"]
        return str(voice["id"] if isinstance(voice, dict) else voice)

    @property
    def max_output_tokens(self) -> int | None:
        """The bound of the answer, None for no bound."""
        bound = self.config["max_output_tokens"]
        return None if bound == "inf" else int(bound)

    def may_call(self, calls: int) -> bool:
        """Whether the answer may call a function after so many calls."""
        if self.config["tool_choice"] == "none":
            return False
        return calls == 0 or self.config.get("parallel_tool_calls") is not False

    def waits(self) -> bool:
        """Whether words of the context are still being found out."""
        return any(item.waits for item in self.items)

    @property
    def nothing_said(self) -> bool:
        """Whether it would only answer a noise; then it has nothing to say."""
        return not self.own_wishes and any(i.wordless for i in self.items[-1:])

    def request(self, language: str) -> DialogueRequest:
        """Return what the dialogue is asked."""
        tools = self.config["tools"]
        return DialogueRequest(
            instructions=self.config["instructions"],
            items=[item.context() for item in self.items],
            tools=[tool for tool in tools if tool["type"] == "function"],
            tool_choice=self.config["tool_choice"],
            language=language,
            max_output_tokens=self.max_output_tokens,
            heard=self.items[-1].audio if self.items else b"",
        )

    def public(self) -> dict[str, Any]:
        """Return the fields of a response object that do not change."""
        output = self.config["audio"]["output"]
        return {
            "output_modalities": ["audio"] if self.speaks else ["text"],
            "max_output_tokens": self.config["max_output_tokens"],
            "audio": {"output": {"format": output["format"], "voice": self.voice}},
            "metadata": self.metadata,
        }


def make_plan(
    session: Mapping[str, Any],
    items: Items,
    wished: Any,
    *,
    speaks: bool,
    new_id: Callable[[str], str],
) -> Plan:
    """Return the plan of a ``response.create``.

    Args:
        session: The session object.
        items: The conversation.
        wished: The event's ``response``, None when it has none.
        speaks: Whether the engine can speak.
        new_id: Gives ids to items that stand in the event.

    Raises:
        EventRefused: If a field is wrong.
    """
    wished = {} if wished is None else wished
    session_rules.RESPONSE(wished, "response")
    config = merge_response(session, wished)
    return Plan(
        config=config,
        items=_context(items, wished.get("input"), session, new_id),
        in_conversation=wished.get("conversation") != "none",
        speaks=speaks and config["output_modalities"] == ["audio"],
        metadata=wished.get("metadata"),
        own_wishes=bool(wished),
    )


def _context(
    items: Items,
    wished: Any,
    session: Mapping[str, Any],
    new_id: Callable[[str], str],
) -> tuple[Item, ...]:
    if wished is None:
        return tuple(item for item in items if item.body.get("type") != LIST_TOOLS)
    field_rules.array(wished, "response.input")
    wire = FORMATS_BY_WIRE_TYPE[session["audio"]["input"]["format"]["type"]]
    context: list[Item] = []
    for at, data in enumerate(wished):
        path = f"response.input[{at}]"
        if isinstance(data, dict) and data.get("type") == "item_reference":
            item_id = field_rules.text(data.get("id"), f"{path}.id")
            found = items.find(item_id)
            if found is None:
                raise errors.no_such_item("retrieve", "retrieving", item_id)
            context.append(found)
        else:
            context.append(read_item(data, path, new_id=new_id, wire=wire))
    return tuple(context)
