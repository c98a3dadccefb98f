"""What the forms of several admins share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.forms import Textarea


class CompactText(BaseModelAdmin):
    """Text areas as high as what they usually hold, not ten lines each."""

    # Field -> lines; every other text area has TEXT_ROWS.
    text_rows: dict[str, int] = {}
    TEXT_ROWS = 3

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Set the height."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, Textarea):
            rows = self.text_rows.get(db_field.name, self.TEXT_ROWS)
            field.widget.attrs["rows"] = rows
        return field


class CompactModelAdmin(CompactText, admin.ModelAdmin):
    """A ``ModelAdmin`` with compact text areas."""


class CompactStackedInline(CompactText, admin.StackedInline):
    """A ``StackedInline`` with compact text areas."""
