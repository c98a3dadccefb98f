"""Rows that tests of the server start from."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client

from realtime_widget.models import Agent, Conversation, Provider, Tool, Widget


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


@sync_to_async
def signed_in(user: Any) -> str:
    """Return the cookie of a signed-in user."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


@sync_to_async
def until(condition: Callable[[], Any], within_s: float = 15.0) -> Any:
    """Return what the condition gives once it is true; watched from a thread."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


async def ended_conversation() -> Conversation:
    """Return the only conversation, once the server has closed its record."""
    ended = Conversation.objects.filter(status="ended")
    return await until(lambda: ended.all().first())
