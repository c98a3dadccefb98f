"""The visitors' network breaks: their calls end, and nothing of them is left."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async

from realtime_widget.engine.scripted.dialogue import quote
from realtime_widget.models import Conversation
from tests.app.pages import open_page
from tests.app.rows import until
from tests.servers import RunningServer

CALLS = 12
# A call is kept so long for its visitor.
KEEP_S = 2.0
ROUNDS = 3
# Pools that are not full yet may grow; one for each call would be many more.
SPARE = 5
SPARE_MIB = 16


@pytest.fixture(scope="module")
def surroundings(surroundings):
    """Return surroundings in which nobody waits long for a visitor."""
    return replace(surroundings, widget={"KEEP_UPSTREAM_S": KEEP_S})


@pytest.fixture(params=[0, 1], ids=["daphne", "uvicorn"])
def server(request, pair):
    return pair[request.param]


def threads_and_files(server):
    """Return what the process holds of the system."""
    process = f"/proc/{server.process.pid}"
    return len(os.listdir(f"{process}/task")), len(os.listdir(f"{process}/fd"))


def rss_mib(server):
    """Return the process's resident memory."""
    with open(f"/proc/{server.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def cut_calls(server, network):
    """Open calls through the network, break it in the middle of their answers."""
    visitors = RunningServer(server.name, network.port)
    async with AsyncExitStack() as stack:
        pages = [
            await stack.enter_async_context(open_page(visitors)) for _ in range(CALLS)
        ]
        started = [await page.start(language="en") for page in pages]
        for page in pages:
            await page.send("message", text="count slowly")
            await page.expect("transcript")
        await asyncio.to_thread(network.cut)
        codes = {(await page.ended())[2] for page in pages}
    await asyncio.to_thread(network.resume)
    assert codes == {1006}
    keys = [each["session_id"] for each in started]
    ended = Conversation.objects.filter(pk__in=keys, status="ended")
    await until(lambda: ended.count() == CALLS)
    return await sync_to_async(lambda: set(ended.values_list("reason", flat=True)))()


async def test_cut_calls_end_and_leave_nothing_behind(server, proxies):
    network = proxies(server.port)
    async with open_page(server) as canary:
        await canary.start(language="en")
        assert await cut_calls(server, network) == {"user"}
        held = threads_and_files(server)
        memory_mib = rss_mib(server)
        for _ in range(ROUNDS - 1):
            await cut_calls(server, network)
            assert await canary.say("Still there?") == quote("Still there?")
        await until(
            lambda: all(
                now <= before + SPARE
                for now, before in zip(threads_and_files(server), held, strict=True)
            )
        )
    assert rss_mib(server) - memory_mib < SPARE_MIB
