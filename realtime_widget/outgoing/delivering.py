"""Sending what is due; for a thread without an event loop.

A delivery is claimed by moving its next attempt into the future, in one conditional
UPDATE, so that no two processes send it at the same time. One that dies while it
sends leaves the delivery to the others when the claim has run out: receivers may get
an event twice, and know it again by ``webhook-id``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
from django.utils import timezone

from realtime_widget.exceptions import ToolError, UpstreamError
from realtime_widget.handlers.webhooks import USER_AGENT, Webhook, post, signed
from realtime_widget.models import WebhookDelivery
from realtime_widget.models.webhooks import is_listed_webhook
from realtime_widget.outgoing.payloads import body_of

logger = logging.getLogger(__name__)

# After each failed attempt; behind the last one it is given up, some 21 hours later.
BACKOFF_S: Final = (10, 60, 300, 1_800, 7_200, 21_600, 43_200)
ATTEMPT_S: Final = 15.0
# Longer than an attempt of a whole batch takes.
CLAIM_S: Final = 120.0
AT_ONCE: Final = 8
ANSWER_BYTES: Final = 64 * 1024
GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery as it is sent.

    Attributes:
        webhook: Where it goes; without a secret nothing is sent.
        body: What is signed and sent.
    """

    delivery: WebhookDelivery
    webhook: Webhook
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt went: an HTTP status, or the name of what went wrong."""

    status: int | None
    error: str = ""


def deliver_due() -> float | None:
    """Send everything that is due, with several at once.

    Returns:
        Seconds until the next attempt is due, None when none is.
    """
    while parcels := _claimed():
        answers = asyncio.run(_send_all(parcels))
        for parcel, answer in zip(parcels, answers, strict=True):
            _note(parcel.delivery, answer)
    pending = WebhookDelivery.objects.filter(status=WebhookDelivery.Status.PENDING)
    following = pending.order_by("next_try_at").values_list("next_try_at", flat=True)
    due_at = following.first()
    if due_at is None:
        return None
    return float(max(0.0, (due_at - timezone.now()).total_seconds()))


def _claimed() -> list[Parcel]:
    now = timezone.now()
    due = WebhookDelivery.objects.filter(
        status=WebhookDelivery.Status.PENDING, next_try_at__lte=now
    ).order_by("next_try_at")
    parcels = []
    for delivery in due.select_related("webhook", "conversation__site")[:AT_ONCE]:
        claim = now + timedelta(seconds=CLAIM_S)
        unclaimed = due.order_by().filter(
            pk=delivery.pk, next_try_at=delivery.next_try_at
        )
        if unclaimed.update(next_try_at=claim, attempts=delivery.attempts + 1):
            delivery.attempts += 1
            parcels.append(_parcel(delivery))
    return parcels


def _parcel(delivery: WebhookDelivery) -> Parcel:
    row = delivery.webhook
    webhook = Webhook(
        tool=row.name,
        url=row.url,
        secret=row.secret(),
        public_only=not is_listed_webhook(row.url),
        output_bytes=ANSWER_BYTES,
    )
    return Parcel(delivery, webhook, body_of(delivery))


async def _send_all(parcels: Sequence[Parcel]) -> list[Answer]:
    return await asyncio.gather(*map(_send, parcels))


async def _send(parcel: Parcel) -> Answer:
    """Return how one attempt went; never raises."""
    webhook = parcel.webhook
    if not webhook.secret:
        return Answer(None, "no signing secret")
    now_s = int(timezone.now().timestamp())
    headers = {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
        **signed(webhook.secret, str(parcel.delivery.pk), now_s, parcel.body),
    }
    try:
        async with asyncio.timeout(ATTEMPT_S):
            status, _answer = await post(webhook, headers, parcel.body)
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        OSError,
        UpstreamError,
        ToolError,
        TimeoutError,
    ) as exc:
        return Answer(None, type(exc).__name__)
    return Answer(status)


def _note(delivery: WebhookDelivery, answer: Answer) -> None:
    """Write down how an attempt went, and when the next one is."""
    now = timezone.now()
    values: dict[str, Any] = {"answer_status": answer.status, "error": answer.error}
    if answer.status is not None and 200 <= answer.status < 300:
        values |= {
            "status": WebhookDelivery.Status.DELIVERED,
            "delivered_at": now,
        }
    elif delivery.attempts > len(BACKOFF_S) or answer.status == GONE:
        values |= {"status": WebhookDelivery.Status.FAILED}
        logger.warning("Webhook delivery %s given up", delivery.pk)
    else:
        wait_s = BACKOFF_S[delivery.attempts - 1]
        values |= {"next_try_at": now + timedelta(seconds=wait_s)}
    WebhookDelivery.objects.filter(pk=delivery.pk).update(**values)
