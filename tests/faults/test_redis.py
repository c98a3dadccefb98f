"""Redis is cut off, killed or hangs in the middle of calls; ending a call from elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import redis as redis_client
from channels_redis.pubsub import RedisPubSubChannelLayer

from realtime_widget.consumers import session_group
from realtime_widget.engine.scripted.dialogue import quote
from realtime_widget.models import Conversation
from tests.app.pages import open_page
from tests.app.rows import until
from tests.faults.machines import HOST


@pytest.fixture(scope="module")
def network(redis, proxies):
    """Return the network between the servers and Redis."""
    return proxies(redis.port)


@pytest.fixture(scope="module")
def surroundings(surroundings, network):
    """Return surroundings with Redis behind a network of ours."""
    url = f"redis://{HOST}:{network.port}"
    return replace(surroundings, cache=f"{url}/0", layer=f"{url}/1")


@pytest.fixture
def away(request, redis, network):
    """Return how Redis goes away and how it comes back."""
    faults = {
        "cut off": (network.cut, network.resume),
        "killed": (redis.kill, redis.start),
        "hanging": (network.stall, network.resume),
    }
    return faults[request.param]


def listened_to(redis, started):
    """Tell whether a call hears what is sent to its group."""
    name = f"asgi__group__{session_group(started['session_id'])}"
    with redis_client.Redis(HOST, redis.port) as client:
        ((_name, listeners),) = client.pubsub_numsub(name)
    return listeners == 1


async def end(redis, started, reason):
    """End a call from this process, once it listens."""
    await until(lambda: listened_to(redis, started))
    layer = RedisPubSubChannelLayer(hosts=[f"redis://{HOST}:{redis.port}/1"])
    try:
        await layer.group_send(
            session_group(started["session_id"]),
            {"type": "session.end", "reason": reason},
        )
    finally:
        await layer.flush()


def ended(started):
    return Conversation.objects.filter(pk=started["session_id"], status="ended").first()


@pytest.mark.parametrize(
    ("reason", "error", "code"),
    [("quota", "limit", 4429), ("replaced", "replaced", 4409), ("user", "", 1000)],
)
async def test_call_is_ended_from_another_process(pair, redis, reason, error, code):
    async with open_page(pair[0]) as page, open_page(pair[1]) as canary:
        started = await page.start(language="en")
        await canary.start(language="en")
        await end(redis, started, reason)
        assert (await page.ended())[1:] == (error, code)
        assert await canary.say("Still there?") == quote("Still there?")
    conversation = await until(lambda: ended(started))
    assert (conversation.reason, conversation.error_code) == (reason, error)


@pytest.mark.parametrize("away", ["cut off", "killed", "hanging"], indirect=True)
async def test_calls_go_on_without_redis_and_new_ones_open(pair, redis, away):
    leave, come_back = away
    async with open_page(pair[0]) as one, open_page(pair[1]) as two:
        pages = {
            one: await one.start(language="en"),
            two: await two.start(language="en"),
        }
        for started in pages.values():
            await until(lambda started=started: listened_to(redis, started))
        await asyncio.to_thread(leave)
        for page in pages:
            assert await page.say("Without it") == quote("Without it")
        async with open_page(pair[0]) as third, open_page(pair[1]) as fourth:
            for page in (third, fourth):
                pages[page] = await page.start(language="en")
                assert await page.say("Opened meanwhile") == quote("Opened meanwhile")
            # No balancer is to take the processes away, and an operator is to know.
            health = await asyncio.to_thread(pair[0].health)
            assert (health.status_code, health.json()["status"]) == (200, "degraded")
            await asyncio.to_thread(come_back)
            for page, started in pages.items():
                await end(redis, started, "quota")
                assert (await page.ended())[1:] == ("limit", 4429)
    # The new ones did ask it, and did not take its silence for an answer.
    for server in pair:
        assert "Cache unavailable" in server.said()
    for started in pages.values():
        assert (await until(lambda started=started: ended(started))).reason == "quota"
