"""The form of a provider: keys go in and never come out."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from realtime_widget.admin.typed_secrets import KEY_CHARACTERS, SecretField
from realtime_widget.models import Provider
from realtime_widget.models.provider_keys import SLOTS
from realtime_widget.models.validators import looks_like_a_key
from realtime_widget.upstream import catalogue

# Whoever changes one of these sends the stored key somewhere else.
DESTINATION = {
    "kind",
    "base_url",
    "auth_style",
    "auth_name",
    "extra_headers",
    "extra_query",
}
CONNECTION = DESTINATION | {
    "model",
    "dialect",
    *(f"{slot}_name" for slot in SLOTS),
    *(f"new_{slot}" for slot in SLOTS),
    *(f"forget_{slot}" for slot in SLOTS),
}


class SuggestingInput(forms.TextInput):
    """A line of free text with suggestions (``<datalist>``)."""

    template_name = "admin/realtime_widget/provider/suggesting_input.html"

    def __init__(self, suggestions: list[str]) -> None:
        super().__init__(attrs={"class": "vTextField"})
        self._suggestions = suggestions

    def get_context(
        self, name: str, value: Any, attrs: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Add the list."""
        context = super().get_context(name, value, attrs)
        list_id = f"{context['widget']['attrs'].get('id', name)}_suggestions"
        context["widget"]["attrs"]["list"] = list_id
        return {**context, "list_id": list_id, "suggestions": self._suggestions}


class ProviderForm(forms.ModelForm):
    """The form of a provider; a key typed by mistake is not sent back."""

    new_key = SecretField(label=_("Store a key"))
    forget_key = forms.BooleanField(label=_("Forget the stored key"), required=False)
    new_second_key = SecretField(label=_("Store a second key"))
    forget_second_key = forms.BooleanField(
        label=_("Forget the stored second key"), required=False
    )

    class Meta:
        model = Provider
        fields = [
            "name",
            "kind",
            "base_url",
            "dialect",
            "model",
            "auth_style",
            "auth_name",
            "extra_headers",
            "extra_query",
            "key_name",
            "second_key_name",
        ]
        widgets = {
            "model": SuggestingInput(
                [*catalogue.suggested_models(), "local", "local-text", "scripted"]
            )
        }
        help_texts = {
            "model": _(
                "Name of the realtime model; on Azure the name of the deployment."
                " Embedded engine: local (also for any other name), local-text, echo"
                " or scripted."
            )
        }

    def clean_key_name(self) -> str:
        """Forget a key itself, so that the answering page does not hold it."""
        return self._name_not_key("key_name")

    def clean_second_key_name(self) -> str:
        """Forget a key itself, so that the answering page does not hold it."""
        return self._name_not_key("second_key_name")

    @sensitive_variables("key")
    def clean_new_key(self) -> str:
        """Refuse what is no key."""
        return self._plain_key("new_key")

    @sensitive_variables("key")
    def clean_new_second_key(self) -> str:
        """Refuse what is no key."""
        return self._plain_key("new_second_key")

    @sensitive_variables("new")
    def clean(self) -> dict[str, Any]:
        """Put new keys into the row, encrypted; they are in no other field of it."""
        cleaned = cast("dict[str, Any]", super().clean())
        kept = []
        for slot in SLOTS:
            new = cleaned.pop(f"new_{slot}", "")
            forget = bool(cleaned.get(f"forget_{slot}"))
            if new or forget:
                self._store(slot, new)
            elif getattr(self.instance, f"{slot}_sealed"):
                kept.append(slot)
        # Compared with the row itself: what a page says the row was may be made up.
        moved = any(cleaned.get(n) != getattr(self.instance, n) for n in DESTINATION)
        if kept and moved:
            for slot in kept:
                self.add_error(
                    f"new_{slot}",
                    ValidationError(
                        _(
                            "Type the key again, or forget it: it was stored for another"
                            " destination."
                        ),
                        code="destination",
                    ),
                )
        return cleaned

    @sensitive_variables("new")
    def _store(self, slot: Any, new: str) -> None:
        try:
            self.instance.store_key(slot, new)
        except ImproperlyConfigured as exc:
            self.add_error(f"new_{slot}", ValidationError(str(exc), code="sealing"))

    def _name_not_key(self, field: str) -> str:
        value: str = self.cleaned_data[field]
        if looks_like_a_key(value):
            self.data = {**{name: self.data[name] for name in self.data}, field: ""}
        return value

    @sensitive_variables("key")
    def _plain_key(self, field: str) -> str:
        key: str = self.cleaned_data[field]
        if key and not KEY_CHARACTERS.fullmatch(key):
            raise ValidationError(
                _("A key has no spaces and only plain characters."), code="key"
            )
        return key
