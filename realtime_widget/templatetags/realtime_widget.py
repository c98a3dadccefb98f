"""The tag for Django templates: ``{% realtime_widget "support" %}``."""

from __future__ import annotations

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from realtime_widget.rendering import page_nonce, render_widget

register = template.Library()


@register.simple_tag(takes_context=True)
def realtime_widget(
    context: Context, slug: str, *, script: bool | None = None
) -> SafeString:
    """Return the HTML of a widget; see ``realtime_widget.rendering.render_widget``."""
    request = context.get("request")
    nonce = page_nonce(context.get("csp_nonce"), request)
    return render_widget(slug, request=request, nonce=nonce, script=script)
