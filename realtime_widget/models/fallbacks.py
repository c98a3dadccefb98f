"""Which provider answers when a widget's own does not."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from realtime_widget.models.providers import Provider
from realtime_widget.models.widgets import Widget


class FallbackProvider(models.Model):
    """One provider that stands in for a widget's own, in its place in the order."""

    widget = models.ForeignKey(
        Widget,
        on_delete=models.CASCADE,
        related_name="fallbacks",
        verbose_name=_("widget"),
    )
    provider = models.ForeignKey(
        Provider,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("provider"),
        help_text=_("Answers when those before it do not."),
    )
    position = models.PositiveSmallIntegerField(
        _("order"), default=1, help_text=_("Lower is tried first.")
    )

    class Meta:
        verbose_name = _("fallback provider")
        verbose_name_plural = _("fallback providers")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["widget", "provider"],
                name="realtime_widget_fallback_once",
                violation_error_message=_("This provider is listed already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.provider}"
