"""What visitors agreed to, and what they thought of it."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from realtime_widget.models.records import Conversation
from realtime_widget.models.widgets import Widget

MAX_COMMENT_CHARS = 1000


class Consent(models.Model):
    """One visitor's agreement, with the words as they stood."""

    widget = models.ForeignKey(
        Widget,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="consents",
        verbose_name=_("widget"),
    )
    widget_slug = models.CharField(_("slug of the widget"), max_length=50, blank=True)
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
        _("fingerprint of the browser session"), max_length=64, blank=True
    )
    words = models.TextField(_("words that were agreed to"))
    words_hash = models.CharField(_("fingerprint of the words"), max_length=64)
    language = models.CharField(_("language"), max_length=35, blank=True)
    origin = models.CharField(_("origin"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["-created_at"], name="rtw_consent_created")]

    def __str__(self) -> str:
        return f"{self.widget_slug} {self.created_at:%Y-%m-%d %H:%M}"


class Feedback(models.Model):
    """A visitor's opinion of one answer or of a whole conversation."""

    class Rating(models.TextChoices):
        """Thumb up or down; none beside a comment alone."""

        NONE = "", _("None")
        UP = "up", _("Good")
        DOWN = "down", _("Bad")

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="feedback",
        verbose_name=_("conversation"),
    )
    item_id = models.CharField(
        _("id of the answer"),
        max_length=100,
        blank=True,
        help_text=_("Empty: of the whole conversation."),
    )
    rating = models.CharField(
        _("rating"), max_length=4, choices=Rating, default=Rating.NONE, blank=True
    )
    comment = models.TextField(_("comment"), blank=True, max_length=MAX_COMMENT_CHARS)
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "item_id"], name="realtime_widget_feedback_once"
            )
        ]
        indexes = [models.Index(fields=["-created_at"], name="rtw_feedback_created")]

    def __str__(self) -> str:
        return f"{self.rating or '-'} {self.created_at:%Y-%m-%d %H:%M}"


def words_hash(words: str) -> str:
    """Return the fingerprint by which a page says what its visitor agreed to."""
    return hashlib.sha256(words.strip().encode()).hexdigest()
