"""Agents and their tools."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.db.models import QuerySet
from django.forms.formsets import DELETION_FIELD_NAME
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from realtime_widget.admin.forms import CompactModelAdmin
from realtime_widget.admin.function_names import NamesFunctions, no_such_function
from realtime_widget.configs.functions import NAMED_BY_AGENTS
from realtime_widget.handlers import registered
from realtime_widget.models import Agent, FunctionHandler, Tool


class FunctionHandlerForm(forms.ModelForm):
    """Offers the functions that exist on this site.

    It names no model: that would need the sites framework while modules are loaded,
    and a site without it is to be told by the system check.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "handler" not in self.fields:
            return
        names = sorted(registered)
        if self.instance.handler and self.instance.handler not in registered:
            names.insert(0, self.instance.handler)
        choices = [("", "---------"), *((name, name) for name in names)]
        self.fields["handler"].widget = forms.Select(choices=choices)

    def clean_handler(self) -> str:
        """Refuse a function that does not exist."""
        name: str = self.cleaned_data["handler"]
        if name and name not in registered:
            raise no_such_function(name, registered)
        return name


class FunctionHandlerFormSet(BaseInlineFormSet):
    """Knows that two rows without a site are one too many; SQL's NULL is no value."""

    def clean(self) -> None:
        """Refuse a second function for every site."""
        super().clean()
        kept = [form for form in self.forms if form.has_changed() or form.instance.pk]
        anywhere = [
            form
            for form in kept
            if not form.cleaned_data.get(DELETION_FIELD_NAME)
            and "kind" in form.cleaned_data
            and not form.cleaned_data.get("site")
        ]
        for form in anywhere[1:]:
            form.add_error(
                "site", _("This tool already has a function for every site.")
            )


class FunctionHandlerInline(admin.StackedInline):
    """What answers a tool, one row for each site."""

    model = FunctionHandler
    form = FunctionHandlerForm
    formset = FunctionHandlerFormSet
    fields = ["site", "kind", "handler", "url", "secret_name"]
    extra = 0
    verbose_name_plural = gettext_lazy(
        "What answers, when it is not the function of the tool's name"
    )


class ToolForm(forms.ModelForm):
    """Knows the functions, which the row by itself must not."""

    class Meta:
        model = Tool
        exclude: list[str] = []

    def clean(self) -> dict[str, Any]:
        """Ask for a description where no function has one."""
        data: dict[str, Any] = super().clean() or {}
        if not data.get("description") and data.get("name") not in registered:
            self.add_error(
                "description",
                _(
                    "There is no function of this name to take the description from: write when"
                    " the model is to use the tool."
                ),
            )
        return data


@admin.register(Tool)
class ToolAdmin(CompactModelAdmin):
    """Tools in the admin."""

    text_rows = {"parameters": 6}

    form = ToolForm
    list_display = ["name", "enabled", "function"]
    list_editable = ["enabled"]
    list_filter = ["enabled", "requires_login", "agents"]
    search_fields = ["name", "description"]
    readonly_fields = ["function", "schema"]
    # Django's own admin check breaks off on an inline with a key to a missing app;
    # without the sites framework ours is to say so instead.
    inlines = (
        [FunctionHandlerInline] if apps.is_installed("django.contrib.sites") else []
    )
    fieldsets = [
        (None, {"fields": ["name", "description", "enabled"]}),
        (
            gettext_lazy("Function"),
            {"fields": ["function", "runs_on", "timeout_s", "max_calls"]},
        ),
        (gettext_lazy("Arguments"), {"fields": ["parameters", "schema"]}),
        (gettext_lazy("Who may use it"), {"fields": ["requires_login", "permission"]}),
        (
            gettext_lazy("In the conversation"),
            {"fields": ["approval", "approval_text", "on_barge_in", "filler"]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tool]:
        """Load the functions' rows with the list."""
        return super().get_queryset(request).prefetch_related("handlers__site")

    @admin.display(description=gettext_lazy("function"))
    def function(self, tool: Tool) -> SafeString | str:
        """Say what answers on which site, and where it is in the code."""
        rows = list(tool.handlers.all()) if tool.pk else []
        if not rows:
            return _by_name(tool)
        lines = [(str(row.site), _target(row)) for row in rows if row.site]
        anywhere = next((row for row in rows if row.site is None), None)
        lines.append(
            (
                _("other sites") if lines else _("every site"),
                _target(anywhere) if anywhere else _by_name(tool),
            )
        )
        return format_html_join(mark_safe("<br>"), "{}: {}", lines)

    @admin.display(description=gettext_lazy("schema the model gets"))
    def schema(self, tool: Tool) -> SafeString | str:
        """Show the schema, made from the function when the row has none."""
        handler = registered.get(_fallback(tool))
        schema = tool.parameters or (handler.parameters if handler else None)
        if not schema:
            return "—"
        return format_html(
            "<pre>{}</pre>", json.dumps(schema, indent=2, ensure_ascii=False)
        )


def _fallback(tool: Tool) -> str:
    """Return the function for sites without a row of their own."""
    rows = tool.handlers.all() if tool.pk else []
    return next((row.handler for row in rows if row.site is None), tool.name)


def _by_name(tool: Tool) -> SafeString | str:
    """Say what answers a tool without a row."""
    if tool.runs_on == Tool.RunsOn.BROWSER:
        return _("in the page")
    return _where(tool.name)


def _target(row: FunctionHandler) -> SafeString | str:
    """Say what a row makes answer."""
    if row.kind == FunctionHandler.Kind.FUNCTION:
        return _where(row.handler)
    if row.kind == FunctionHandler.Kind.WEBHOOK:
        return format_html("{} <code>{}</code>", row.get_kind_display(), row.url)
    return row.get_kind_display()


def _where(name: str) -> SafeString | str:
    if name in registered:
        return format_html("<code>{}</code>", registered[name].path)
    return (
        format_html("<strong>⚠ {}</strong>", _("no function “%s”") % name)
        if name
        else "—"
    )


class AgentForm(NamesFunctions):
    """Knows the functions that an agent may name."""

    functions = NAMED_BY_AGENTS

    class Meta:
        model = Agent
        exclude: list[str] = []


@admin.register(Agent)
class AgentAdmin(CompactModelAdmin):
    """Agents in the admin."""

    form = AgentForm
    text_rows = {"instructions": 12}

    list_display = ["name", "voice", "tool_names"]
    list_filter = ["tools"]
    search_fields = ["name", "instructions"]
    filter_horizontal = ["tools", "mcp_servers", "handoffs", "guardrails"]
    fieldsets = [
        (None, {"fields": ["name", "instructions", "instructions_function"]}),
        (gettext_lazy("Speech"), {"fields": ["voice", "speed", "max_output_tokens"]}),
        (gettext_lazy("Abilities"), {"fields": ["tools", "mcp_servers", "guardrails"]}),
        (
            gettext_lazy("Handoffs"),
            {
                "fields": [
                    "handoffs",
                    "handoff_description",
                    "on_handoff",
                    "handoff_filter",
                ]
            },
        ),
    ]

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Let the two lists of a handoff say what is in them: agents."""
        if db_field.name == "handoffs":
            kwargs["widget"] = FilteredSelectMultiple(
                gettext_lazy("agents"), is_stacked=False
            )
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        """Load the tools with the list."""
        return super().get_queryset(request).prefetch_related("tools")

    @admin.display(description=gettext_lazy("tools"))
    def tool_names(self, agent: Agent) -> str:
        """Name the tools."""
        return ", ".join(tool.name for tool in agent.tools.all()) or "—"
