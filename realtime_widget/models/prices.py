"""What models cost: one row for each model and day on which its price changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from realtime_widget.models.days import site_today
from realtime_widget.models.providers import Provider
from realtime_widget.protocol.usage import RATE_NAMES, Rates


def _usd(name: Any) -> Any:
    return models.DecimalField(
        name,
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )


class Price(models.Model):
    """The price of one model from a day on, in US dollars for a million tokens."""

    provider_kind = models.CharField(
        _("kind of provider"), max_length=20, choices=Provider.Kind
    )
    model = models.CharField(
        _("model"),
        max_length=100,
        blank=True,
        help_text=_(
            "As the provider names it; on Azure the deployment. Also counts for its dated"
            " releases. Empty: every other model of this kind of provider."
        ),
    )
    valid_from = models.DateField(_("valid from"), default=site_today)
    text_in = _usd(_("text in"))
    text_cached = _usd(_("text in, cached"))
    text_out = _usd(_("text out"))
    audio_in = _usd(_("audio in"))
    audio_cached = _usd(_("audio in, cached"))
    audio_out = _usd(_("audio out"))
    image_in = _usd(_("images in"))
    image_cached = _usd(_("images in, cached"))
    minute = _usd(_("a minute of audio"))
    source = models.CharField(
        _("source"), max_length=300, help_text=_("Where the price was read.")
    )
    as_of = models.DateField(
        _("read on"),
        default=site_today,
        help_text=_("The day on which the source said so."),
    )

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["provider_kind", "model", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider_kind", "model", "valid_from"],
                name="realtime_widget_price_once",
                violation_error_message=_(
                    "There is a price of this model from this day on already."
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.model or self.get_provider_kind_display()} {self.valid_from}"

    @property
    def rates(self) -> Rates:
        """Return the price as what costs are computed from."""
        return Rates(**{name: getattr(self, name) for name in RATE_NAMES})

    def clean(self) -> None:
        """Refuse a price that prices nothing."""
        if all(getattr(self, name) is None for name in RATE_NAMES):
            raise ValidationError(
                _("Enter at least one price; leave empty what is not known."),
                code="no_price",
            )
