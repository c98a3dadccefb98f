"""What the forms of several admins share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.db import models
from django.forms import DecimalField, Textarea


def without_zeros(value: Any) -> Any:
    """Return a decimal as it would be written, without the zeros at its end."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class PlainDecimalField(DecimalField):
    """A number with as many places as it needs, not as many as it may have."""

    def prepare_value(self, value: Any) -> Any:
        """Return what the form shows."""
        return without_zeros(value)


PLAIN_DECIMALS: Final[dict[type[models.Field[Any, Any]], dict[str, Any]]] = {
    models.DecimalField: {"form_class": PlainDecimalField}
}


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
