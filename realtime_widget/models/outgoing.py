"""Webhooks that tell another server what happens, and each delivery.

A delivery is a row that is written together with what it speaks of: whatever process
dies, it is still to be sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from realtime_widget.models.records import Conversation
from realtime_widget.models.sealing import Unreadable, seal, unseal
from realtime_widget.models.webhooks import validate_webhook_url
from realtime_widget.models.widgets import Widget

STARTED: Final = "session.started"
STOPPED: Final = "session.stopped"
TRANSCRIPT: Final = "transcript.ready"
EVENTS: Final = (STARTED, STOPPED, TRANSCRIPT)
# What a conversation's end says.
AT_THE_END: Final = (STOPPED, TRANSCRIPT)

# Sent when deliveries are to be made; no arguments. Not for sites: theirs are in
# ``realtime_widget.signals``.
deliveries_queued = Signal()


def validate_events(value: Any) -> None:
    """Refuse what is no list of known events."""
    if not isinstance(value, list) or not value or not set(value) <= set(EVENTS):
        raise ValidationError(
            _("Choose from %(events)s."),
            code="events",
            params={"events": ", ".join(EVENTS)},
        )


def all_events() -> list[str]:
    """Return every event; a default of fields."""
    return list(EVENTS)


class OutgoingWebhook(models.Model):
    """A server that is told when conversations start and stop."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    url = models.CharField(
        _("address"), max_length=500, validators=[validate_webhook_url]
    )
    events = models.JSONField(
        _("events"),
        default=all_events,
        validators=[validate_events],
        help_text=_(
            "Of session.started, session.stopped and transcript.ready. Only the last holds"
            " what was said."
        ),
    )
    widgets = models.ManyToManyField(
        Widget,
        blank=True,
        related_name="+",
        verbose_name=_("widgets"),
        help_text=_("None chosen: all of them."),
    )
    secret_sealed = models.TextField(
        _("signing secret"), blank=True, editable=False, serialize=False
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("outgoing webhook")
        verbose_name_plural = _("outgoing webhooks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @sensitive_variables("value")
    def store_secret(self, value: str) -> None:
        """Keep the signing secret encrypted; the row is not saved.

        Raises:
            ImproperlyConfigured: If ``FERNET_KEYS`` holds what is no key.
        """
        self.secret_sealed = seal(value)

    def secret(self) -> str:
        """Return the signing secret, "" when there is none or nothing opens it."""
        try:
            return unseal(self.secret_sealed) if self.secret_sealed else ""
        except Unreadable:
            return ""


class WebhookDelivery(models.Model):
    """One event for one webhook; its id is the receiver's to know it again by."""

    class Status(models.TextChoices):
        """How far it is."""

        PENDING = "pending", _("To be sent")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Given up")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(
        OutgoingWebhook,
        on_delete=models.CASCADE,
        related_name="deliveries",
        verbose_name=_("webhook"),
    )
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="deliveries",
        verbose_name=_("conversation"),
    )
    event = models.CharField(_("event"), max_length=40)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.PENDING
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_try_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    answer_status = models.PositiveIntegerField(
        _("HTTP status of the last answer"), null=True, blank=True
    )
    error = models.CharField(_("last error"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery of a webhook")
        verbose_name_plural = _("deliveries of webhooks")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "conversation", "event"],
                name="realtime_widget_delivery_once",
            )
        ]
        indexes = [
            models.Index(fields=["status", "next_try_at"], name="rtw_delivery_due")
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.status}"


def queue_deliveries(
    conversations: Iterable[Conversation], events: Iterable[str]
) -> None:
    """Note what is to be sent, in the transaction that runs.

    Args:
        conversations: Rows that are written.
        events: What has happened to each of them.
    """
    told = list(conversations)
    wanted = set(events)
    webhooks = list(
        OutgoingWebhook.objects.filter(enabled=True).prefetch_related("widgets")
    )
    rows = []
    for webhook in webhooks:
        widgets = {widget.pk for widget in webhook.widgets.all()}
        rows += [
            WebhookDelivery(webhook=webhook, conversation=conversation, event=event)
            for conversation in told
            if not widgets or conversation.widget_id in widgets
            for event in EVENTS
            if event in wanted and event in webhook.events
        ]
    if rows:
        WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
        transaction.on_commit(announce_deliveries)


def announce_deliveries() -> None:
    """Say that there is something to send."""
    deliveries_queued.send_robust(WebhookDelivery)
