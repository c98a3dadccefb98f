"""The shop's tables in the admin."""

from __future__ import annotations

from django.contrib import admin

from demo_site.models import Appointment, OpeningHours, Order


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Orders."""

    list_display = ["number", "item", "customer", "status", "expected_on"]
    list_filter = ["status"]
    search_fields = ["number", "item"]


@admin.register(Appointment)
class AppointmentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Appointments."""

    list_display = ["day", "time", "service", "customer", "cancelled_at"]
    date_hierarchy = "day"


@admin.register(OpeningHours)
class OpeningHoursAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Opening hours."""

    list_display = ["weekday", "opens", "closes"]
    list_editable = ["opens", "closes"]
