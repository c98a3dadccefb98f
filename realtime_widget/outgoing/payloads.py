"""What a webhook is told: the body of each event."""

from __future__ import annotations

import json
from typing import Any

from realtime_widget.models import Conversation, WebhookDelivery
from realtime_widget.models.outgoing import STARTED, TRANSCRIPT


def body_of(delivery: WebhookDelivery) -> bytes:
    """Return the JSON of a delivery; the same for every attempt, but for what changed.

    Only ``transcript.ready`` holds what was said, as it stands in the records: what
    the site redacts was redacted before.
    """
    conversation = delivery.conversation
    data: dict[str, Any] = {"conversation": _conversation(conversation)}
    if delivery.event != STARTED:
        data["conversation"] |= {
            "ended_at": _time(conversation.ended_at),
            "duration_s": conversation.duration_s,
            "reason": conversation.reason,
            "error_code": conversation.error_code,
        }
    if delivery.event == TRANSCRIPT:
        data["transcript"] = [
            {
                "item_id": item.item_id,
                "role": item.role,
                "source": item.source,
                "text": item.text,
                "status": item.status,
                "heard_ms": item.heard_ms,
                "agent": item.agent,
                "at": _time(item.created_at),
            }
            for item in conversation.items.all()
        ]
    body = {
        "type": delivery.event,
        "timestamp": _time(delivery.created_at),
        "data": data,
    }
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _conversation(row: Conversation) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "widget": row.widget_slug,
        "site": row.site.domain if row.site else "",
        "user_id": None if row.user_id is None else str(row.user_id),
        "language": row.language,
        "agent": row.agent_name,
        "provider": row.provider_name,
        "model": row.model,
        "started_at": _time(row.started_at),
    }


def _time(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
