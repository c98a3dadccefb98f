"""What one call may cost: a page that reads nothing, a model that sends without end."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async

from realtime_widget.models import Conversation, Provider
from tests.app.pages import open_page
from tests.app.rows import make_widget, until
from tests.faults.hostile import hostile_server
from tests.faults.machines import HOST, free_port

CALLS = 24
MOST_MIB = 3.0
STALLED_S = 15
# On a busy machine the server's own pings may find out first that nobody reads.
DEAF = {"idle", "user"}
# Of an event of 20 MiB so much at most: twice the bound, and what a parser copies.
HUGE_MIB = 16


@pytest.fixture(scope="module")
def hostile():
    """Run the hostile model; return its port."""
    port = free_port()
    with hostile_server(port):
        yield port


@pytest.fixture(scope="module")
def surroundings(surroundings, hostile):
    """Return surroundings whose calls reach the hostile model."""
    widget = {"UPSTREAM_HOSTS": [f"{HOST}:{hostile}"], "STALLED_BROWSER_S": STALLED_S}
    return replace(surroundings, widget=widget)


@pytest.fixture(scope="module")
def hostile_widget(own_rows, hostile):
    """Return a widget with a voice, of the hostile model."""
    provider = Provider.objects.create(
        name="Hostile",
        kind=Provider.Kind.COMPATIBLE,
        base_url=f"http://{HOST}:{hostile}/v1",
    )
    return make_widget("hostile", provider=provider, text_box=True, tools=["blocked"])


def rss_mib(server, *, peak=False):
    """Return the resident memory of a process, or its peak since ``forget_peak``."""
    with open(f"/proc/{server.process.pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["VmHWM" if peak else "VmRSS"].split()[0]) / 1024


def forget_peak(server):
    with open(f"/proc/{server.process.pid}/clear_refs", "w") as refs:
        refs.write("5")


async def deaf_calls(server, calls, text):
    """Open calls that say something and read nothing more; return how they ended."""
    async with AsyncExitStack() as stack:
        pages, keys = [], []
        for _ in range(calls):
            page = await stack.enter_async_context(open_page(server, "hostile"))
            keys.append((await page.start())["session_id"])
            pages.append(page)
        for page in pages:
            await page.send("message", text=text)
            page.socket.transport.pause_reading()
        ended = Conversation.objects.filter(pk__in=keys, status="ended")
        await until(lambda: ended.count() == calls, STALLED_S + 90)
        for page in pages:
            # It reads nothing, so it would never see that it was closed.
            page.socket.transport.abort()
        return await sync_to_async(
            lambda: set(ended.values_list("reason", flat=True))
        )()


async def assert_bounded(server):
    assert await deaf_calls(server, 2, "everything") <= DEAF
    before_mib = rss_mib(server)
    forget_peak(server)
    async with open_page(server, "hostile") as canary:
        await canary.start(text_only=True)
        ending = asyncio.create_task(deaf_calls(server, CALLS, "everything"))
        while not ending.done():
            assert await canary.say("Still there?") == "You: Still there?"
            # One who types that fast would be slowed down himself.
            await asyncio.wait([ending], timeout=2.5)
        assert await ending <= DEAF
        assert rss_mib(server, peak=True) - before_mib < CALLS * MOST_MIB


async def test_deaf_pages_and_models_without_end_cost_a_call_at_most_3_mib(
    pair, hostile_widget
):
    await asyncio.gather(*(assert_bounded(server) for server in pair))


async def assert_refused(server):
    async with (
        open_page(server, "hostile") as canary,
        open_page(server, "hostile") as page,
    ):
        await canary.start(text_only=True)
        await page.start(text_only=True)
        assert await page.say("Hello") == "You: Hello"
        before_mib = rss_mib(server)
        forget_peak(server)
        await page.send("message", text="huge 20")
        stopped = await page.expect("session.stopped")
        assert stopped["reason"] == "upstream"
        assert await canary.say("Still there?") == "You: Still there?"
        assert rss_mib(server, peak=True) - before_mib < HUGE_MIB


async def test_event_beyond_the_bound_is_refused_before_it_is_in_memory(
    pair, hostile_widget
):
    for server in pair:
        await assert_refused(server)
