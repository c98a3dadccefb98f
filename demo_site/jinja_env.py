"""The Jinja2 environment of the demo's pages."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages
from django.template.defaultfilters import date
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment

from realtime_widget.jinja import realtime_widget


def environment(**options: Any) -> Environment:
    """Return an environment that knows the widget's tag and Django's addresses."""
    env = Environment(**options)  # noqa: S701 - Django passes autoescape=True
    env.globals.update(
        get_messages=get_messages,
        realtime_widget=realtime_widget,
        static=static,
        url=reverse,
    )
    env.filters["date"] = date
    return env
