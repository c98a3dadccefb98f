"""What visitors agreed to and what they thought: to be read, and deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from realtime_widget.models import Consent, Feedback


class WrittenByVisitors(admin.ModelAdmin):
    """Rows that nobody adds or changes in the admin."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: visitors write these."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: a changed agreement is none."""
        return False


@admin.register(Consent)
class ConsentAdmin(WrittenByVisitors):
    """Agreements in the admin."""

    list_display = ["created_at", "widget_slug", "user", "language", "words_hash"]
    list_filter = ["widget_slug", "language"]
    list_select_related = ["user"]
    search_fields = ["words_hash", "session_key_hash"]
    date_hierarchy = "created_at"


@admin.register(Feedback)
class FeedbackAdmin(WrittenByVisitors):
    """Opinions in the admin."""

    list_display = ["created_at", "rating", "comment", "conversation"]
    list_filter = ["rating", "conversation__widget_slug"]
    list_select_related = ["conversation"]
    date_hierarchy = "created_at"
