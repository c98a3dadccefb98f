"""Who answers, and what it can do."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from realtime_widget.models import schemas, validators, webhooks
from realtime_widget.models.instruction_templates import validate_instructions

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

    class Approval(models.TextChoices):
        """Whether the visitor is asked before a call."""

        NEVER = "never", _("No")
        ALWAYS = "always", _("By buttons")
        SPOKEN = "spoken", _("By buttons, or a plain “yes” said or typed")

    class OnBargeIn(models.TextChoices):
        """What becomes of a running call when the visitor speaks."""

        KEEP = "keep", _("It goes on")
        CANCEL = "cancel", _("It is given up")

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
    approval = models.CharField(
        _("asks the visitor"),
        max_length=10,
        choices=Approval,
        default=Approval.NEVER,
        help_text=_("Before each call, by buttons in the widget."),
    )
    approval_text = models.CharField(
        _("question to the visitor"),
        max_length=200,
        blank=True,
        help_text=_(
            "For example: Book {service} on {day}? A name in braces stands for that argument."
            " Empty: the tool's name is shown."
        ),
    )
    on_barge_in = models.CharField(
        _("when the visitor speaks meanwhile"),
        max_length=10,
        choices=OnBargeIn,
        default=OnBargeIn.KEEP,
        help_text=_(
            "Let what changes something go on; what only looks up may be given up."
        ),
    )
    max_calls = models.PositiveIntegerField(
        _("most calls in one conversation"),
        null=True,
        blank=True,
        help_text=_("Empty: only the site's setting for all tools together."),
    )
    filler = models.CharField(
        _("said while it takes long"),
        max_length=200,
        blank=True,
        help_text=_("For example: One moment, I am looking it up. Empty: nothing."),
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
    """What answers a tool, on one site or on all."""

    class Kind(models.TextChoices):
        """Where the answer comes from."""

        FUNCTION = "function", _("Python function")
        WEBHOOK = "webhook", _("Webhook")
        BROWSER = "browser", _("Function in the page")
        NOTHING = "nothing", _("Nothing: the tool does not exist there")

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
    kind = models.CharField(
        _("answered by"), max_length=10, choices=Kind, default=Kind.FUNCTION
    )
    handler = models.CharField(
        _("function"),
        max_length=100,
        blank=True,
        help_text=_("Name of a function that is marked with @function_handler."),
    )
    url = models.CharField(
        _("address"),
        max_length=500,
        blank=True,
        validators=[webhooks.validate_webhook_url],
        help_text=_(
            "Of a webhook, for example https://shop.example/tools/order-status."
        ),
    )
    secret_name = models.CharField(
        _("name of the signing secret"),
        max_length=100,
        blank=True,
        validators=[webhooks.validate_secret_name],
        help_text=_(
            "Of a webhook: name of the environment variable or setting that holds the secret,"
            " listed in WEBHOOK_SECRETS. Never the secret itself."
        ),
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
        return f"{self.tool} → {self.target}"

    @property
    def target(self) -> str:
        """Return what answers, for people."""
        if self.kind == self.Kind.FUNCTION:
            return self.handler
        if self.kind == self.Kind.WEBHOOK:
            return self.url
        return str(self.get_kind_display())

    def clean(self) -> None:
        """Ask for what the chosen kind needs."""
        needed = {
            self.Kind.FUNCTION: ("handler",),
            self.Kind.WEBHOOK: ("url", "secret_name"),
        }
        missing = [
            name
            for name in needed.get(self.Kind(self.kind), ())
            if not getattr(self, name)
        ]
        if missing:
            raise ValidationError(
                {name: _("This is needed for the chosen kind.") for name in missing}
            )
        schemaless = self.Kind.WEBHOOK, self.Kind.BROWSER
        if self.kind in schemaless and self.tool_id and not self.tool.parameters:
            raise ValidationError(
                {
                    "kind": _(
                        "There is no signature to read there: enter the tool's JSON Schema"
                        " first."
                    )
                }
            )


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
        validators=[validate_instructions],
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

    handoff_description = models.TextField(
        _("when to hand over to it"),
        blank=True,
        help_text=_(
            "Read by the agents that may pass a conversation to this one. For example:"
            " Questions about invoices and payments."
        ),
    )
    on_handoff = models.CharField(
        _("function when it takes over"),
        max_length=100,
        blank=True,
        help_text=_(
            "Name of a function that is marked with @function_handler; its arguments are"
            " asked of the agent that hands over, and it may refuse."
        ),
    )
    handoff_filter = models.CharField(
        _("filter when it takes over"),
        max_length=100,
        blank=True,
        help_text=_(
            "Name of a function that is marked with @handoff_filter: what of the talk so far"
            " this agent gets to know. There are without_tools and last_ten_messages. Empty:"
            " everything."
        ),
    )
    mcp_servers = models.ManyToManyField(
        "realtime_widget.McpServer",
        blank=True,
        related_name="agents",
        verbose_name=_("MCP servers"),
        help_text=_("Servers whose tools it can use, too."),
    )
    guardrails = models.ManyToManyField(
        "realtime_widget.Guardrail",
        blank=True,
        related_name="agents",
        verbose_name=_("guardrails"),
        help_text=_("What it must not say, hear or do."),
    )
    instructions_function = models.CharField(
        _("function for the instructions"),
        max_length=100,
        blank=True,
        help_text=_(
            "Name of a function that is marked with @instructions_function; it is used"
            " instead of the text above."
        ),
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
