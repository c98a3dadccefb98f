"""What an agent must not say, hear or do."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from realtime_widget.models.providers import Provider
from realtime_widget.upstream.moderation import DEFAULT_MODEL

MAX_DENIED_LINES = 500
MAX_CATEGORIES = 50


def validate_categories(value: Any) -> None:
    """Refuse anything but a short list of words."""
    if (
        not isinstance(value, list)
        or len(value) > MAX_CATEGORIES
        or not all(isinstance(word, str) and 0 < len(word) <= 60 for word in value)
    ):
        raise ValidationError(
            _('Enter a list of categories, for example ["violence", "self-harm"].'),
            code="categories",
        )


class Guardrail(models.Model):
    """Forbidden words, a function of the site, or a moderation service."""

    name = models.CharField(
        _("name"),
        max_length=64,
        unique=True,
        help_text=_("Shown in records, and told to pages and to the model."),
    )
    denied_words = models.TextField(
        _("forbidden words"),
        blank=True,
        help_text=_("One word or phrase a line, found as whole words in any case."),
    )
    function = models.CharField(
        _("function"),
        max_length=100,
        blank=True,
        help_text=_("Name of a function that is marked with @guardrail."),
    )
    moderation = models.ForeignKey(
        Provider,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"kind__in": ["openai", "compatible"]},
        verbose_name=_("moderation service"),
        help_text=_(
            "OpenAI, or a compatible server that has /v1/moderations; asked with that provider's"
            " key. What is checked is sent there. Empty: none."
        ),
    )
    moderation_model = models.CharField(
        _("moderation model"), max_length=100, default=DEFAULT_MODEL
    )
    moderation_categories = models.JSONField(
        _("forbidden categories"),
        default=list,
        blank=True,
        validators=[validate_categories],
        help_text=_('For example ["violence", "self-harm"]. Empty: all of them.'),
    )
    moderation_threshold = models.FloatField(
        _("from a score of"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("From 0 to 1. Empty: the service's own opinion decides."),
    )
    on_output = models.BooleanField(_("checks what the agent says"), default=True)
    on_input = models.BooleanField(_("checks what the visitor says"), default=False)
    on_arguments = models.BooleanField(_("checks what tools are given"), default=False)
    steer = models.TextField(
        _("what the model is told then"),
        blank=True,
        help_text=_(
            "For example: Do not speak of prices; offer a call back. Empty: to say briefly"
            " that it cannot help with that."
        ),
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("guardrail")
        verbose_name_plural = _("guardrails")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Ask for something to check, and for something that checks it."""
        if not (self.denied_words.strip() or self.function or self.moderation_id):
            raise ValidationError(
                {
                    "denied_words": _(
                        "Enter forbidden words, name a function or choose a moderation"
                        " service."
                    )
                }
            )
        kinds = Provider.Kind.OPENAI, Provider.Kind.COMPATIBLE
        if self.moderation is not None and self.moderation.kind not in kinds:
            raise ValidationError(
                {"moderation": _("This provider has no moderation service.")}
            )
        if len(self.denied_words.splitlines()) > MAX_DENIED_LINES:
            raise ValidationError(
                {"denied_words": _("Enter fewer lines, or use a function.")}
            )
        if not self.stages:
            raise ValidationError(_("Choose what it checks."))

    @property
    def stages(self) -> frozenset[str]:
        """Return what it checks, as the session calls it."""
        chosen = {
            "output": self.on_output,
            "input": self.on_input,
            "arguments": self.on_arguments,
        }
        return frozenset(stage for stage, on in chosen.items() if on)
