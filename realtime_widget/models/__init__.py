"""The rows an editor fills in, and the records of what happened."""

from __future__ import annotations

from realtime_widget.models.agents import Agent, FunctionHandler, Tool
from realtime_widget.models.looks import Avatar, Button, ButtonSet
from realtime_widget.models.providers import Provider
from realtime_widget.models.records import Conversation, Item, ToolCall, Usage
from realtime_widget.models.widgets import Widget

__all__ = [
    "Agent",
    "Avatar",
    "Button",
    "ButtonSet",
    "Conversation",
    "FunctionHandler",
    "Item",
    "Provider",
    "Tool",
    "ToolCall",
    "Usage",
    "Widget",
]
