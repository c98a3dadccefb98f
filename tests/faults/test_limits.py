"""Limits count in all processes that share a cache, and survive each of them."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from django.core.cache import cache, caches

from realtime_widget.engine.scripted.dialogue import quote
from realtime_widget.exceptions import AdmissionRefused
from realtime_widget.models import Conversation
from realtime_widget.quotas import SessionCounters, SharedPlaces
from tests.app.pages import ask, open_page, socket_of
from tests.app.rows import until
from tests.faults.machines import HOST
from tests.servers import RunningServer

PATH = "/realtime/ws/support/"
LIMIT = 3
# Short, so that the places of a dead process are soon free again.
HEARTBEAT_S = 0.4


@pytest.fixture(scope="module")
def surroundings(surroundings):
    """Return surroundings in which a widget has few places."""
    widget = {"SESSIONS_PER_WIDGET": LIMIT, "HEARTBEAT_S": HEARTBEAT_S}
    # A database of its own, so that other modules' calls are not counted.
    return replace(surroundings, cache=surroundings.cache[:-1] + "2", widget=widget)


@pytest.fixture
def shared(settings, redis):
    """Let this process share a cache of its own with nobody else."""
    settings.REALTIME_WIDGET = {"HEARTBEAT_S": HEARTBEAT_S}
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://{HOST}:{redis.port}/3",
        }
    }
    yield
    caches["default"].clear()
    caches["default"].close()


async def taken(places, limits):
    """Return a lease, None if there was no place."""
    lease = SessionCounters().acquire(limits)
    try:
        await places.take(lease)
    except AdmissionRefused:
        return None
    return lease


async def test_so_many_get_a_place_and_no_more(shared):
    processes = [SharedPlaces(), SharedPlaces()]
    wanted = [taken(processes[n % 2], {"widget:a": 10}) for n in range(40)]
    leases = [lease for lease in await asyncio.gather(*wanted) if lease]
    assert len(leases) == 10
    assert await taken(processes[0], {"widget:b": 1})
    for process in processes:
        for lease in leases:
            await process.give_back(lease)
    assert await taken(processes[0], {"widget:a": 10})


class SlowCache:
    """The cache of the settings, which takes its time to answer."""

    def __getattr__(self, name):
        return getattr(cache, name)

    def get_many(self, keys):
        time.sleep(0.1)
        return cache.get_many(keys)


async def test_limit_holds_while_the_cache_is_busy(shared, settings, monkeypatch):
    # Places outlast the rush, however slow the machine is.
    settings.REALTIME_WIDGET = {"HEARTBEAT_S": 60}
    module = sys.modules["realtime_widget.quotas.places"]
    monkeypatch.setattr(module, "cache", SlowCache())
    process = SharedPlaces()
    # The last of these waits longer than for a cache that is away.
    wanted = [taken(process, {"widget:a": 10}) for _ in range(60)]
    leases = [lease for lease in await asyncio.gather(*wanted) if lease]
    assert len(leases) == 10


async def test_place_is_taken_under_every_key_or_none(shared):
    one, other = SharedPlaces(), SharedPlaces()
    assert await taken(one, {"user:7": 1, "process": 1})
    assert await taken(other, {"widget:a": 1, "user:7": 1}) is None
    assert await taken(other, {"widget:a": 1, "process": 1})


async def test_places_of_a_living_process_are_kept_and_of_a_dead_one_freed(shared):
    living, dead = SharedPlaces(), SharedPlaces()
    limits = {"widget:a": 2}
    kept = await taken(living, limits)
    await taken(dead, limits)
    dead._task.cancel()
    third = None
    async with asyncio.timeout(10):
        while third is None:
            await asyncio.sleep(0.05)
            third = await taken(living, limits)
    # Longer than a place lasts by itself, and the first is still held.
    assert await taken(living, limits) is None
    await living.give_back(kept)
    assert await taken(living, limits)


async def test_limit_holds_over_processes_that_come_and_go(launch):
    dying, living = launch("daphne", "uvicorn")
    async with AsyncExitStack() as stack:
        tokens = [(await ask(living)).json()["token"] for _ in range(2)]
        pages = []
        for server in (dying, living, dying):
            pages.append(await stack.enter_async_context(open_page(server)))
            await pages[-1].start(language="en")
        refused = await ask(living)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "limit")
        async with socket_of(living, PATH, tokens[0]) as late:
            await late.send("session.start", language="en")
            assert (await late.ended())[1:] == ("limit", 4429)
        await pages[0].send("session.stop")
        assert (await pages[0].ended())[2] == 1000
        async with socket_of(living, PATH, tokens[1]) as next_one:
            await next_one.start(language="en")
            assert (await ask(living)).status_code == 429
            await asyncio.to_thread(dying.kill)
            # The dead one held a place, which nobody gives back.
            again = await until(lambda: place(living))
            assert again.status_code == 200
            assert await pages[1].say("Still there?") == quote("Still there?")


async def test_place_of_a_lost_page_is_its_own_in_whatever_process(launch, balancer):
    losing, other = launch("daphne", "uvicorn")
    site = RunningServer("site", balancer.port)
    balancer.point_at(losing.port)
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(open_page(site))
        first = await page.start(language="en")
        await page.say("My bicycle is green")
        for _ in range(LIMIT - 1):
            one = await stack.enter_async_context(open_page(other))
            await one.start(language="en")
        page.socket.transport.abort()
        assert (await ask(other)).status_code == 429
        balancer.point_at(other.port)
        token = first["resume"]
        async with open_page(site, resume=token) as again:
            second = await again.start(language="en", resume=token)
            assert second["resumed"] is True
            assert second["session_id"] != first["session_id"]
            assert second["history"][0]["text"] == "My bicycle is green"
            assert (await ask(other)).status_code == 429
    replaced = Conversation.objects.filter(pk=first["session_id"])
    await until(lambda: replaced.filter(reason="replaced").exists())


def place(server):
    """Ask for a place; None while there is none."""
    answer = asyncio.run(ask(server))
    return answer if answer.status_code == 200 else None
