"""The tag for Jinja2: ``{{ realtime_widget("support") }}``.

Put it into the environment that the site's settings name::

    from realtime_widget.jinja import realtime_widget

    def environment(**options):
        env = Environment(**options)
        env.globals["realtime_widget"] = realtime_widget
        return env

A site without an environment of its own can name ``realtime_widget.jinja.environment``.
"""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from realtime_widget.rendering import page_nonce, render_widget


@pass_context
def realtime_widget(context: Context, slug: str, *, script: bool | None = None) -> str:
    """Return the HTML of a widget; see ``realtime_widget.rendering.render_widget``."""
    request = context.get("request")
    nonce = page_nonce(context.get("csp_nonce"), request)
    return render_widget(slug, request=request, nonce=nonce, script=script)


def environment(**options: Any) -> Environment:
    """Return a Jinja2 environment that knows the tag."""
    env = Environment(**options)  # noqa: S701 - Django passes autoescape=True
    env.globals["realtime_widget"] = realtime_widget
    return env
