"""Widgets: the settings of a tag, its copy, its preview."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from realtime_widget.admin.deep_chat import import_view
from realtime_widget.admin.forms import CompactModelAdmin
from realtime_widget.admin.providers import FallbackInline
from realtime_widget.models import Widget
from realtime_widget.rendering import page_nonce, widget_html

WIDGET_FIELDS: list[tuple[Any, Any]] = [
    (
        None,
        {"fields": ["slug", "title", "enabled", "agent", "provider", "tag", "preview"]},
    ),
    (gettext_lazy("Where"), {"fields": ["sites", "allowed_origins"]}),
    (
        gettext_lazy("What visitors see"),
        {
            "fields": [
                ("theme", "look"),
                "skin",
                ("figure", "avatar"),
                "buttons",
                "text_only",
                "auto_start",
                "resume_across_pages",
                "captions",
                "text_box",
                "greeting",
                "suggestions",
                ("sound_menu", "transcript_tools"),
                "pictures",
                "languages",
                "texts",
            ]
        },
    ),
    (
        gettext_lazy("Form on the page"),
        {"fields": ["form", ("corner", "launcher"), "dismissible"]},
    ),
    (
        gettext_lazy("Consent and opinions"),
        {
            "classes": ["collapse"],
            "fields": ["consent_text", "record_audio", "feedback"],
        },
    ),
    (
        gettext_lazy("While connecting, and errors"),
        {
            "classes": ["collapse"],
            "fields": [
                "loading_display",
                "loading_text",
                "loading_html",
                "loading_styles",
                "error_text",
                "error_styles",
                "auxiliary_style",
            ],
        },
    ),
    (
        gettext_lazy("Turns"),
        {
            "classes": ["collapse"],
            "fields": [
                "turn_detection",
                "vad_threshold",
                "prefix_padding_ms",
                "silence_duration_ms",
                "eagerness",
                "interrupt_response",
                "idle_timeout_ms",
                "half_duplex",
                "changeable",
            ],
        },
    ),
    (
        gettext_lazy("Audio"),
        {
            "classes": ["collapse"],
            "fields": ["audio_format", "noise_reduction", "transcription_model"],
        },
    ),
    (
        gettext_lazy("Limits and what the page may do"),
        {
            "classes": ["collapse"],
            "fields": [
                "max_session_s",
                "idle_s",
                "message_roles",
                "variables",
                "show_usage",
            ],
        },
    ),
]


@admin.register(Widget)
class WidgetAdmin(CompactModelAdmin):
    """Widgets in the admin."""

    list_display = ["slug", "title", "agent", "provider_name", "enabled", "preview"]
    list_editable = ["enabled"]
    list_filter = ["enabled", "sites", "agent", "provider", "text_only"]
    list_select_related = ["agent", "provider"]
    search_fields = ["slug", "title", "agent__name"]
    filter_horizontal = ["sites"]
    prepopulated_fields = {"slug": ["title"]}
    readonly_fields = ["tag", "preview"]
    fieldsets = WIDGET_FIELDS
    inlines = [FallbackInline]
    actions = ["duplicate"]

    @admin.display(description=gettext_lazy("provider"), ordering="provider__name")
    def provider_name(self, widget: Widget) -> str:
        """Name the provider, or the engine that answers without one."""
        return widget.provider.name if widget.provider else _("embedded engine")

    @admin.display(description=gettext_lazy("tag for your page"))
    def tag(self, widget: Widget) -> SafeString | str:
        """Show what to copy into a template."""
        if not widget.slug:
            return _("Shown here after the first save.")
        return format_html(
            "<pre>{}</pre><p>Jinja2:</p><pre>{}</pre>",
            '{% load realtime_widget %}{% realtime_widget "' + widget.slug + '" %}',
            '{{ realtime_widget("' + widget.slug + '") }}',
        )

    @admin.display(description=gettext_lazy("preview"))
    def preview(self, widget: Widget) -> SafeString | str:
        """Link to the preview."""
        if not widget.pk:
            return "—"
        url = reverse("admin:realtime_widget_widget_preview", args=[widget.pk])
        return format_html('<a href="{}">{}</a>', url, _("Try it"))

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the preview and of the import."""
        view = self.admin_site.admin_view(self.preview_view)
        importing = self.admin_site.admin_view(self.import_view)
        own = [
            path("import/", importing, name="realtime_widget_widget_import"),
            path("<int:pk>/preview/", view, name="realtime_widget_widget_preview"),
        ]
        return own + super().get_urls()

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Take deep-chat's JSON."""
        return import_view(request, self)

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a widget alone on a page of the admin's own origin."""
        widget = (
            self.get_queryset(request)
            .select_related("agent", "provider", "avatar", "buttons")
            .filter(pk=pk)
            .first()
        )
        if not self.has_view_permission(request, widget):
            raise PermissionDenied
        if widget is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": _("Preview of %s") % widget,
            "widget": widget,
            "opts": self.opts,
            "html": widget_html(
                widget, request=request, nonce=page_nonce(None, request)
            ),
        }
        return render(request, "admin/realtime_widget/widget/preview.html", context)

    @admin.action(
        description=gettext_lazy("Duplicate the chosen widgets"), permissions=["add"]
    )
    def duplicate(self, request: HttpRequest, queryset: QuerySet[Widget]) -> None:
        """Make a switched-off copy of each widget."""
        copies = [copy_of(widget) for widget in queryset]
        text = ngettext(
            "%d widget was duplicated. The copy is switched off.",
            "%d widgets were duplicated. The copies are switched off.",
            len(copies),
        )
        self.message_user(request, text % len(copies), messages.SUCCESS)


@transaction.atomic
def copy_of(widget: Widget) -> Widget:
    """Save and return a switched-off copy of a widget under a free slug."""
    sites = list(widget.sites.all())
    stem = widget.slug[:40]
    taken = set(
        Widget.objects.filter(slug__startswith=stem).values_list("slug", flat=True)
    )
    number = next(n for n in range(2, len(taken) + 3) if f"{stem}-{n}" not in taken)
    copy = Widget.objects.get(pk=widget.pk)
    copy.pk, copy.slug, copy.enabled = None, f"{stem}-{number}", False
    copy._state.adding = True
    copy.save()
    copy.sites.set(sites)
    return copy
