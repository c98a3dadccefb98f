"""SIGTERM: calls come to their end, are recorded, and new ones go elsewhere."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async

from realtime_widget.models import Conversation, Item, ToolCall
from tests.app.pages import ask, open_page, socket_of
from tests.app.rows import until

PATH = "/realtime/ws/support/"


@pytest.fixture(params=["daphne", "uvicorn"])
def server(request, launch):
    """Run a server that a test may stop."""
    return launch(request.param)[0]


@sync_to_async
def record_of(started):
    """Return the conversation of a call and what was said in it."""
    conversation = Conversation.objects.get(pk=started["session_id"])
    items = Item.objects.filter(conversation=conversation)
    return conversation, [(item.role, item.text, item.status) for item in items]


async def test_running_call_ends_with_its_answer_and_new_ones_are_refused(server):
    tokens = [(await ask(server)).json()["token"] for _ in range(2)]
    async with (
        open_page(server) as page,
        open_page(server) as silent,
        socket_of(server, PATH, tokens[0]) as waiting,
    ):
        started = await page.start(language="en")
        quiet = await silent.start(language="en")
        await page.send("message", text='slow {"seconds": 1.5}')
        await page.expect("tool.started")
        server.terminate()
        assert (await silent.ended())[1:] == ("draining", 4503)
        # The other call goes on meanwhile, since its answer is still to come.
        await until(lambda: server.health().status_code == 503)
        refused = await ask(server)
        assert (refused.status_code, refused.json()["error"]["code"]) == (
            503,
            "draining",
        )
        async with socket_of(server, PATH, tokens[1]) as late:
            assert (await late.ended())[1:] == ("draining", 4503)
        await waiting.send("session.start", language="en")
        assert (await waiting.ended())[1:] == ("draining", 4503)
        messages, error, code = await page.ended()
    assert (error, code) == ("draining", 4503)
    assert messages[-1]["reason"] == "draining"
    goodbye = next(m for m in messages if m["type"] == "error")
    assert goodbye["retryable"]
    assert goodbye["message"].startswith("The service is being updated.")
    answers = [m["text"] for m in messages if m["type"] == "transcript" and m["final"]]
    assert answers == ['The tool says: "done"']
    await asyncio.to_thread(server.wait)
    assert (await record_of(quiet))[0].reason == "draining"
    conversation, items = await record_of(started)
    assert (conversation.status, conversation.reason) == ("ended", "draining")
    assert items == [
        ("user", 'slow {"seconds": 1.5}', "completed"),
        ("assistant", 'The tool says: "done"', "completed"),
    ]


async def test_call_that_is_kept_for_nobody_holds_up_no_stop(server):
    async with open_page(server) as page:
        started = await page.start(language="en")
        await page.send("message", text='slow {"seconds": 5}')
        await page.expect("tool.started")
        page.socket.transport.abort()
    await until(lambda: "is kept" in server.said())
    server.terminate()
    await asyncio.to_thread(server.wait)
    conversation, _items = await record_of(started)
    assert (conversation.status, conversation.reason) == ("ended", "draining")
    # It had time to finish within DRAINING_S, had anybody waited for it.
    calls = ToolCall.objects.filter(conversation=conversation)
    statuses = await sync_to_async(lambda: [call.status for call in calls])()
    assert statuses == ["cancelled"]


async def test_workers_of_a_supervisor_finish_their_calls(launch):
    (server,) = launch("two workers")
    async with open_page(server) as page, open_page(server) as other:
        calls = [await each.start(language="en") for each in (page, other)]
        for each in (page, other):
            await each.send("message", text='slow {"seconds": 1}')
            await each.expect("tool.started")
        server.terminate()
        for each in (page, other):
            messages, error, code = await each.ended()
            assert (error, code) == ("draining", 4503)
            final = [m["text"] for m in messages if m.get("final")]
            assert final == ['The tool says: "done"']
    await asyncio.to_thread(server.wait)
    for started in calls:
        assert (await record_of(started))[0].reason == "draining"


async def test_second_signal_ends_calls_now_and_keeps_what_was_said(server):
    async with open_page(server) as page:
        started = await page.start(language="en")
        await page.send("message", text="count slowly")
        await page.expect("transcript")
        server.terminate()
        await until(lambda: server.health().status_code == 503)
        server.terminate()
        # What a page of Daphne sees is up to Daphne, which may cut it off first.
        messages, _error, code = await page.ended()
        assert code in (1006, 1012, 4503)
    await asyncio.to_thread(server.wait)
    conversation, items = await record_of(started)
    assert (conversation.status, conversation.reason) == ("ended", "draining")
    shown = [m["delta"] for m in messages if m["type"] == "transcript" and "delta" in m]
    assert shown
    assert "".join(shown).strip() in items[1][1]
