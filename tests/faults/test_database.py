"""PostgreSQL stops, hangs and comes back in the middle of calls."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connections

from realtime_widget.engine.scripted.dialogue import quote
from realtime_widget.models import Conversation, Item, ToolCall, Usage
from tests.app.pages import ask, open_page, socket_of
from tests.app.rows import signed_in, until
from tests.faults.conftest import ALIAS, database_on

PATH = "/realtime/ws/support/"


@pytest.fixture(scope="module")
def network(postgres, proxies):
    """Return the network between the servers and PostgreSQL."""
    return proxies(postgres.port)


@pytest.fixture(scope="module")
def surroundings(surroundings, network):
    """Return surroundings with PostgreSQL behind a network of ours."""
    return replace(surroundings, database=database_on(network.port))


@pytest.fixture
def away(request, postgres, network):
    """Return how the database goes away and how it comes back."""
    if request.param == "stopped":
        yield postgres.stop, postgres.start
    else:
        yield network.stall, network.resume


@sync_to_async
def forget_connections():
    """Close what this process has open to a server that was stopped."""
    connections[ALIAS].close()


def ended(started):
    return Conversation.objects.filter(pk=started["session_id"], status="ended").first()


@sync_to_async
def kept(started):
    """Return everything that was written down about a call."""
    of_call = {"conversation": started["session_id"]}
    items = Item.objects.filter(**of_call).values_list("text", flat=True)
    calls = ToolCall.objects.filter(**of_call).values_list("name", "status")
    return list(items), list(calls), Usage.objects.filter(**of_call).count()


async def use_a_tool(page):
    await page.send("message", text='opening_hours {"day": "monday"}')
    assert (await page.expect("tool.finished"))["status"] == "completed"
    while True:
        message = await page.expect("transcript")
        if message["role"] == "assistant" and message["final"]:
            return message["text"]


@pytest.mark.parametrize("away", ["stopped", "hanging"], indirect=True)
async def test_calls_go_on_and_nothing_of_them_is_lost(pair, away):
    leave, come_back = away
    cookie = await signed_in(await sync_to_async(visitor)())
    tokens = [(await ask(server, cookie=cookie)).json()["token"] for server in pair]
    async with open_page(pair[0]) as one, open_page(pair[1]) as two:
        pages = {
            one: await one.start(language="en"),
            two: await two.start(language="en"),
        }
        for page in pages:
            await page.say("Before")
        await asyncio.to_thread(leave)
        for page in pages:
            assert await page.say("While it is away") == quote("While it is away")
        answers = [await use_a_tool(page) for page in pages]
        for server, token in zip(pair, tokens, strict=True):
            await refused(server, token, cookie)
        health = await asyncio.to_thread(pair[0].health)
        assert (health.status_code, health.json()["status"]) == (503, "failing")
        for page in pages:
            assert await page.say("Still away") == quote("Still away")
        await asyncio.to_thread(come_back)
        await forget_connections()
        for page in pages:
            await page.send("session.stop")
            assert (await page.ended())[2] == 1000
    for started, answer in zip(pages.values(), answers, strict=True):
        conversation = await until(lambda started=started: ended(started))
        assert (conversation.reason, conversation.error_code) == ("user", "")
        items, calls, usages = await kept(started)
        assert items == [
            *("Before", quote("Before")),
            *("While it is away", quote("While it is away")),
            *('opening_hours {"day": "monday"}', answer),
            *("Still away", quote("Still away")),
        ]
        assert calls == [("opening_hours", "completed")]
        assert usages == 5
    for server in pair:
        async with open_page(server) as page:
            await page.start(language="en")
            assert await page.say("Back again") == quote("Back again")


def visitor():
    return User.objects.get_or_create(username="ann")[0]


async def refused(server, token, cookie):
    """Try to open a call without a database: the page is told."""
    async with socket_of(server, PATH, token, cookie=cookie) as late:
        _messages, error, code = await late.ended()
    assert (error, code) == ("internal", 4500)
