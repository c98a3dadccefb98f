"""The admin: where an editor makes agents and widgets, and staff read records."""

from __future__ import annotations

from realtime_widget.admin.agents import AgentAdmin, ToolAdmin
from realtime_widget.admin.guardrails import GuardrailAdmin
from realtime_widget.admin.looks import AvatarAdmin, ButtonSetAdmin
from realtime_widget.admin.mcp import McpServerAdmin
from realtime_widget.admin.money import PriceAdmin, UsageAdmin
from realtime_widget.admin.opinions import ConsentAdmin, FeedbackAdmin
from realtime_widget.admin.outgoing import OutgoingWebhookAdmin, WebhookDeliveryAdmin
from realtime_widget.admin.providers import ProviderAdmin
from realtime_widget.admin.quotas import QuotaAdmin
from realtime_widget.admin.records import ConversationAdmin
from realtime_widget.admin.widgets import WidgetAdmin

__all__ = [
    "AgentAdmin",
    "AvatarAdmin",
    "ButtonSetAdmin",
    "ConsentAdmin",
    "ConversationAdmin",
    "FeedbackAdmin",
    "GuardrailAdmin",
    "McpServerAdmin",
    "OutgoingWebhookAdmin",
    "PriceAdmin",
    "ProviderAdmin",
    "QuotaAdmin",
    "ToolAdmin",
    "UsageAdmin",
    "WebhookDeliveryAdmin",
    "WidgetAdmin",
]
