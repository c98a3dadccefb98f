"""Providers: where the model is, whether it works, where its key is found."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from realtime_widget.models import Provider
from realtime_widget.models.validators import find_key, looks_like_a_key


class ProviderForm(forms.ModelForm):
    """The form of a provider; a key typed by mistake is not sent back."""

    class Meta:
        model = Provider
        fields = ["name", "kind", "base_url", "dialect", "model", "key_name"]

    def clean_key_name(self) -> str:
        """Forget a key itself, so that the answering page does not hold it."""
        value: str = self.cleaned_data["key_name"]
        if looks_like_a_key(value):
            self.data = {
                **{name: self.data[name] for name in self.data},
                "key_name": "",
            }
        return value


@admin.register(Provider)
class ProviderAdmin(admin.ModelAdmin):
    """Providers in the admin."""

    form = ProviderForm
    list_display = ["name", "kind", "model", "key_state", "health"]
    list_filter = ["kind", "health_state"]
    search_fields = ["name", "model", "base_url"]
    readonly_fields = ["key_state", "health", "health_at"]
    fieldsets = [
        (None, {"fields": ["name", "kind", "model"]}),
        (
            gettext_lazy("Connection"),
            {"fields": ["base_url", "dialect", "key_name", "key_state"]},
        ),
        (gettext_lazy("Health"), {"fields": ["health", "health_at"]}),
    ]

    @admin.display(description=gettext_lazy("key"))
    def key_state(self, provider: Provider) -> str:
        """Say where the key is found, never the key."""
        if not provider.key_name:
            return (
                _("none needed")
                if provider.kind == Provider.Kind.LOCAL
                else _("not named")
            )
        _key, place = find_key(provider.key_name)
        if place == "environment":
            return _("found in the environment variable %s") % provider.key_name
        if place == "settings":
            return _("found in the setting %s") % provider.key_name
        return _("not set")

    @admin.display(description=gettext_lazy("state"), ordering="health_state")
    def health(self, provider: Provider) -> SafeString | str:
        """Say how the last connection went and why."""
        state = provider.get_health_state_display()
        if provider.health_state == Provider.Health.FAILING:
            return format_html(
                "<strong>⚠ {}</strong> {}", state, provider.health_reason
            )
        return state
