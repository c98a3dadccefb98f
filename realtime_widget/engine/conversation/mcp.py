"""MCP servers: the engine connects to none, and says so as the protocol does.

Source: Realtime API (GA), ``mcp_list_tools.in_progress`` and ``mcp_list_tools.failed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from realtime_widget.engine.conversation.items import Item

if TYPE_CHECKING:
    from realtime_widget.engine.conversation.core import Conversation

LIST_TOOLS: Final = "mcp_list_tools"
# Never shown again: tokens for the servers.
SECRET: Final = ("authorization", "headers")


def servers(session: Mapping[str, Any]) -> list[str]:
    """Return the labels of a session's MCP servers."""
    return [t["server_label"] for t in session.get("tools", ()) if _is_server(t)]


def without_secrets(tools: list[Any]) -> list[Any]:
    """Return tools as a session shows them."""
    return [
        {name: value for name, value in tool.items() if name not in SECRET}
        if _is_server(tool)
        else tool
        for tool in tools
    ]


def fail_to_list(talk: Conversation, label: str) -> None:
    """Tell that a server's tools are not known."""
    body = {
        "id": talk.outbox.new_id("mcpl"),
        "object": "realtime.item",
        "type": LIST_TOOLS,
        "server_label": label,
        "tools": [],
    }
    item = Item(body)
    previous = talk.items.add(item)
    talk.outbox.send(
        "conversation.item.added", previous_item_id=previous, item=item.public()
    )
    talk.outbox.send("mcp_list_tools.in_progress", item_id=item.item_id)
    talk.outbox.send("mcp_list_tools.failed", item_id=item.item_id)


def _is_server(tool: Any) -> bool:
    return isinstance(tool, Mapping) and tool.get("type") == "mcp"
