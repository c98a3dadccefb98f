"""A page of the admin that takes deep-chat's JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from realtime_widget.configs.deep_chat import (
    Imported,
    import_deep_chat,
    parse_direct_connection,
)
from realtime_widget.models import Agent, Widget
from realtime_widget.models.stylesheets import MAX_SHEET_CHARS

MAX_JSON_CHARS = 200_000
TEMPLATE = "admin/realtime_widget/widget/import.html"


class ImportForm(forms.Form):
    """What is pasted, and where it goes."""

    slug = forms.SlugField(
        label=gettext_lazy("Slug"),
        max_length=50,
        help_text=gettext_lazy(
            "Of the widget. One that exists is changed where the JSON says something."
        ),
    )
    agent = forms.ModelChoiceField(
        label=gettext_lazy("Agent"),
        queryset=Agent.objects.all(),
        required=False,
        help_text=gettext_lazy(
            "Of a new widget. Empty: a new agent with the instructions and the voice of the JSON."
        ),
    )
    direct_connection = forms.CharField(
        label="directConnection",
        max_length=MAX_JSON_CHARS,
        widget=forms.Textarea(attrs={"rows": 16, "cols": 90, "spellcheck": "false"}),
        help_text=gettext_lazy('JSON: {"openAI": {"realtime": {…}}}.'),
    )
    auxiliary_style = forms.CharField(
        label="auxiliaryStyle",
        max_length=MAX_SHEET_CHARS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "cols": 90, "spellcheck": "false"}),
        help_text=gettext_lazy("CSS, if the page had some."),
    )

    def clean_direct_connection(self) -> Any:
        """Return the options of the realtime service."""
        return parse_direct_connection(self.cleaned_data["direct_connection"])


def import_view(
    request: HttpRequest, model_admin: admin.ModelAdmin[Widget]
) -> HttpResponse:
    """Show the form, or take what was sent and tell what became of it."""
    may = _may(request, model_admin.admin_site)
    if not may(Widget):
        raise PermissionDenied
    form = ImportForm(request.POST or None)
    imported: Imported | None = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            imported = import_deep_chat(
                given["direct_connection"],
                given["slug"],
                agent=given["agent"],
                auxiliary_style=given["auxiliary_style"],
                may=may,
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
    if imported is not None:
        _log(request, model_admin, imported)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Import from deep-chat"),
        "opts": model_admin.opts,
        "form": form,
        "imported": imported,
    }
    return render(request, TEMPLATE, context)


def _may(
    request: HttpRequest, site: admin.AdminSite
) -> Callable[[type[models.Model]], bool]:
    """Return whether the editor may add and change rows of a model in this admin."""

    def may(model: type[models.Model]) -> bool:
        try:
            own = site.get_model_admin(model)
        except NotRegistered:
            return False
        return own.has_add_permission(request) and own.has_change_permission(request)

    return may


def _log(
    request: HttpRequest, model_admin: admin.ModelAdmin[Widget], imported: Imported
) -> None:
    change = [{"changed": {"name": "deep-chat", "object": imported.widget.slug}}]
    if imported.created:
        model_admin.log_addition(request, imported.widget, [{"added": {}}])
    else:
        model_admin.log_change(request, imported.widget, change)
