"""Keys, tokens and secrets: typed into a form once, and never seen again."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

# A Microsoft Entra token has some 2,000 characters.
MAX_KEY_CHARS: Final = 8_000
# What may stand in a header; a space or line break is a slip of the clipboard.
KEY_CHARACTERS: Final = re.compile(r"[\x21-\x7e]+")
KEPT_ENCRYPTED: Final = _(
    "Kept encrypted in this row and never shown again. Empty: as it is. Comes"
    " before a named one."
)


class SecretField(forms.CharField):
    """A field that is never rendered with a value: what was typed is not sent back.

    Args:
        **options: As for ``CharField``.
    """

    def __init__(self, **options: Any) -> None:
        attrs = {"autocomplete": "off", "class": "vTextField"}
        options = {"max_length": MAX_KEY_CHARS, "help_text": KEPT_ENCRYPTED, **options}
        super().__init__(
            required=False, widget=forms.PasswordInput(attrs=attrs), **options
        )


class KeepsSecrets(admin.ModelAdmin):
    """A ``ModelAdmin`` whose form has secrets typed into it."""

    # Fields that hold a secret, or into which one may be typed by mistake.
    secret_fields: tuple[str, ...] = ()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Keep what was typed out of error reports."""
        view = sensitive_post_parameters(*self.secret_fields)(super().changeform_view)
        return view(request, object_id, form_url, extra_context)
