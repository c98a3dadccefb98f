"""Messages from other processes to a running session, through the channel layer.

``{"type": "session.end", "reason": "draining"}`` sent to the session's group ends
it. Without a layer, or while it is away, the session goes on untouched.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from channels.layers import get_channel_layer

from realtime_widget.protocol.browser import STOP_REASONS

logger = logging.getLogger(__name__)

RETRY_S = 1.0
MAX_RETRY_S = 15.0
# A layer that does not answer in this time counts as away.
LAYER_S = 1.0


def session_group(session_id: str) -> str:
    """Return the group that one session listens to."""
    return f"realtime-widget.session.{session_id}"


async def end_session(session_id: str, reason: str) -> None:
    """End a session wherever it runs; one that is over is left alone.

    Args:
        session_id: Our id of the session.
        reason: One of the browser protocol's stop reasons.
    """
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async with asyncio.timeout(LAYER_S):
            await layer.group_send(
                session_group(session_id), {"type": "session.end", "reason": reason}
            )
    except Exception as exc:
        # Each layer raises errors of its own library.
        logger.warning("Session %s not ended: %s", session_id, type(exc).__name__)


async def listen(session_id: str, end: Callable[[Any], None]) -> None:
    """Listen until cancelled; the layer's failures are logged once and retried.

    Args:
        session_id: Our id of the session.
        end: Called with the reason when somebody ends the session.
    """
    layer = get_channel_layer()
    if layer is None:
        return
    group, channel, retry_s = session_group(session_id), "", RETRY_S
    try:
        while True:
            try:
                if not channel:
                    channel = await layer.new_channel()
                    await layer.group_add(group, channel)
                message = await layer.receive(channel)
                _take(message, end)
            except Exception as exc:
                # Each layer raises errors of its own library.
                if retry_s == RETRY_S:
                    logger.warning(
                        "Channel layer unavailable (%s): session %s cannot be ended"
                        " from elsewhere for now",
                        type(exc).__name__,
                        session_id,
                    )
                channel = ""
                await asyncio.sleep(retry_s)
                retry_s = min(MAX_RETRY_S, retry_s * 2)
    finally:
        if channel:
            await _leave(layer, group, channel)


def _take(message: dict[str, Any], end: Callable[[Any], None]) -> None:
    reason = message.get("reason", "draining")
    if message.get("type") == "session.end" and reason in STOP_REASONS:
        end(reason)


async def _leave(layer: Any, group: str, channel: str) -> None:
    try:
        async with asyncio.timeout(1):
            await layer.group_discard(group, channel)
    except Exception:
        # It forgets the channel by itself after its group expiry.
        logger.debug("Channel layer unavailable, group left to expire")
