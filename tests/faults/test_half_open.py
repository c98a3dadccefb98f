"""The visitors' network falls silent without a word: no FIN, no RST, nothing."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack

from realtime_widget.engine.scripted.dialogue import quote
from realtime_widget.models import Conversation
from tests.app.pages import open_page
from tests.app.rows import until
from tests.servers import RunningServer

CALLS = 4
# Pings of these servers find it within 5 s; a call may then be kept for its visitor.
GONE_S = 60
SPARE = 5


def held(server):
    """Return how many threads and open files a process has."""
    process = f"/proc/{server.process.pid}"
    return [len(os.listdir(f"{process}/{what}")) for what in ("task", "fd")]


async def gone_silent(server, network):
    visitors = RunningServer(server.name, network.port)
    async with AsyncExitStack() as stack:
        pages = [
            await stack.enter_async_context(open_page(visitors)) for _ in range(CALLS)
        ]
        keys = [(await page.start(language="en"))["session_id"] for page in pages]
        for page in pages:
            await page.send("message", text="count slowly")
            await page.expect("transcript")
        await asyncio.to_thread(network.stall)
        ended = Conversation.objects.filter(pk__in=keys, status="ended")
        await until(lambda: ended.count() == CALLS, GONE_S)
        await asyncio.to_thread(network.cut)
    await asyncio.to_thread(network.resume)


async def test_silent_network_ends_its_calls_and_leaves_nothing_behind(launch, proxies):
    servers = launch("daphne, quick pings", "uvicorn, quick pings")

    async def one(server):
        network = proxies(server.port)
        async with open_page(server) as canary:
            await canary.start(language="en")
            before = held(server)
            await gone_silent(server, network)
            assert await canary.say("Still there?") == quote("Still there?")
            await until(
                lambda: all(
                    now <= then + SPARE
                    for now, then in zip(held(server), before, strict=True)
                )
            )

    await asyncio.gather(*(one(server) for server in servers))
