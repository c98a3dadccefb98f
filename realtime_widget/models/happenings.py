"""What happened in a conversation besides words and tool calls."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from realtime_widget.models.records import Conversation


class ConversationEvent(models.Model):
    """A handoff, a guardrail that tripped, or an error the visitor was told of."""

    class Kind(models.TextChoices):
        """What it was."""

        HANDOFF = "handoff", _("Handoff")
        GUARDRAIL = "guardrail", _("Guardrail")
        ERROR = "error", _("Error")

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="events",
        verbose_name=_("conversation"),
    )
    kind = models.CharField(_("kind"), max_length=15, choices=Kind)
    name = models.CharField(
        _("name"),
        max_length=100,
        help_text=_(
            "The agent that took over, the guardrail, or the code of the error."
        ),
    )
    before = models.CharField(
        _("before"),
        max_length=100,
        blank=True,
        help_text=_("The agent that had the conversation."),
    )
    stage = models.CharField(
        _("found in"),
        max_length=15,
        blank=True,
        help_text=_("What was checked: output, input or arguments."),
    )
    item_id = models.CharField(_("id of the item or call"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}"
