from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from realtime_widget.models import Conversation, Item
from tests.app.pages import open_page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_sessions_left"),
]


async def ended_conversation():
    """Return the only conversation, once its record is closed."""

    def look():
        import time

        until_s = time.monotonic() + 10
        while time.monotonic() < until_s:
            row = Conversation.objects.filter(status="ended").first()
            if row is not None:
                return row
            time.sleep(0.02)
        raise AssertionError("no conversation ended")

    return await sync_to_async(look)()


@pytest.fixture(params=["daphne", "uvicorn"])
def server(request, asgi_server):
    if request.param == "daphne":
        return asgi_server
    return request.getfixturevalue("uvicorn_server")


async def test_visitor_types_and_is_answered_and_all_is_recorded(widget, server):
    async with open_page(server) as page:
        started = await page.start(language="en")
        assert started["agent"] == "Ada"
        assert started["audio"] == {"format": "pcm16", "rate_hz": 24000}
        assert await page.say("Hello there") == "You: Hello there"
        await page.send("session.stop")
        messages, error, code = await page.ended()
    assert (messages[-1]["type"], messages[-1]["reason"]) == ("session.stopped", "user")
    assert (error, code) == ("", 1000)
    conversation = await ended_conversation()
    assert (conversation.reason, conversation.error_code) == ("user", "")
    assert conversation.origin == server.url
    items = [(item.role, item.text) async for item in Item.objects.all()]
    assert items == [("user", "Hello there"), ("assistant", "You: Hello there")]
