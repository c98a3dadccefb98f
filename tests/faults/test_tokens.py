"""A token works once, whichever process it is shown to."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from websockets.exceptions import ConnectionClosed

from realtime_widget.engine.scripted.dialogue import quote
from tests.app.pages import ask, socket_of
from tests.servers import RunningServer

PATH = "/realtime/ws/support/"


async def test_token_spent_in_one_process_is_refused_in_another(pair, balancer):
    site = RunningServer("both", balancer.port)
    first, second = pair
    balancer.point_at(first.port)
    token = (await ask(site)).json()["token"]
    async with socket_of(site, PATH, token) as page:
        await page.start(language="en")
        balancer.point_at(second.port)
        async with socket_of(site, PATH, token) as thief:
            _messages, error, code = await thief.ended()
        assert (error, code) == ("token", 4401)
        assert await page.say("Hello") == quote("Hello")


async def test_token_shown_to_two_processes_at_once_opens_one_session(pair, balancer):
    site = RunningServer("both", balancer.port)
    balancer.point_at(pair[0].port)
    token = (await ask(site)).json()["token"]

    async def shown(page):
        with suppress(ConnectionClosed):
            await page.send("session.start", language="en")
            await page.send("session.stop")
        return (await page.ended())[2]

    async with socket_of(site, PATH, token) as one:
        balancer.point_at(pair[1].port)
        async with socket_of(site, PATH, token) as other:
            codes = await asyncio.gather(shown(one), shown(other))
    assert sorted(codes) == [1000, 4401]
