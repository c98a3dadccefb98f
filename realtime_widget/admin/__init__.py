"""The admin: where an editor makes agents and widgets, and staff read records."""

from __future__ import annotations

from realtime_widget.admin.agents import AgentAdmin, ToolAdmin
from realtime_widget.admin.looks import AvatarAdmin, ButtonSetAdmin
from realtime_widget.admin.providers import ProviderAdmin
from realtime_widget.admin.records import ConversationAdmin
from realtime_widget.admin.widgets import WidgetAdmin

__all__ = [
    "AgentAdmin",
    "AvatarAdmin",
    "ButtonSetAdmin",
    "ConversationAdmin",
    "ProviderAdmin",
    "ToolAdmin",
    "WidgetAdmin",
]
