"""What conversations cost: prices for editors, totals for whoever pays."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from realtime_widget.admin.forms import PLAIN_DECIMALS
from realtime_widget.admin.read_only import ReadOnly, is_deleted_with
from realtime_widget.models import Price, Usage

# Ways to sum up: name of the parameter's value -> label and the field.
GROUPS = {
    "day": (gettext_lazy("by day"), "day"),
    "widget": (gettext_lazy("by widget"), "conversation__widget_slug"),
    "agent": (gettext_lazy("by agent"), "conversation__agent_name"),
    "model": (gettext_lazy("by model"), "model"),
}
LINES = 100


@admin.register(Price)
class PriceAdmin(admin.ModelAdmin):
    """Prices in the admin."""

    formfield_overrides = PLAIN_DECIMALS
    list_display = [
        "model_name",
        "provider_kind",
        "valid_from",
        "text_in",
        "text_out",
        "audio_in",
        "audio_out",
        "minute",
        "as_of",
    ]
    list_filter = ["provider_kind", "valid_from"]
    search_fields = ["model", "source"]
    save_as = True
    fieldsets = [
        (
            None,
            {
                "fields": ["provider_kind", "model", "valid_from"],
                "description": gettext_lazy(
                    "A changed price is a new row from its day on; what was used before"
                    " keeps its cost. After correcting a row, run “manage.py"
                    " realtime_costs”."
                ),
            },
        ),
        (
            gettext_lazy("US dollars for a million tokens"),
            {
                "fields": [
                    ("text_in", "text_cached", "text_out"),
                    ("audio_in", "audio_cached", "audio_out"),
                    ("image_in", "image_cached"),
                ]
            },
        ),
        (
            gettext_lazy("US dollars where time is billed"),
            {"fields": ["minute"]},
        ),
        (gettext_lazy("Where it is from"), {"fields": ["source", "as_of"]}),
    ]

    @admin.display(description=gettext_lazy("model"), ordering="model")
    def model_name(self, price: Price) -> str:
        """Name the model, or say that it is every other one."""
        return price.model or _("every other model")


@admin.register(Usage)
class UsageAdmin(ReadOnly, admin.ModelAdmin):
    """What was used, with sums of what the filters leave."""

    change_list_template = "admin/realtime_widget/usage/change_list.html"
    list_display = [
        "created_at",
        "kind",
        "model",
        "widget",
        "agent",
        "total_tokens",
        "cost",
    ]
    list_filter = [
        "created_at",
        "conversation__widget_slug",
        "conversation__agent_name",
        "provider_kind",
        "model",
        "kind",
        ("cost_usd", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["conversation"]
    ordering = ["-created_at", "-pk"]
    date_hierarchy = "created_at"
    search_fields = ["=conversation__id", "=response_id"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow it with its conversation only: sums must stay true."""
        return is_deleted_with(request, "conversation")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the sums of what the filters leave to the list."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context and "cl" in context:
            rows = context["cl"].get_queryset(request).order_by()
            context["sums"] = _sum(rows)
            context["groups"] = [
                {"label": label, "lines": _sums_by(rows, field)}
                for label, field in GROUPS.values()
            ]
        return response

    @admin.display(
        description=gettext_lazy("widget"), ordering="conversation__widget_slug"
    )
    def widget(self, usage: Usage) -> str:
        """Return the slug of the widget."""
        return usage.conversation.widget_slug

    @admin.display(
        description=gettext_lazy("agent"), ordering="conversation__agent_name"
    )
    def agent(self, usage: Usage) -> str:
        """Return the agent that began the conversation."""
        return usage.conversation.agent_name

    @admin.display(description=gettext_lazy("cost (USD)"), ordering="cost_usd")
    def cost(self, usage: Usage) -> str:
        """Return the cost, in words where it is not known."""
        return written_usd(usage.cost_usd, unknown=usage.cost_usd is None)


def written_usd(cost: Any, *, unknown: int | bool) -> str:
    """Return a sum as people read it.

    Args:
        cost: In US dollars; None when none of its parts is known.
        unknown: Whether a part of it is not known.
    """
    if cost is None:
        return _("unknown") if unknown else "—"
    text = f"{cost:.4f} $"
    return _("%s and what has no price") % text if unknown else text


def _sum(rows: QuerySet[Usage]) -> dict[str, Any]:
    sums = rows.aggregate(
        cost=Sum("cost_usd"),
        tokens=Sum("total_tokens", default=0),
        unknown=Count("pk", filter=Q(cost_usd=None)),
    )
    return {**sums, "written": written_usd(sums["cost"], unknown=sums["unknown"])}


def _sums_by(rows: QuerySet[Usage], field: str) -> list[dict[str, Any]]:
    """Return the sums of each value of a field, the latest or largest first."""
    if field == "day":
        rows = rows.annotate(day=TruncDate("created_at"))
    grouped = rows.values(name=F(field)).annotate(
        cost=Sum("cost_usd"),
        tokens=Sum("total_tokens", default=0),
        unknown=Count("pk", filter=Q(cost_usd=None)),
    )
    order = "-name" if field == "day" else "-tokens"
    return [
        {**line, "written": written_usd(line["cost"], unknown=line["unknown"])}
        for line in grouped.order_by(order)[:LINES]
    ]
