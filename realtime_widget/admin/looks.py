"""Avatars and buttons."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from realtime_widget.admin.forms import CompactModelAdmin, CompactStackedInline
from realtime_widget.models import Avatar, Button, ButtonSet


@admin.register(Avatar)
class AvatarAdmin(CompactModelAdmin):
    """Avatars in the admin."""

    list_display = ["name", "thumbnail", "max_scale"]
    search_fields = ["name", "alt"]
    readonly_fields = ["thumbnail"]
    fieldsets = [
        (None, {"fields": ["name", "image", "thumbnail", "alt", "max_scale"]}),
        (
            gettext_lazy("CSS"),
            {"fields": ["image_styles", "container_styles"], "classes": ["collapse"]},
        ),
    ]

    @admin.display(description=gettext_lazy("as it is now"))
    def thumbnail(self, avatar: Avatar) -> SafeString | str:
        """Show the picture."""
        if not avatar.image:
            return _("the built-in picture")
        return format_html(
            '<img src="{}" width="64" height="64" alt="">', avatar.image.url
        )


class ButtonInline(CompactStackedInline):
    """The looks of a set."""

    model = Button
    text_rows = {"svg": 4, "styles": 4}
    extra = 0
    fieldsets = [
        (None, {"fields": [("kind", "state"), ("text", "hide_icon"), "svg", "styles"]}),
    ]


@admin.register(ButtonSet)
class ButtonSetAdmin(CompactModelAdmin):
    """Button sets in the admin."""

    list_display = ["name", "looks"]
    search_fields = ["name"]
    inlines = [ButtonInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ButtonSet]:
        """Count the looks with the list."""
        rows: QuerySet[ButtonSet] = super().get_queryset(request)
        return rows.annotate(look_count=Count("buttons"))

    @admin.display(description=gettext_lazy("own looks"), ordering="look_count")
    def looks(self, button_set: ButtonSet) -> int:
        """Return how many looks the set changes."""
        return int(getattr(button_set, "look_count", 0))
