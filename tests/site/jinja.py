"""The Jinja2 environment of the test site."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment

from realtime_widget.jinja import realtime_widget


def environment(**options: Any) -> Environment:
    """Return an environment that knows the widget's tag."""
    env = Environment(**options)
    env.globals["realtime_widget"] = realtime_widget
    return env
