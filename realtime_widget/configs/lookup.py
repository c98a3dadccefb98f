"""Finding the widget a page or a visitor names."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from realtime_widget.models import Widget


def widgets_on(site: Any) -> QuerySet[Widget]:
    """Return the widgets that may be shown on a site.

    Args:
        site: A ``Site``, or None when there is none: then only widgets that are not
            bound to sites.
    """
    bound = Widget.sites.through.objects.filter(widget=OuterRef("pk"))
    on_site = Q(~Exists(bound))
    if getattr(site, "pk", None) is not None:
        on_site |= Q(Exists(bound.filter(site=site.pk)))
    return Widget.objects.filter(on_site, enabled=True)


def find_widget(slug: str, site: Any = None) -> Widget | None:
    """Return the enabled widget of that name on that site, in one query.

    Everything a session's or a page's configuration reads is loaded with it, but
    for tools and buttons.
    """
    return (
        widgets_on(site)
        .select_related("agent", "provider", "avatar", "buttons")
        .filter(slug=slug)
        .first()
    )
