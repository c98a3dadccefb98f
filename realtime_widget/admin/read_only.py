"""Rows that nobody adds or changes in the admin: what was written down stays as it is."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.http import HttpRequest


class ReadOnly(BaseModelAdmin):
    """For a ``ModelAdmin`` or an inline of rows that the software writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: only the software writes these."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: a changed record is none."""
        return False


def is_deleted_with(request: HttpRequest, *owners: str) -> bool:
    """Return whether this asks about rows that go with what they belong to.

    Args:
        request: Of a page of the admin.
        owners: Models in lower case, without the app.
    """
    match = request.resolver_match
    name = (match.url_name if match else "") or ""
    return any(f"_{owner}_" in name for owner in owners)
