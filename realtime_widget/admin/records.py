"""Conversations: what happened, for reading only.

What was said is shown to staff with the permission ``view_transcript``; the others
see when, how long and how it ended.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.http import FileResponse, Http404, HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from realtime_widget.admin.money import written_usd
from realtime_widget.admin.read_only import ReadOnly
from realtime_widget.models import (
    Conversation,
    ConversationEvent,
    Item,
    Recording,
    ToolCall,
    Usage,
)

TRANSCRIPT_PERMISSION = "realtime_widget.view_transcript"
LISTEN_PERMISSION = "realtime_widget.listen_recording"


def may_listen(request: HttpRequest) -> bool:
    """Return whether this member of staff may listen to recordings."""
    return request.user.has_perm(LISTEN_PERMISSION)


def may_read(request: HttpRequest) -> bool:
    """Return whether this member of staff may read what was said."""
    return request.user.has_perm(TRANSCRIPT_PERMISSION)


# Why a conversation ended, for people.
REASONS = {
    "user": gettext_lazy("by the visitor"),
    "idle": gettext_lazy("by silence"),
    "time_limit": gettext_lazy("by its time limit"),
    "quota": gettext_lazy("by a quota"),
    "upstream": gettext_lazy("by the provider"),
    "error": gettext_lazy("by an error"),
    "replaced": gettext_lazy("goes on in another page"),
    "draining": gettext_lazy("the server was stopped"),
}


class ReadOnlyInline(ReadOnly, admin.TabularInline):
    """Rows that belong to a conversation; who sees it sees them."""

    extra = 0
    can_delete = False
    # Fields that hold what was said or done, and what stands for them.
    content_fields: tuple[str, ...] = ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Follow the conversation's own permission."""
        return request.user.has_perm("realtime_widget.view_conversation")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the content out for those who may not read it."""
        fields = [str(name) for name in super().get_fields(request, obj)]
        if may_read(request):
            return fields
        return [name for name in fields if name not in self.content_fields]


class ItemInline(ReadOnlyInline):
    """What was said."""

    model = Item
    fields = ["created_at", "who", "source", "words", "unheard", "status", "heard_ms"]
    readonly_fields = ["who", "words", "unheard"]
    content_fields = ("words", "unheard")
    verbose_name_plural = gettext_lazy("What was said")

    @admin.display(description=gettext_lazy("who"))
    def who(self, item: Item) -> str:
        """Name the speaker."""
        return item.agent or item.get_role_display()

    @admin.display(description=gettext_lazy("words"))
    def words(self, item: Item) -> SafeString:
        """Show the words with their line breaks, in their own direction."""
        return format_html('<div dir="auto">{}</div>', item.text)

    @admin.display(description=gettext_lazy("not heard"))
    def unheard(self, item: Item) -> SafeString | str:
        """Show what the agent would have said, had the visitor not cut it off."""
        if not item.generated_text:
            return "—"
        return format_html(
            '<details><summary>{}</summary><div dir="auto">{}</div></details>',
            _("show"),
            item.generated_text,
        )


class ToolCallInline(ReadOnlyInline):
    """What was done."""

    model = ToolCall
    fields = ["created_at", "name", "arguments", "output", "status", "duration_ms"]
    content_fields = ("arguments", "output")


class EventInline(ReadOnlyInline):
    """Handoffs and guardrails."""

    model = ConversationEvent
    fields = ["created_at", "kind", "name", "before", "stage"]


class UsageInline(ReadOnlyInline):
    """What it cost."""

    model = Usage
    fields = [
        "created_at",
        "kind",
        "model",
        "text_in",
        "audio_in",
        "image_in",
        "cached_in",
        "text_out",
        "audio_out",
        "duration_s",
        "cost_usd",
        "provider_figures",
    ]
    readonly_fields = ["provider_figures"]

    @admin.display(description=gettext_lazy("as the provider sent it"))
    def provider_figures(self, usage: Usage) -> SafeString:
        """Show the provider's own figures, folded."""
        figures = json.dumps(usage.raw, indent=1, ensure_ascii=False)
        return format_html(
            "<details><summary>{}</summary><pre>{}</pre></details>", _("show"), figures
        )


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, admin.ModelAdmin):
    """Conversations in the admin."""

    list_display = [
        "started_at",
        "widget_slug",
        "user",
        "status",
        "ending",
        "duration",
        "items_said",
        "tools_called",
        "cost",
    ]
    list_filter = [
        "status",
        "reason",
        "widget_slug",
        "provider_name",
        "site",
        "started_at",
    ]
    list_select_related = ["user"]
    date_hierarchy = "started_at"
    search_fields = ["=id", "widget_slug", "user__username", "=error_code"]
    search_help_text = gettext_lazy("Id, slug, visitor's name or error code.")
    inlines = [ItemInline, ToolCallInline, EventInline, UsageInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "id",
                    "widget",
                    "widget_slug",
                    "site",
                    "user",
                    "language",
                    "origin",
                ]
            },
        ),
        (
            gettext_lazy("Model"),
            {"fields": ["provider_name", "model", "agent_name", "tokens", "cost"]},
        ),
        (
            gettext_lazy("Course"),
            {
                "fields": [
                    "status",
                    "started_at",
                    "ended_at",
                    "duration",
                    "ending",
                    "heartbeat_at",
                    "sound",
                ]
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        """Count what belongs to each conversation with the list."""
        rows: QuerySet[Conversation] = super().get_queryset(request)
        used = Usage.objects.filter(conversation=OuterRef("pk")).order_by()
        return rows.annotate(
            known_cost_usd=Subquery(
                used.values("conversation").annotate(sum=Sum("cost_usd")).values("sum")
            ),
            has_unknown_cost=Exists(used.filter(cost_usd=None)),
            item_count=Count("items", distinct=True),
            call_count=Count("tool_calls", distinct=True),
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the sound out for those who may not listen."""
        shown = super().get_fieldsets(request, obj)
        if may_listen(request):
            return shown
        return [
            (
                name,
                {**options, "fields": [f for f in options["fields"] if f != "sound"]},
            )
            for name, options in shown
        ]

    def get_urls(self) -> list[URLPattern]:
        """Add the address of a conversation's sound."""
        view = self.admin_site.admin_view(require_safe(self.sound_view))
        own = path("<uuid:pk>/sound/", view, name="realtime_widget_conversation_sound")
        return [own, *super().get_urls()]

    def sound_view(self, request: HttpRequest, pk: UUID) -> FileResponse:
        """Play a conversation's sound to those who may listen."""
        conversation = self.get_queryset(request).filter(pk=pk).first()
        if not self.has_view_permission(request, conversation) or not may_listen(
            request
        ):
            raise PermissionDenied
        recording = Recording.objects.filter(conversation=conversation).first()
        if conversation is None or recording is None:
            raise Http404
        try:
            sound = recording.open()
        except OSError:
            raise Http404 from None
        answer = FileResponse(sound, content_type="audio/wav")
        answer["Cache-Control"] = "private, no-store"
        return answer

    @admin.display(description=gettext_lazy("sound"))
    def sound(self, conversation: Conversation) -> SafeString | str:
        """Play it: the visitor on the left, the agent on the right."""
        if not Recording.objects.filter(conversation=conversation).exists():
            return "—"
        address = reverse(
            "admin:realtime_widget_conversation_sound", args=[conversation.pk]
        )
        return format_html('<audio controls preload="none" src="{}"></audio>', address)

    @admin.display(description=gettext_lazy("end"), ordering="reason")
    def ending(self, conversation: Conversation) -> str:
        """Say why it ended."""
        reason = conversation.reason
        words = str(REASONS.get(reason, reason))
        return " · ".join(filter(None, (words, conversation.error_code))) or "—"

    @admin.display(description=gettext_lazy("duration"), ordering="duration_s")
    def duration(self, conversation: Conversation) -> str:
        """Return minutes and seconds."""
        minutes, seconds = divmod(round(conversation.duration_s), 60)
        return f"{minutes}:{seconds:02}"

    @admin.display(description=gettext_lazy("items"), ordering="item_count")
    def items_said(self, conversation: Conversation) -> int:
        """Return how many items it has."""
        return int(getattr(conversation, "item_count", 0))

    @admin.display(description=gettext_lazy("tool calls"), ordering="call_count")
    def tools_called(self, conversation: Conversation) -> int:
        """Return how many tool calls it has."""
        return int(getattr(conversation, "call_count", 0))

    @admin.display(description=gettext_lazy("cost (USD)"), ordering="known_cost_usd")
    def cost(self, conversation: Conversation) -> str:
        """Return what all its answers and transcriptions cost."""
        return written_usd(
            getattr(conversation, "known_cost_usd", None),
            unknown=bool(getattr(conversation, "has_unknown_cost", False)),
        )

    @admin.display(description=gettext_lazy("tokens"))
    def tokens(self, conversation: Conversation) -> str:
        """Sum up what all answers used."""
        totals = conversation.usage.aggregate(
            **{
                name: Sum(name, default=0)
                for name in (
                    "text_in",
                    "audio_in",
                    "cached_in",
                    "text_out",
                    "audio_out",
                )
            }
        )
        return (
            _(
                "in: %(text_in)d text, %(audio_in)d audio (%(cached_in)d of them cached);"
                " out: %(text_out)d text, %(audio_out)d audio"
            )
            % totals
        )
