"""What happened: conversations, what was said in them, tool calls, usage.

Only ``realtime_widget.recorder`` writes these rows.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from realtime_widget.models.providers import Provider
from realtime_widget.models.widgets import Widget


class Conversation(models.Model):
    """One session, from connect to close."""

    class Status(models.TextChoices):
        """Whether it goes on."""

        OPEN = "open", _("Open")
        ENDED = "ended", _("Ended")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4, editable=False)
    widget = models.ForeignKey(
        Widget,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="conversations",
        verbose_name=_("widget"),
    )
    widget_slug = models.CharField(
        _("slug of the widget"),
        max_length=50,
        blank=True,
        help_text=_("Stays when it is deleted."),
    )
    site = models.ForeignKey(
        "sites.Site",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("site"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("visitor"),
        help_text=_("Empty: not signed in."),
    )
    session_key_hash = models.CharField(
        _("fingerprint of the browser session"),
        max_length=64,
        blank=True,
        db_index=True,
    )
    language = models.CharField(_("language"), max_length=35, blank=True)
    origin = models.CharField(
        _("origin"),
        max_length=300,
        blank=True,
        help_text=_("Scheme, host and port of the page."),
    )
    provider_name = models.CharField(_("provider"), max_length=100, blank=True)
    provider_kind = models.CharField(
        _("kind of provider"), max_length=20, blank=True, choices=Provider.Kind
    )
    model = models.CharField(_("model"), max_length=100, blank=True)
    agent_name = models.CharField(_("agent"), max_length=100, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.OPEN
    )
    reason = models.CharField(
        _("reason of the end"),
        max_length=20,
        blank=True,
        help_text=_(
            "user, idle, time_limit, quota, upstream, error, replaced or draining."
        ),
    )
    error_code = models.CharField(_("error"), max_length=40, blank=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    duration_s = models.FloatField(_("duration (seconds)"), default=0.0)
    heartbeat_at = models.DateTimeField(
        _("last sign of life"),
        null=True,
        blank=True,
        help_text=_(
            "An open conversation without one for minutes was cut off with its server."
        ),
    )

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-started_at"]
        get_latest_by = "started_at"
        permissions = [("view_transcript", _("Can read what was said"))]
        indexes = [
            models.Index(fields=["-started_at"], name="rtw_conversation_started"),
            models.Index(
                fields=["widget", "-started_at"], name="rtw_conversation_widget"
            ),
            models.Index(
                fields=["status", "heartbeat_at"], name="rtw_conversation_alive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.widget_slug} {self.started_at:%Y-%m-%d %H:%M}"


class Item(models.Model):
    """Something said or typed by one side."""

    class Role(models.TextChoices):
        """Who said it."""

        USER = "user", _("Visitor")
        ASSISTANT = "assistant", _("Agent")
        SYSTEM = "system", _("System")

    class Source(models.TextChoices):
        """How it came."""

        VOICE = "voice", _("Spoken")
        TEXT = "text", _("Typed")

    class Status(models.TextChoices):
        """How it ended."""

        COMPLETED = "completed", _("Complete")
        INTERRUPTED = "interrupted", _("Interrupted")
        FAILED = "failed", _("Failed")

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="items",
        verbose_name=_("conversation"),
    )
    item_id = models.CharField(_("id of the item"), max_length=100)
    position = models.PositiveIntegerField(_("position"), default=0)
    role = models.CharField(_("who"), max_length=10, choices=Role, default=Role.USER)
    source = models.CharField(
        _("how"), max_length=10, choices=Source, default=Source.VOICE
    )
    text = models.TextField(_("words"), blank=True)
    status = models.CharField(
        _("status"), max_length=15, choices=Status, default=Status.COMPLETED
    )
    heard_ms = models.PositiveIntegerField(
        _("heard (ms)"),
        null=True,
        blank=True,
        help_text=_("How much of an interrupted answer the visitor heard."),
    )
    agent = models.CharField(_("agent"), max_length=100, blank=True)
    language = models.CharField(
        _("language"),
        max_length=35,
        blank=True,
        help_text=_("Of the visitor's words, where the provider tells it."),
    )
    generated_text = models.TextField(
        _("words the agent would have said"),
        blank=True,
        help_text=_(
            "Of an answer that was cut off. Empty: the visitor heard or read all of it."
        ),
    )
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        ordering = ["conversation", "position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "item_id"], name="realtime_widget_item_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.get_role_display())


class ToolCall(models.Model):
    """One call of a tool and its answer."""

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="tool_calls",
        verbose_name=_("conversation"),
    )
    call_id = models.CharField(_("id of the call"), max_length=100)
    name = models.CharField(_("tool"), max_length=100)
    arguments = models.TextField(
        _("arguments"), blank=True, help_text=_("As the model wrote them.")
    )
    output = models.TextField(
        _("answer"), blank=True, help_text=_("As the model was given it.")
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        default="completed",
        help_text=_(
            "completed, failed, timeout, unknown_tool, bad_arguments, cancelled, rejected or"
            " refused."
        ),
    )
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), default=0)
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("tool call")
        verbose_name_plural = _("tool calls")
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "call_id"], name="realtime_widget_call_once"
            )
        ]
        indexes = [models.Index(fields=["name", "status"], name="rtw_toolcall_status")]

    def __str__(self) -> str:
        return f"{self.name} ({self.status})"


class Usage(models.Model):
    """What one answer or one transcription used."""

    class Kind(models.TextChoices):
        """What used it."""

        RESPONSE = "response", _("Answer")
        TRANSCRIPTION = "transcription", _("Transcription")

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="usage",
        verbose_name=_("conversation"),
    )
    kind = models.CharField(
        _("kind"), max_length=20, choices=Kind, default=Kind.RESPONSE
    )
    model = models.CharField(_("model"), max_length=100, blank=True)
    provider_kind = models.CharField(
        _("kind of provider"), max_length=20, blank=True, choices=Provider.Kind
    )
    response_id = models.CharField(_("id of the answer"), max_length=100, blank=True)
    raw = models.JSONField(_("as the provider sent it"), default=dict, blank=True)
    text_in = models.PositiveIntegerField(_("text in (tokens)"), default=0)
    audio_in = models.PositiveIntegerField(_("audio in (tokens)"), default=0)
    image_in = models.PositiveIntegerField(_("images in (tokens)"), default=0)
    cached_in = models.PositiveIntegerField(_("of these cached (tokens)"), default=0)
    cached_text_in = models.PositiveIntegerField(
        _("cached text in (tokens)"), default=0
    )
    cached_audio_in = models.PositiveIntegerField(
        _("cached audio in (tokens)"), default=0
    )
    cached_image_in = models.PositiveIntegerField(
        _("cached images in (tokens)"), default=0
    )
    text_out = models.PositiveIntegerField(_("text out (tokens)"), default=0)
    audio_out = models.PositiveIntegerField(_("audio out (tokens)"), default=0)
    total_tokens = models.PositiveIntegerField(_("tokens in all"), default=0)
    duration_s = models.DecimalField(
        _("audio billed by time (seconds)"), max_digits=12, decimal_places=3, default=0
    )
    cost_usd = models.DecimalField(
        _("cost (USD)"),
        max_digits=20,
        decimal_places=10,
        null=True,
        blank=True,
        help_text=_("Empty: not known, as there is no price for it."),
    )
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("usage")
        verbose_name_plural = _("usage")
        ordering = ["created_at", "pk"]
        indexes = [models.Index(fields=["created_at"], name="rtw_usage_created")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.model}"
