"""A process has no file descriptor left: its calls go on, and nobody else gets in."""

from __future__ import annotations

import asyncio
import os
import resource
from contextlib import contextmanager

import httpx
import pytest
from asgiref.sync import sync_to_async
from websockets.exceptions import WebSocketException

from realtime_widget.engine.scripted.dialogue import quote
from realtime_widget.models import Conversation, Item
from tests.app.pages import ask, open_page
from tests.app.rows import until

REFUSED_S = 5


@contextmanager
def none_left(server):
    """Let a process open nothing more while the block runs."""
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    lowest_free = len(os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(8, lowest_free), before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


async def opens(server):
    """Tell whether somebody new gets in, soon."""
    try:
        async with asyncio.timeout(REFUSED_S):
            return (await ask(server)).status_code == 200
    except (OSError, httpx.HTTPError, WebSocketException, TimeoutError):
        return False


@sync_to_async
def said(started):
    items = Item.objects.filter(conversation=started["session_id"])
    return list(items.values_list("text", flat=True))


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_running_calls_go_on_without_descriptors_and_lose_nothing(launch, kind):
    (server,) = launch(kind)
    async with open_page(server) as page:
        started = await page.start(language="en")
        await page.say("Before")
        with none_left(server):
            assert not await opens(server)
            assert await page.say("With none left") == quote("With none left")
        async with asyncio.timeout(30):
            while not await opens(server):
                assert server.process.poll() is None
        async with open_page(server) as other:
            await other.start(language="en")
            assert await other.say("Hello") == quote("Hello")
        await page.send("session.stop")
        assert (await page.ended())[2] == 1000
    ended = Conversation.objects.filter(pk=started["session_id"], status="ended")
    await until(lambda: ended.count())
    words = ["Before", "With none left"]
    assert await said(started) == [
        text for word in words for text in (word, quote(word))
    ]
