"""A process goes away under a call, politely or not: the visitor goes on in another one."""

from __future__ import annotations

import asyncio

import pytest

from realtime_widget.engine.scripted.dialogue import quote
from realtime_widget.models import Conversation, Item
from tests.app.pages import open_page
from tests.app.rows import until
from tests.servers import RunningServer

WORDS = "My bicycle is green"


def written(*calls):
    """Return what is recorded of these sessions, in order."""
    keys = [call["session_id"] for call in calls]
    items = Item.objects.filter(conversation__in=keys)
    order = ("conversation__started_at", "position")
    return list(items.order_by(*order).values_list("text", flat=True))


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
@pytest.mark.parametrize("how", ["terminate", "kill"])
async def test_conversation_goes_on_in_another_process(launch, balancer, kind, how):
    going, staying = launch(kind, "uvicorn")
    site = RunningServer("site", balancer.port)
    balancer.point_at(going.port)
    async with open_page(staying) as canary:
        await canary.start(language="en")
        async with open_page(site) as page:
            first = await page.start(language="en")
            await page.say(WORDS)
            await until(lambda: len(written(first)) == 2)
            balancer.point_at(staying.port)
            await asyncio.to_thread(getattr(going, how))
            code = (await page.ended())[2]
        assert code == (4503 if how == "terminate" else 1006)
        async with open_page(site) as page:
            second = await page.start(language="en", resume=first["resume"])
            assert second["resumed"] is True
            said = [one["text"] for one in second["history"]]
            assert said == [WORDS, quote(WORDS)]
            assert await page.say("And my bell?") == quote("And my bell?")
            assert await canary.say("Still there?") == quote("Still there?")
            await page.send("session.stop")
            assert (await page.ended())[2] == 1000
    await asyncio.to_thread(going.wait)
    ended = Conversation.objects.filter(pk=second["session_id"], status="ended")
    await until(ended.count)
    again = ("And my bell?", quote("And my bell?"))
    everything = [WORDS, quote(WORDS), *again]
    assert await until(lambda: written(first, second) == everything)


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_call_goes_on_where_it_was_when_the_network_is_back(
    launch, proxies, kind
):
    (server,) = launch(kind)
    network = proxies(server.port)
    visitors = RunningServer(server.name, network.port)
    async with open_page(server) as canary:
        await canary.start(language="en")
        async with open_page(visitors) as page:
            first = await page.start(language="en")
            await page.say(WORDS)
            await page.send("message", text="count slowly")
            await page.expect("transcript")
            await asyncio.to_thread(network.cut)
            assert (await page.ended())[2] == 1006
        await asyncio.to_thread(network.resume)
        token = first["resume"]
        async with open_page(visitors, resume=token) as page:
            again = await page.start(language="en", resume=token)
            assert again["session_id"] == first["session_id"]
            said = [one["text"] for one in again["history"]]
            assert said[:2] == [WORDS, quote(WORDS)]
            await page.send("session.stop")
            assert (await page.ended())[2] == 1000
        assert await canary.say("Still there?") == quote("Still there?")
    record = Conversation.objects.filter(pk=first["session_id"], status="ended")
    await until(record.count)
    assert (await record.aget()).reason == "user"
    await asyncio.to_thread(server.assert_nothing_left)
