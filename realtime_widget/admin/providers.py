"""Providers: where the model is, whether it works, where its keys are found."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from realtime_widget.admin.forms import CompactText
from realtime_widget.admin.provider_form import CONNECTION, ProviderForm
from realtime_widget.admin.typed_secrets import KeepsSecrets
from realtime_widget.models import FallbackProvider, Provider
from realtime_widget.models.provider_keys import FoundKey, Slot
from realtime_widget.provider_checks import check_and_note
from realtime_widget.upstream import catalogue

WARNING_HEALTH = {Provider.Health.FAILING, Provider.Health.DEGRADED}


class FallbackInline(admin.TabularInline):
    """Who answers when a widget's own provider does not."""

    model = FallbackProvider
    fields = ["position", "provider"]
    extra = 0


ABOUT_THE_ENGINE = gettext_lazy(
    "The embedded engine understands and speaks English only, unless"
    " more is installed: the extra “local-languages” lets it hear"
    " other languages; answers in other scripts are written, not spoken, until"
    " the setting TTS names a voice for them, and come from a"
    " chat-completions server, as its own rules answer English only."
)


@admin.register(Provider)
class ProviderAdmin(CompactText, KeepsSecrets):
    """Providers in the admin."""

    form = ProviderForm
    text_rows = {"extra_headers": 2, "extra_query": 2}
    secret_fields = ("new_key", "new_second_key", "key_name", "second_key_name")
    list_display = ["name", "kind", "model", "key_state", "health"]
    list_filter = ["kind", "health_state"]
    search_fields = ["name", "model", "base_url"]
    readonly_fields = [
        "key_state",
        "second_key_state",
        "model_facts",
        "health",
        "health_at",
        "check_ms",
    ]
    actions = ["check_health", "swap_keys"]
    fieldsets = [
        (
            None,
            {
                "fields": ["name", "kind", "model", "model_facts"],
                "description": ABOUT_THE_ENGINE,
            },
        ),
        (
            gettext_lazy("Connection"),
            {"fields": ["base_url", "dialect", "key_name", "key_state"]},
        ),
        (
            gettext_lazy("Keys in this row"),
            {
                "classes": ["collapse"],
                "fields": ["new_key", "forget_key"],
                "description": gettext_lazy(
                    "Better keep keys in the server's environment and name them above. A"
                    " key stored here is encrypted; changing where the provider is asks"
                    " for it again."
                ),
            },
        ),
        (
            gettext_lazy("Second key, to replace the first without a break"),
            {
                "classes": ["collapse"],
                "fields": [
                    "second_key_name",
                    "second_key_state",
                    "new_second_key",
                    "forget_second_key",
                ],
            },
        ),
        (
            gettext_lazy("Handshake of an unusual server"),
            {
                "classes": ["collapse"],
                "fields": [
                    ("auth_style", "auth_name"),
                    "extra_headers",
                    "extra_query",
                ],
            },
        ),
        (
            gettext_lazy("Health"),
            {
                "fields": ["health", "health_at", "check_ms"],
                "description": gettext_lazy(
                    "“Check now” asks for the list of models: at most 5 s, and it costs"
                    " nothing."
                ),
            },
        ),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Speak of the embedded engine only where it is the provider or may become it."""
        shown = super().get_fieldsets(request, obj)
        if obj is None or obj.runs_in_process:
            return shown
        (name, first), *others = shown
        return [(name, {**first, "description": ""}), *others]

    def save_model(
        self,
        request: HttpRequest,
        obj: Provider,
        form: Any,
        change: bool,  # noqa: FBT001
    ) -> None:
        """Forget what was known of a connection that is another one now."""
        if CONNECTION & set(form.changed_data):
            obj.forget_health()
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the check."""
        view = self.admin_site.admin_view(require_POST(self.check_view))
        own = path("<int:pk>/check/", view, name="realtime_widget_provider_check")
        return [own, *super().get_urls()]

    def check_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Check one provider and go back to it."""
        provider = self.get_queryset(request).filter(pk=pk).first()
        if not self.has_change_permission(request, provider):
            raise PermissionDenied
        if provider is None:
            raise Http404
        self._check(request, provider)
        return redirect("admin:realtime_widget_provider_change", pk)

    @admin.action(
        description=gettext_lazy("Check whether they work"), permissions=["change"]
    )
    def check_health(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        """Check each chosen provider."""
        for provider in queryset:
            self._check(request, provider)

    def _check(self, request: HttpRequest, provider: Provider) -> None:
        checked = check_and_note(provider)
        text = _("%(name)s: %(state)s, %(took_ms)d ms. %(reason)s") % {
            "name": provider,
            "state": provider.get_health_state_display(),
            "took_ms": checked.took_ms,
            "reason": checked.reason,
        }
        good = messages.WARNING if checked.reason else messages.SUCCESS
        self.message_user(request, text, good if checked.ok else messages.ERROR)

    @admin.action(
        description=gettext_lazy("Make the second key the first"),
        permissions=["change"],
    )
    def swap_keys(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        """Swap the keys of each chosen provider."""
        for provider in queryset:
            if not provider.has_key("second_key"):
                text = _("%s has no second key.") % provider
                self.message_user(request, text, messages.WARNING)
                continue
            provider.swap_keys()
            provider.save()
            self.log_change(request, provider, _("Made the second key the first."))
            text = _("%s uses its second key first now.") % provider
            self.message_user(request, text, messages.SUCCESS)

    @admin.display(description=gettext_lazy("key"))
    def key_state(self, provider: Provider) -> str:
        """Say where the key is found, never the key."""
        if not provider.has_key("key"):
            return (
                _("none needed")
                if provider.kind == Provider.Kind.LOCAL
                else _("not named")
            )
        return self._where(provider, "key")

    @admin.display(description=gettext_lazy("second key"))
    def second_key_state(self, provider: Provider) -> str:
        """Say where the second key is found, never the key."""
        if not provider.has_key("second_key"):
            return _("none")
        return self._where(provider, "second_key")

    def _where(self, provider: Provider, slot: Slot) -> str:
        try:
            found = provider.found_key(slot)
        except ImproperlyConfigured as exc:
            return str(exc)
        return _place(found)

    @admin.display(description=gettext_lazy("about this model"))
    def model_facts(self, provider: Provider) -> str:
        """Say what is known of the model, and of which day that is."""
        facts = catalogue.MODELS.get(provider.model)
        if facts is None or provider.kind == Provider.Kind.LOCAL:
            return "—"
        known = _(
            "%(context)s tokens of context, answers up to %(output)s, sessions up to"
            " %(minutes)d minutes; voices: %(voices)s. As of %(day)s."
        ) % {
            "context": number_format(facts.context_tokens, force_grouping=True),
            "output": number_format(facts.max_output_tokens, force_grouping=True),
            "minutes": facts.session_limit_s // 60,
            "voices": ", ".join(facts.voices),
            "day": date_format(catalogue.AS_OF),
        }
        ending = catalogue.ending(provider.model, timezone.localdate())
        if ending is None or ending.ends_on is None:
            return known
        ends = _("⚠ It is switched off on %(day)s; take %(successor)s.") % {
            "day": date_format(ending.ends_on),
            "successor": facts.successor,
        }
        return f"{ends} {known}"

    @admin.display(description=gettext_lazy("state"), ordering="health_state")
    def health(self, provider: Provider) -> SafeString | str:
        """Say how the last connection went and why."""
        state = provider.get_health_state_display()
        if provider.health_state in WARNING_HEALTH:
            return format_html(
                "<strong>⚠ {}</strong> {}", state, provider.health_reason
            )
        return state


def _place(found: FoundKey) -> str:
    """Say in words where a key was found; of a stored one, how it ends."""
    if found.place == "environment":
        return _("found in the environment variable %s") % found.name
    if found.place == "settings":
        return _("found in the setting %s") % found.name
    if found.place == "unreadable":
        return _(
            "stored, but no key in FERNET_KEYS opens it: put the old one back, or store the"
            " key anew"
        )
    if found.place == "stored":
        return (
            _("stored, ends with …%s") % found.ending if found.ending else _("stored")
        )
    return _("not set")
