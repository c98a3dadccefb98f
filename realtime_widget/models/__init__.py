"""The rows an editor fills in, and the records of what happened."""

from __future__ import annotations

from realtime_widget.models.agents import Agent, FunctionHandler, Tool
from realtime_widget.models.fallbacks import FallbackProvider
from realtime_widget.models.guardrails import Guardrail
from realtime_widget.models.happenings import ConversationEvent
from realtime_widget.models.looks import Avatar, Button, ButtonSet
from realtime_widget.models.mcp import McpServer
from realtime_widget.models.opinions import Consent, Feedback
from realtime_widget.models.outgoing import OutgoingWebhook, WebhookDelivery
from realtime_widget.models.prices import Price
from realtime_widget.models.providers import Provider
from realtime_widget.models.quotas import Quota, QuotaCount
from realtime_widget.models.recordings import Recording
from realtime_widget.models.records import Conversation, Item, ToolCall, Usage
from realtime_widget.models.widgets import Widget

__all__ = [
    "Agent",
    "Avatar",
    "Button",
    "ButtonSet",
    "Consent",
    "Conversation",
    "Feedback",
    "ConversationEvent",
    "FallbackProvider",
    "FunctionHandler",
    "Guardrail",
    "Item",
    "McpServer",
    "OutgoingWebhook",
    "Price",
    "Provider",
    "Quota",
    "QuotaCount",
    "Recording",
    "Tool",
    "ToolCall",
    "Usage",
    "WebhookDelivery",
    "Widget",
]
