"""MCP servers in the admin: tokens go in and never come out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from realtime_widget.admin.forms import CompactText
from realtime_widget.admin.function_names import NamesFunctions
from realtime_widget.admin.typed_secrets import (
    KEY_CHARACTERS,
    KeepsSecrets,
    SecretField,
)
from realtime_widget.configs.functions import NAMED_BY_SERVERS
from realtime_widget.models import McpServer
from realtime_widget.models.validators import looks_like_a_key

# Whoever changes one of these sends the stored token somewhere else.
DESTINATION = ("url", "connector")


class McpServerForm(NamesFunctions):
    """The form of a server; a token typed by mistake is not sent back.

    It names no model, as that would need the sites framework while modules are loaded.
    """

    functions = NAMED_BY_SERVERS

    new_token = SecretField(label=gettext_lazy("Store an access token"))
    forget_token = forms.BooleanField(
        label=gettext_lazy("Forget the stored token"), required=False
    )

    def clean_key_name(self) -> str:
        """Forget a token itself, so that the answering page does not hold it."""
        value: str = self.cleaned_data["key_name"]
        if looks_like_a_key(value):
            kept = {name: self.data[name] for name in self.data}
            self.data = {**kept, "key_name": ""}
        return value

    @sensitive_variables("token")
    def clean_new_token(self) -> str:
        """Refuse what is no token."""
        token: str = self.cleaned_data["new_token"]
        if token and not KEY_CHARACTERS.fullmatch(token):
            raise ValidationError(
                _("A token has no spaces and only plain characters."), code="key"
            )
        return token

    @sensitive_variables("new")
    def clean(self) -> dict[str, Any]:
        """Put a new token into the row, encrypted; it is in no other field of it."""
        cleaned = super().clean()
        new = cleaned.pop("new_token", "")
        # Compared with the row itself: what a page says the row was may be made up.
        moved = any(cleaned.get(n) != getattr(self.instance, n) for n in DESTINATION)
        if new or cleaned.get("forget_token"):
            self._store(new)
        elif self.instance.key_sealed and moved:
            self.add_error(
                "new_token",
                ValidationError(
                    _(
                        "Type the token again, or forget it: it was stored for another"
                        " destination."
                    ),
                    code="destination",
                ),
            )
        return cleaned

    @sensitive_variables("new")
    def _store(self, new: str) -> None:
        try:
            self.instance.store_token(new)
        except ImproperlyConfigured as exc:
            self.add_error("new_token", ValidationError(str(exc), code="sealing"))


@admin.register(McpServer)
class McpServerAdmin(CompactText, KeepsSecrets):
    """Servers whose tools the model's provider calls."""

    form = McpServerForm
    secret_fields = ("new_token", "key_name")
    text_rows = {"tools": 2, "unasked": 2}
    list_display = ["name", "enabled", "place", "approval", "token"]
    list_editable = ["enabled"]
    list_filter = ["enabled", "approval"]
    search_fields = ["name", "description", "url"]
    filter_horizontal = ["sites"]
    readonly_fields = ["token"]
    fieldsets = [
        (None, {"fields": ["name", "description", "enabled"]}),
        (gettext_lazy("Where it is"), {"fields": ["url", "connector", "tools"]}),
        (
            gettext_lazy("Access token"),
            {
                "fields": [
                    "token",
                    "new_token",
                    "forget_token",
                    "key_name",
                    "token_function",
                ]
            },
        ),
        (
            gettext_lazy("Who may use it"),
            {"fields": ["sites", "requires_login", "permission"]},
        ),
        (
            gettext_lazy("In the conversation"),
            {"fields": ["approval", "unasked", "approval_text", "max_calls"]},
        ),
    ]

    @admin.display(description=gettext_lazy("place"))
    def place(self, server: McpServer) -> str:
        """Say where it is."""
        return server.url or str(server.get_connector_display())

    @admin.display(description=gettext_lazy("token"))
    def token(self, server: McpServer) -> str:
        """Say whether there is a token and where, and nothing of the token."""
        if server.token_function:
            return _("of each visitor")
        if not server.wants_token:
            return _("none")
        try:
            found = bool(server.token())
        except ImproperlyConfigured:
            found = False
        if not found:
            return _("⚠ it cannot be read")
        return _("stored") if server.key_sealed else server.key_name

    def get_changelist_form(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[forms.ModelForm]:
        """Use a plain form in the list: tokens are no business of it."""
        return super().get_changelist_form(request, form=forms.ModelForm, **kwargs)
