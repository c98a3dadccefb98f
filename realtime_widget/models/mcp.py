"""MCP servers, whose tools the model's side calls by itself."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from realtime_widget.models import validators
from realtime_widget.models.addresses import is_public_host, read_address
from realtime_widget.models.sealing import Unreadable, seal, unseal
from realtime_widget.models.webhooks import is_listed_webhook

MAX_TOOLS = 100


def validate_mcp_url(value: str) -> None:
    """Refuse an address that no provider should be sent to.

    The provider connects to it, not this site; but one that stands in the site's own
    network would get into it.
    """
    parts = read_address(
        value,
        extra=_(
            "Leave out user names, tokens, “?” and “#”: the token has its own field."
        ),
    )
    if is_listed_webhook(value):
        return
    if parts.scheme != "https" or not is_public_host(parts.hostname or ""):
        raise ValidationError(
            _(
                "An MCP server is a public host over https://. If this one is really meant,"
                ' add its host to REALTIME_WIDGET["WEBHOOK_HOSTS"].'
            ),
            code="url_host",
        )


def validate_tool_names(value: Any) -> None:
    """Refuse anything but a short list of names."""
    names = value if isinstance(value, list) else None
    if names is None or len(names) > MAX_TOOLS:
        raise ValidationError(
            _('Enter a list of names, for example ["search", "fetch"].'), code="tools"
        )
    for name in names:
        if not isinstance(name, str) or not validators.FUNCTION_NAME.fullmatch(name):
            raise ValidationError(
                _("“%(name)s” is not the name of a tool."),
                code="tool_name",
                params={"name": str(name)[:60]},
            )


class McpServer(models.Model):
    """A server of tools that the model's provider connects to and calls."""

    class Connector(models.TextChoices):
        """The provider's own connectors (Realtime API, ``connector_id``)."""

        DROPBOX = "connector_dropbox", "Dropbox"
        GMAIL = "connector_gmail", "Gmail"
        GOOGLE_CALENDAR = "connector_googlecalendar", "Google Calendar"
        GOOGLE_DRIVE = "connector_googledrive", "Google Drive"
        TEAMS = "connector_microsoftteams", "Microsoft Teams"
        OUTLOOK_CALENDAR = "connector_outlookcalendar", "Outlook Calendar"
        OUTLOOK_EMAIL = "connector_outlookemail", "Outlook Email"
        SHAREPOINT = "connector_sharepoint", "SharePoint"

    class Approval(models.TextChoices):
        """Whether the visitor is asked before a call."""

        ALWAYS = "always", _("By buttons")
        SPOKEN = "spoken", _("By buttons, or a plain “yes” said or typed")
        NEVER = "never", _("No")

    name = models.CharField(
        _("name"),
        max_length=64,
        unique=True,
        validators=[validators.validate_function_name],
        help_text=_("What the model and the records call it, for example docs."),
    )
    description = models.TextField(
        _("description"),
        blank=True,
        help_text=_("What it is for, in plain words: the model decides by this text."),
    )
    url = models.CharField(
        _("address"),
        max_length=500,
        blank=True,
        validators=[validate_mcp_url],
        help_text=_("Of the server, for example https://docs.example.org/mcp."),
    )
    connector = models.CharField(
        _("connector"),
        max_length=40,
        blank=True,
        choices=Connector,
        help_text=_("One of the provider's own, instead of an address."),
    )
    tools = models.JSONField(
        _("tools that may be used"),
        default=list,
        blank=True,
        validators=[validate_tool_names],
        help_text=_('For example ["search", "fetch"]. Empty: all that it has.'),
    )
    approval = models.CharField(
        _("asks the visitor"), max_length=10, choices=Approval, default=Approval.ALWAYS
    )
    unasked = models.JSONField(
        _("tools that run without asking"),
        default=list,
        blank=True,
        validators=[validate_tool_names],
        help_text=_("Those that only read, for example."),
    )
    approval_text = models.CharField(
        _("question to the visitor"),
        max_length=200,
        blank=True,
        help_text=_(
            "For example: May I use {tool} to look for {query}? A name in braces stands for"
            " that argument. Empty: the tool's name is shown."
        ),
    )
    max_calls = models.PositiveIntegerField(
        _("most calls in one conversation"), null=True, blank=True
    )
    requires_login = models.BooleanField(
        _("for signed-in visitors only"),
        default=False,
        help_text=_("For others it is not there."),
    )
    permission = models.CharField(
        _("needed permission"),
        max_length=200,
        blank=True,
        help_text=_("For example shop.view_order. Empty: everybody."),
    )
    sites = models.ManyToManyField(
        "sites.Site",
        blank=True,
        related_name="+",
        verbose_name=_("sites"),
        help_text=_("Where it is there. Empty: on every site."),
    )
    key_name = models.CharField(
        _("name of the access token"),
        max_length=100,
        blank=True,
        validators=[validators.validate_key_name],
        help_text=_(
            "Name of the environment variable or setting that holds the token for this server,"
            " listed in KEY_NAMES. Never the token itself."
        ),
    )
    token_function = models.CharField(
        _("function for the access token"),
        max_length=100,
        blank=True,
        help_text=_(
            "Name of a function that is marked with @mcp_token: it gives each visitor's own"
            " token, which comes before a stored or named one. Connectors that reach into"
            " somebody's mail or files need it, else all visitors share one account."
        ),
    )
    key_sealed = models.TextField(
        _("stored access token"), blank=True, editable=False, serialize=False
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("MCP server")
        verbose_name_plural = _("MCP servers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Ask for one place, and for a permission's form."""
        if bool(self.url) == bool(self.connector):
            raise ValidationError(
                {"url": _("Enter an address or choose a connector: one of them.")}
            )
        app, dot, codename = self.permission.partition(".")
        if self.permission and not (app and dot and codename):
            raise ValidationError(
                {
                    "permission": _(
                        "Write it as app.permission, for example shop.view_order."
                    )
                }
            )

    @sensitive_variables("token")
    def store_token(self, token: str) -> None:
        """Keep the access token encrypted in this row, "" to forget it; not saved.

        Raises:
            ImproperlyConfigured: If ``FERNET_KEYS`` holds what is no key.
        """
        self.key_sealed = seal(token) if token else ""

    @property
    def wants_token(self) -> bool:
        """Return whether the row says where a token for everybody is."""
        return bool(self.key_sealed or self.key_name)

    @sensitive_variables()
    def token(self) -> str:
        """Return the access token, "" when there is none to use.

        Raises:
            ImproperlyConfigured: If ``FERNET_KEYS`` holds what is no key.
        """
        if self.key_sealed:
            try:
                return unseal(self.key_sealed)
            except Unreadable:
                return ""
        return validators.find_key(self.key_name)[0] if self.key_name else ""
