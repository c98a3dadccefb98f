"""Guardrails in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from realtime_widget.admin.forms import CompactModelAdmin
from realtime_widget.admin.function_names import NamesFunctions
from realtime_widget.configs.functions import NAMED_BY_GUARDRAILS
from realtime_widget.models import Guardrail


class GuardrailForm(NamesFunctions):
    """Offers the functions that exist on this site."""

    functions = NAMED_BY_GUARDRAILS

    class Meta:
        model = Guardrail
        exclude: list[str] = []


@admin.register(Guardrail)
class GuardrailAdmin(CompactModelAdmin):
    """What agents must not say, hear or do."""

    form = GuardrailForm
    text_rows = {"denied_words": 8, "moderation_categories": 2}
    list_display = ["name", "enabled", "on_output", "on_input", "on_arguments"]
    list_editable = ["enabled"]
    search_fields = ["name", "denied_words"]
    fieldsets = [
        (None, {"fields": ["name", "denied_words", "function", "enabled"]}),
        (
            gettext_lazy("Moderation"),
            {
                "fields": [
                    "moderation",
                    "moderation_categories",
                    "moderation_threshold",
                    "moderation_model",
                ]
            },
        ),
        (
            gettext_lazy("What it checks"),
            {"fields": ["on_output", "on_input", "on_arguments"]},
        ),
        (gettext_lazy("Afterwards"), {"fields": ["steer"]}),
    ]
