"""Who answers, and what it can do."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from realtime_widget.models import schemas, validators

# Bounds of the Realtime session object: audio.output.speed and max_output_tokens.
MIN_SPEED, MAX_SPEED = 0.25, 1.5
MAX_OUTPUT_TOKENS = 4096
MAX_TOOL_TIMEOUT_S = 120.0


class Tool(models.Model):
    """Something the agent can do: one function, as the model sees it."""

    class RunsOn(models.TextChoices):
        """Where the function is."""

        SERVER = "server", _("On the server")
        BROWSER = "browser", _("In the visitor's page")

    name = models.CharField(
        _("name"),
        max_length=64,
        unique=True,
        validators=[validators.validate_function_name],
        help_text=_(
            "What the model calls it, for example order_status. The Python function of this"
            " name answers, unless a row below names another."
        ),
    )
    description = models.TextField(
        _("description"),
        blank=True,
        help_text=_(
            "When to use it and what it gives, in plain words: the model decides by this text."
            " Empty: the description of the function."
        ),
    )
    parameters = models.JSONField(
        _("parameters"),
        default=dict,
        blank=True,
        validators=[schemas.validate_parameters],
        help_text=_(
            "JSON Schema of the arguments, an object. Empty: made from the function's signature."
        ),
    )
    runs_on = models.CharField(
        _("runs"), max_length=10, choices=RunsOn, default=RunsOn.SERVER
    )
    timeout_s = models.FloatField(
        _("time limit (seconds)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.1), MaxValueValidator(MAX_TOOL_TIMEOUT_S)],
        help_text=_(
            "The model is told when the function takes longer. Empty: the function's own limit,"
            " else the site's setting."
        ),
    )
    requires_login = models.BooleanField(
        _("for signed-in visitors only"),
        default=False,
        help_text=_("Others are asked to sign in instead."),
    )
    permission = models.CharField(
        _("needed permission"),
        max_length=200,
        blank=True,
        help_text=_("For example shop.view_order. Empty: everybody."),
    )
    enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("Off: no agent can use it.")
    )

    class Meta:
        verbose_name = _("tool")
        verbose_name_plural = _("tools")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Check the permission's form and where the schema comes from."""
        app, dot, codename = self.permission.partition(".")
        if self.permission and not (app and dot and codename):
            raise ValidationError(
                {
                    "permission": _(
                        "Write it as app.permission, for example shop.view_order."
                    )
                }
            )
        if self.runs_on == self.RunsOn.BROWSER and not self.parameters:
            raise ValidationError(
                {
                    "parameters": _(
                        "A function in the page has no signature to read: enter its JSON Schema,"
                        ' at least {"type": "object", "properties": {}}.'
                    )
                }
            )


class FunctionHandler(models.Model):
    """Which Python function answers a tool, on one site or on all."""

    tool = models.ForeignKey(
        Tool, on_delete=models.CASCADE, related_name="handlers", verbose_name=_("tool")
    )
    site = models.ForeignKey(
        "sites.Site",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("site"),
        help_text=_("Empty: every site that has no row of its own."),
    )
    handler = models.CharField(
        _("function"),
        max_length=100,
        help_text=_("Name of a function that is marked with @function_handler."),
    )

    class Meta:
        verbose_name = _("function handler")
        verbose_name_plural = _("function handlers")
        ordering = ["tool", "site"]
        constraints = [
            models.UniqueConstraint(
                fields=["tool", "site"],
                name="realtime_widget_handler_per_site",
                violation_error_message=_(
                    "This tool already has a function on this site."
                ),
            ),
            # Without this one, SQL lets several rows without a site exist.
            models.UniqueConstraint(
                fields=["tool"],
                condition=models.Q(site=None),
                name="realtime_widget_handler_any_site",
                violation_error_message=_(
                    "This tool already has a function for every site."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool} → {self.handler}"


class Agent(models.Model):
    """Who answers: its instructions, its voice and its tools."""

    name = models.CharField(
        _("name"),
        max_length=100,
        unique=True,
        help_text=_("Shown to visitors beside its words."),
    )
    instructions = models.TextField(
        _("instructions"),
        blank=True,
        help_text=_(
            "Who it is, how it speaks, what it must and must not do. Visitors never see this"
            " text, but a clever one may get it told: put no secrets here."
        ),
    )
    voice = models.CharField(
        _("voice"),
        max_length=100,
        blank=True,
        help_text=_(
            "Empty: the provider's own. OpenAI has alloy, ash, ballad, cedar, coral, echo,"
            " marin, sage, shimmer and verse."
        ),
    )
    speed = models.FloatField(
        _("speed of speech"),
        default=1.0,
        validators=[MinValueValidator(MIN_SPEED), MaxValueValidator(MAX_SPEED)],
        help_text=_("From 0.25 (slow) to 1.5 (fast); 1 is normal."),
    )
    max_output_tokens = models.PositiveIntegerField(
        _("longest answer (tokens)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_OUTPUT_TOKENS)],
        help_text=_("From 1 to 4096. Empty: the provider's own bound."),
    )
    tools = models.ManyToManyField(
        Tool,
        blank=True,
        related_name="agents",
        verbose_name=_("tools"),
        help_text=_("It can use these and no others."),
    )
    handoffs = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        related_name="reached_from",
        verbose_name=_("hands over to"),
        help_text=_("Agents it may pass a conversation to."),
    )

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(speed__gte=MIN_SPEED, speed__lte=MAX_SPEED),
                name="realtime_widget_agent_speed",
                violation_error_message=_("The speed must be from 0.25 to 1.5."),
            )
        ]

    def __str__(self) -> str:
        return self.name
