"""Rows that tests of the server start from."""

from __future__ import annotations

from typing import Any

from realtime_widget.models import Agent, Provider, Tool, Widget


def make_widget(slug: str = "support", **fields: Any) -> Widget:
    """Return a saved widget with an agent and the embedded engine.

    Args:
        slug: Its slug.
        fields: Of the widget; ``tools`` (names) go to its agent.
    """
    tools = fields.pop("tools", ())
    agent, _ = Agent.objects.get_or_create(
        name="Ada", defaults={"instructions": "Be brief."}
    )
    provider, _ = Provider.objects.get_or_create(name="Embedded", kind="local")
    for name in tools:
        agent.tools.add(Tool.objects.get_or_create(name=name)[0])
    fields = {"agent": agent, "provider": provider, "title": "Help", **fields}
    return Widget.objects.create(slug=slug, **fields)
