"""Quotas: what may be used, and what is used now."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from realtime_widget.admin.forms import PLAIN_DECIMALS, without_zeros
from realtime_widget.models import Quota, QuotaCount
from realtime_widget.models.days import site_today
from realtime_widget.models.quotas import MILLION

SHOWN_COUNTS = 20


class CountInline(admin.TabularInline):
    """Who uses most of it in the period that runs."""

    model = QuotaCount
    extra = 0
    can_delete = False
    fields = ["subject", "period_start", "used_so_far"]
    readonly_fields = ["subject", "period_start", "used_so_far"]
    verbose_name_plural = gettext_lazy("Used most in the period that runs")

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuotaCount]:
        """Return the largest counts of each quota's own period."""
        today = site_today()
        rows: QuerySet[QuotaCount] = super().get_queryset(request)
        match = request.resolver_match
        pk = match.kwargs.get("object_id") if match else None
        quota = Quota.objects.filter(pk=pk).first() if pk else None
        if quota is None:
            return rows.none()
        running = rows.filter(quota=quota, period_start=quota.period_start(today))
        shown = running.order_by("-used_millionths").values("pk")[:SHOWN_COUNTS]
        return rows.filter(pk__in=list(shown.values_list("pk", flat=True))).order_by(
            "-used_millionths"
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: sessions count."""
        return False

    @admin.display(description=gettext_lazy("used"))
    def used_so_far(self, count: QuotaCount) -> str:
        """Return what is taken, in the quota's unit."""
        return number_format(without_zeros(count.used), force_grouping=True)


@admin.register(Quota)
class QuotaAdmin(admin.ModelAdmin):
    """Quotas in the admin."""

    list_display = ["name", "scope", "unit", "period", "bound", "most", "enabled"]
    list_filter = ["enabled", "scope", "unit", "period"]
    list_editable = ["enabled"]
    search_fields = ["name"]
    formfield_overrides = PLAIN_DECIMALS
    raw_id_fields = ["user"]
    inlines = [CountInline]
    actions = ["begin_anew"]
    fieldsets = [
        (None, {"fields": ["name", "enabled"]}),
        (
            gettext_lazy("How much"),
            {
                "fields": ["scope", "unit", "limit", "period"],
                "description": gettext_lazy(
                    "Checked before a conversation begins and while it runs: it ends"
                    " politely when nothing is left."
                ),
            },
        ),
        (
            gettext_lazy("Only for"),
            {
                "classes": ["collapse"],
                "fields": ["user", "group", "widget", "site", "provider"],
            },
        ),
        (gettext_lazy("Words"), {"fields": ["message"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Quota]:
        """Add what the busiest subject of the period that runs has used."""
        today = site_today()
        counts = QuotaCount.objects.filter(quota=OuterRef("pk")).order_by()

        def most(start: Any) -> Subquery:
            running = counts.filter(period_start=start).values("quota")
            return Subquery(running.annotate(m=Max("used_millionths")).values("m"))

        rows: QuerySet[Quota] = super().get_queryset(request)
        return rows.annotate(
            most_today=Coalesce(most(today), 0),
            most_this_month=Coalesce(most(today.replace(day=1)), 0),
        )

    @admin.display(description=gettext_lazy("at most"), ordering="limit")
    def bound(self, quota: Quota) -> str:
        """Return the limit, without the zeros that only money needs."""
        return number_format(without_zeros(quota.limit), force_grouping=True)

    @admin.display(description=gettext_lazy("used most"))
    def most(self, quota: Quota) -> str:
        """Return the largest count and its share of the limit."""
        daily = quota.period == Quota.Period.DAY
        name = "most_today" if daily else "most_this_month"
        used = getattr(quota, name, 0)
        limit = quota.limit_millionths
        share = 100 * used // limit if limit else 100
        return f"{used / MILLION:g} ({share} %)"

    @admin.action(
        description=gettext_lazy("Begin anew: forget what is used"),
        permissions=["change"],
    )
    def begin_anew(self, request: HttpRequest, queryset: QuerySet[Quota]) -> None:
        """Forget the counts of the chosen quotas."""
        QuotaCount.objects.filter(quota__in=queryset).update(used_millionths=0)
        for quota in queryset:
            self.log_change(request, quota, _("Forgot what was used."))
