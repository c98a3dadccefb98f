"""What visitors agreed to and what they thought: to be read, and deleted."""

from __future__ import annotations

from django.contrib import admin

from realtime_widget.admin.read_only import ReadOnly
from realtime_widget.models import Consent, Feedback


@admin.register(Consent)
class ConsentAdmin(ReadOnly, admin.ModelAdmin):
    """Agreements in the admin."""

    list_display = ["created_at", "widget_slug", "user", "language", "words_hash"]
    list_filter = ["widget_slug", "language"]
    list_select_related = ["user"]
    search_fields = ["words_hash", "session_key_hash"]
    date_hierarchy = "created_at"


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly, admin.ModelAdmin):
    """Opinions in the admin."""

    list_display = ["created_at", "rating", "comment", "conversation"]
    list_filter = ["rating", "conversation__widget_slug"]
    list_select_related = ["conversation"]
    date_hierarchy = "created_at"
