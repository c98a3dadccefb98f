"""A page that is lost comes back to the call that was kept for it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from realtime_widget import quotas
from realtime_widget.models import Conversation, Item, ToolCall
from realtime_widget.protocol.browser import GIVEN_UP
from realtime_widget.signals import session_stopped
from tests.app.pages import ask, open_page
from tests.app.rows import ended_conversation, make_widget, signed_in, until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_sessions_left"),
]


@pytest.fixture
def stops():
    """Return the reasons that the site is told, as they come."""
    reasons = []

    def note(reason, **_):
        reasons.append(reason)

    session_stopped.connect(note)
    yield reasons
    session_stopped.disconnect(note)


async def lost_call(server, text="My name is Ann", *, cookie="", **fields):
    """Begin a call whose network then breaks; return what it began with."""
    async with open_page(server, cookie=cookie) as page:
        started = await page.start(**fields)
        await page.say(text)
        page.socket.transport.abort()
    return started


@asynccontextmanager
async def returned(server, first, *, cookie="", **fields):
    """Come back to a call; give the page and what it was told."""
    token = first["resume"]
    async with open_page(server, cookie=cookie, resume=token) as page:
        yield page, await page.start(resume=token, **fields)


async def stop(page):
    await page.send("session.stop")
    assert (await page.ended())[2] == 1000


async def test_a_lost_page_comes_back_to_the_same_connection(
    widget, models, server, stops
):
    first = await lost_call(server, text_only=True)
    async with returned(server, first, text_only=True) as (page, again):
        assert again["resumed"] is True
        assert again["session_id"] == first["session_id"]
        said = [(one["role"], one["text"]) for one in again["history"]]
        assert said == [
            ("user", "My name is Ann"),
            ("assistant", "You: My name is Ann"),
        ]
        assert await page.say("And I am back") == "You: And I am back"
        assert quotas.counters.running() == 1
        await stop(page)
    await until(lambda: stops)
    assert len(models) == 1
    conversation = await Conversation.objects.aget()
    assert (conversation.status, conversation.reason) == ("ended", "user")
    words = [item.text async for item in Item.objects.order_by("position")]
    assert words == [
        "My name is Ann",
        "You: My name is Ann",
        "And I am back",
        "You: And I am back",
    ]
    assert stops == ["user"]


async def test_it_may_be_lost_and_come_back_again_and_again(widget, models, server):
    first = await lost_call(server)
    for number in range(4):
        async with returned(server, first) as (page, again):
            assert again["session_id"] == first["session_id"]
            assert len(again["history"]) == 2 * (number + 1)
            await page.say(f"{number}")
            page.socket.transport.abort()
    async with returned(server, first) as (page, again):
        assert again["history"][-1]["text"] == "You: 3"
        await stop(page)
    assert len(models) == 1


async def test_nobody_comes_back_in_time(widget, models, server, settings, stops):
    settings.REALTIME_WIDGET = {"KEEP_UPSTREAM_S": 0.5}
    first = await lost_call(server)
    await until(lambda: stops)
    assert stops == ["user"]
    assert models[0].closed == 1
    assert quotas.counters.running() == 0
    async with returned(server, first) as (page, again):
        assert again["resumed"] is True
        assert again["session_id"] != first["session_id"]
        assert again["history"][0] == {"role": "user", "text": "My name is Ann"}
        await stop(page)
    assert len(models) == 2


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_page_that_says_goodbye_is_not_waited_for(
    widget, models, server, stops, code
):
    async with open_page(server) as page:
        await page.start()
        await page.socket.close(code)
        await until(lambda: stops)
    assert stops == ["user"]
    assert models[0].closed == 1


async def test_a_page_that_gave_its_socket_up_is_waited_for(widget, models, server):
    async with open_page(server) as page:
        first = await page.start()
        await page.say("My name is Ann")
        await page.socket.close(GIVEN_UP)
    async with returned(server, first) as (page, again):
        assert again["session_id"] == first["session_id"]
        await stop(page)
    assert len(models) == 1


async def test_a_page_that_takes_nothing_any_more_is_replaced_all_the_same(
    widget, models, server
):
    async with open_page(server) as deaf:
        first = await deaf.start()
        await deaf.send("message", text="flood 20")
        await deaf.expect("audio.start")
        deaf.socket.transport.pause_reading()
        async with returned(server, first) as (page, again):
            assert again["session_id"] == first["session_id"]
            await page.expect("audio.start")
            await stop(page)
        deaf.socket.transport.abort()
    assert len(models) == 1


async def test_what_the_model_says_in_writing_meanwhile_is_told(widget, models, server):
    async with open_page(server) as page:
        first = await page.start(text_only=True)
        await page.send("message", text='tool slow {"seconds": 1}')
        await page.expect("tool.started")
        page.socket.transport.abort()
    calls = ToolCall.objects.filter(status="completed")
    await until(lambda: calls.all().exists())
    answers = Item.objects.filter(role="assistant")
    await until(lambda: answers.all().exists())
    async with returned(server, first, text_only=True) as (page, again):
        assert again["history"][-1]["role"] == "assistant"
        assert "done" in again["history"][-1]["text"]
        await stop(page)
    assert len(models) == 1


async def test_a_tool_that_runs_through_the_cut_is_answered(widget, models, server):
    async with open_page(server) as page:
        first = await page.start()
        await page.send("message", text='tool slow {"seconds": 1}')
        await page.expect("tool.started")
        page.socket.transport.abort()
    async with returned(server, first) as (page, _again):
        assert (await page.expect("tool.finished"))["status"] == "completed"
        answer = await page.expect("transcript")
        while not (answer["role"] == "assistant" and answer["final"]):
            answer = await page.expect("transcript")
        assert "done" in answer["text"]
        await stop(page)
    calls = ToolCall.objects.filter(status="completed")
    await until(lambda: calls.count() == 1)


async def test_an_answer_that_is_spoken_stops_and_goes_on(widget, models, server):
    async with open_page(server) as page:
        first = await page.start()
        await page.send("message", text="flood 20")
        await page.expect("audio.start")
        await page.send("ping", t=1)
        await page.expect("pong")
        page.socket.transport.abort()
    (model,) = models
    async with returned(server, first) as (page, _again):
        # The model goes on: here it floods the page once more.
        await page.expect("audio.start")
        (cut,) = model.of("conversation.item.truncate")
        assert 0 < cut["audio_end_ms"] < 20_000
        assert len(model.of("response.create")) == 2
        await stop(page)


async def test_another_visitor_cannot_take_a_call_over(widget, models, server):
    await sync_to_async(make_widget)("other", provider=widget.provider)
    ann = await User.objects.acreate(username="ann")
    cookie = await signed_in(ann)
    bob = await signed_in(await User.objects.acreate(username="bob"))
    again = await signed_in(ann)
    first = await lost_call(server, "A secret", cookie=cookie)
    token = first["resume"]
    for who, slug in ((bob, "support"), ("", "support"), (again, "support")):
        async with open_page(server, slug, cookie=who, resume=token) as page:
            told = await page.start(resume=token)
            assert (told["resumed"], told["history"]) == (False, [])
            assert told["session_id"] != first["session_id"]
    async with open_page(server, "other", cookie=cookie) as page:
        told = await page.start(resume=token)
        assert (told["resumed"], told["history"]) == (False, [])
    async with returned(server, first, cookie=cookie) as (page, told):
        assert told["session_id"] == first["session_id"]
        assert await page.say("Still mine") == "You: Still mine"
        await stop(page)


async def test_the_only_place_is_the_one_that_is_kept(widget, server, settings):
    settings.REALTIME_WIDGET = {"SESSIONS_PER_USER": 1}
    cookie = await signed_in(await User.objects.acreate(username="ann"))
    first = await lost_call(server, cookie=cookie)
    refused = await ask(server, cookie=cookie)
    assert refused.json()["error"]["code"] == "limit"
    async with returned(server, first, cookie=cookie) as (page, again):
        assert again["session_id"] == first["session_id"]
        assert quotas.counters.running() == 1
        await stop(page)


async def test_the_only_place_is_free_for_a_page_that_wants_something_else(
    widget, models, server, settings, stops
):
    settings.REALTIME_WIDGET = {"SESSIONS_PER_USER": 1}
    cookie = await signed_in(await User.objects.acreate(username="ann"))
    first = await lost_call(server, cookie=cookie)
    async with returned(server, first, cookie=cookie, text_only=True) as (page, it):
        assert it["resumed"] is True
        assert it["session_id"] != first["session_id"]
        await until(lambda: stops)
        assert stops == ["replaced"]
        await stop(page)
    assert len(models) == 2


async def test_the_newer_page_replaces_the_older_one(widget, models, server):
    async with open_page(server) as older:
        first = await older.start()
        await older.say("Hello")
        async with returned(server, first) as (newer, second):
            assert second["session_id"] == first["session_id"]
            assert second["history"][0]["text"] == "Hello"
            messages, error, code = await older.ended()
            assert (messages[-1]["reason"], error, code) == (
                "replaced",
                "replaced",
                4409,
            )
            assert await newer.say("Still here") == "You: Still here"
            await stop(newer)
    assert len(models) == 1
    assert (await ended_conversation()).reason == "user"
    assert await Conversation.objects.acount() == 1


async def test_pages_that_come_back_at_once_take_it_one_after_the_other(
    widget, models, server
):
    first = await lost_call(server)
    token = first["resume"]
    async with (
        open_page(server, resume=token) as one,
        open_page(server, resume=token) as other,
    ):
        await asyncio.gather(
            one.send("session.start", resume=token),
            other.send("session.start", resume=token),
        )
        ends = {asyncio.create_task(page.ended()): page for page in (one, other)}
        done, waiting = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        _messages, error, code = done.pop().result()
        assert (error, code) == ("replaced", 4409)
        (still,) = waiting
        still.cancel()
        await asyncio.wait([still])
        assert await ends[still].say("Mine") == "You: Mine"
        await stop(ends[still])
    assert len(models) == 1
