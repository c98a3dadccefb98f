from __future__ import annotations

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import User

from realtime_widget.consumers import session_group
from realtime_widget.models import Item, Provider, ToolCall, Widget
from tests.app.pages import RealtimeSocket, ask, joined, open_page, socket_of
from tests.app.rows import ended_conversation, make_widget, signed_in, until
from tests.site import realtime_tools

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_sessions_left"),
]


async def test_visitor_types_and_is_answered_and_all_is_recorded(widget, server):
    async with open_page(server) as page:
        started = await page.start(language="en")
        assert started["agent"] == "Ada"
        assert started["audio"] == {"format": "pcm16", "rate_hz": 24000}
        assert await page.say("Hello there") == "You: Hello there"
        await page.send("session.stop")
        messages, error, code = await page.ended()
    assert (messages[-1]["type"], messages[-1]["reason"]) == ("session.stopped", "user")
    assert (error, code) == ("", 1000)
    conversation = await ended_conversation()
    assert (conversation.reason, conversation.error_code) == ("user", "")
    assert conversation.origin == server.url
    items = [(item.role, item.text) async for item in Item.objects.all()]
    assert items == [("user", "Hello there"), ("assistant", "You: Hello there")]


async def test_tool_runs_as_the_signed_in_user_and_its_answer_is_said(widget, server):
    user = await User.objects.acreate(username="ann")
    async with open_page(server, cookie=await signed_in(user)) as page:
        await page.start()
        await page.send("message", text='tool order_status {"order_number": "1042"}')
        started = await page.expect("tool.started")
        finished = await page.expect("tool.finished")
        answer = await page.expect("transcript")
        while not (answer["role"] == "assistant" and answer["final"]):
            answer = await page.expect("transcript")
        await page.send("session.stop")
        await page.ended()
    assert started["name"] == finished["name"] == "order_status"
    assert finished["status"] == "completed"
    assert "arguments" not in started
    assert "output" not in finished
    told = json.loads(answer["text"].removeprefix("You: "))
    assert told == {
        "order_number": "1042",
        "status": "shipped",
        "arrives": "2030-01-02",
        "total": "12.50",
        "user": "ann",
    }
    conversation = await ended_conversation()
    assert conversation.user_id == user.pk
    call = await ToolCall.objects.aget()
    assert (call.name, call.status) == ("order_status", "completed")
    assert json.loads(call.arguments) == {"order_number": "1042"}


@pytest.mark.parametrize(
    ("call", "status", "words"),
    [
        ("broken", "failed", "Apologise"),
        ("refuses", "failed", "The warehouse is closed until Monday."),
        ("whoami", "failed", "sign in"),
        ('opening_hours {"day": "caturday"}', "bad_arguments", "day: Input should be"),
        ("delete_everything", "unknown_tool", "no tool of this name"),
        ("huge", "failed", "too long"),
        ("unserialisable", "failed", "Apologise"),
    ],
)
async def test_tool_that_fails_is_told_to_the_model_and_the_talk_goes_on(
    widget, asgi_server, caplog, call, status, words
):
    async with open_page(asgi_server) as page:
        await page.start()
        await page.send("message", text=f"tool {call}")
        assert (await page.expect("tool.finished"))["status"] == status
        answer = await page.expect("transcript")
        while not (answer["role"] == "assistant" and answer["final"]):
            answer = await page.expect("transcript")
        assert words in answer["text"]
        assert "secret-of-the-traceback" not in answer["text"]
        assert await page.say("Still there?") == "You: Still there?"
    assert ("secret-of-the-traceback" in caplog.text) == (call == "broken")


async def test_progress_of_a_tool_is_shown_while_it_runs(widget, asgi_server):
    realtime_tools.release.clear()
    async with open_page(asgi_server) as page:
        await page.start()
        await page.send("message", text="tool report")
        started = await page.expect("tool.started")
        noted = await page.expect("tool.started")
        realtime_tools.release.set()
        finished = await page.expect("tool.finished")
    assert "note" not in started
    assert noted["note"] == "Half done"
    assert started["call_id"] == noted["call_id"] == finished["call_id"]
    assert finished["status"] == "completed"


async def test_embedded_engine_answers_with_a_function_of_the_site(
    transactional_db, asgi_server
):
    await sync_to_async(make_widget)(tools=["order_status"])
    async with open_page(asgi_server) as page:
        await page.start(language="en", text_only=True)
        await page.send("message", text="Where is my order 1042?")
        assert (await page.expect("tool.finished"))["status"] == "completed"
        answer = await page.expect("transcript")
        while not (answer["role"] == "assistant" and answer["final"]):
            answer = await page.expect("transcript")
        assert "shipped" in answer["text"]
        await page.send("session.stop")
        await page.ended()
    await ended_conversation()
    call = await ToolCall.objects.aget()
    assert json.loads(call.arguments) == {"order_number": "1042"}
    assert (await Provider.objects.aget(kind="local")).health_state == "ok"


async def test_frames_reach_the_model_and_text_sessions_take_none(
    widget, models, asgi_server
):
    async with open_page(asgi_server) as page:
        await page.start()
        for _ in range(5):
            await page.socket.send(bytes(1_920))
        await page.say("in order")
        assert len(models[0].audio_at_s) == 5
    async with open_page(asgi_server) as page:
        await page.start(text_only=True)
        await page.socket.send(bytes(1_920))
        await page.say("in order")
        assert models[1].audio_at_s == []


async def test_page_of_a_partner_site_acts_for_nobody(widget, asgi_server):
    partner = "https://partner.example"
    await Widget.objects.aupdate(allowed_origins=[partner])
    cookie = await signed_in(await User.objects.acreate(username="ann"))
    async with open_page(asgi_server, origin=partner, cookie=cookie) as page:
        await page.start()
        await page.send("message", text="tool whoami")
        assert (await page.expect("tool.finished"))["status"] == "failed"
    conversation = await ended_conversation()
    assert conversation.user_id is None
    assert conversation.session_key_hash == ""
    assert conversation.origin == partner


async def test_closed_tab_ends_the_record(widget, models, server):
    async with open_page(server) as page:
        await page.start()
        await page.say("Bye")
    conversation = await ended_conversation()
    assert conversation.reason == "user"
    assert models[0].closed == 1


async def test_lost_network_ends_the_record(widget, models, server, settings):
    settings.REALTIME_WIDGET = {"KEEP_UPSTREAM_S": 0}
    async with open_page(server) as page:
        await page.start()
        await page.say("Hello")
        page.socket.transport.abort()
        conversation = await ended_conversation()
    assert (conversation.status, conversation.reason) == ("ended", "user")
    assert models[0].closed == 1


async def test_model_that_hangs_up_once_is_replaced_in_the_same_call(
    widget, models, server
):
    async with open_page(server) as page:
        await page.start()
        assert await page.say("My name is Mira.") == "You: My name is Mira."
        assert await page.say("hang up once") == "You: hang up once"
        await page.send("session.stop")
        messages, error, _code = await page.ended()
    assert error == ""
    assert messages[-1]["reason"] == "user"
    told = [event["item"] for event in models[1].of("conversation.item.create")]
    words = [item["content"][0]["text"] for item in told]
    assert words == ["My name is Mira.", "hang up once"]
    await ended_conversation()
    assert [item.text async for item in Item.objects.all()] == [
        "My name is Mira.",
        "You: My name is Mira.",
        "hang up once",
        "You: hang up once",
    ]
    assert [model.closed for model in models] == [1, 1]


async def test_model_that_hangs_up_ends_the_session_in_words(widget, server):
    async with open_page(server) as page:
        await page.start()
        await page.send("message", text="hang up")
        messages, error, code = await page.ended()
    assert (error, code) == ("upstream_lost", 4502)
    assert messages[-1]["reason"] == "upstream"
    words = next(m for m in messages if m["type"] == "error")
    assert words["retryable"]
    assert words["fatal"]
    assert words["message"]
    conversation = await ended_conversation()
    assert (conversation.reason, conversation.error_code) == (
        "upstream",
        "upstream_lost",
    )


async def test_key_that_went_missing_is_told_and_recorded(widget, asgi_server):
    granted = (await ask(asgi_server)).json()
    await Provider.objects.filter(name="Scripted").aupdate(
        kind="openai", key_name="NO_SUCH_KEY"
    )
    async with socket_of(
        asgi_server, "/realtime/ws/support/", granted["token"]
    ) as page:
        await page.send("session.start")
        _messages, error, code = await page.ended()
    assert (error, code) == ("not_configured", 4502)
    assert (await ended_conversation()).error_code == "not_configured"
    provider = await Provider.objects.aget(name="Scripted")
    assert provider.health_state == "failing"
    assert "NO_SUCH_KEY" in provider.health_reason


async def test_working_provider_is_noted_as_healthy(widget, asgi_server):
    async with open_page(asgi_server) as page:
        await page.start()
        await page.say("Hello")
        await page.say("Hello")
    await ended_conversation()
    provider = await Provider.objects.aget(name="Scripted")
    assert provider.health_state == "ok"


async def test_session_can_be_ended_through_the_channel_layer(widget):
    communicator = await joined(RealtimeSocket())
    started = await communicator.start()
    group = session_group(started["session_id"])
    layer = get_channel_layer()
    await until(lambda: layer.groups.get(group))
    await layer.group_send(group, {"type": "session.end", "reason": "nonsense"})
    await layer.group_send(group, {"type": "session.end", "reason": "draining"})
    error, code = await communicator.ended()
    assert (error, code) == ("draining", 4503)
    assert (await ended_conversation()).reason == "draining"
    assert not layer.groups.get(group)


async def test_broken_channel_layer_hurts_no_session(
    widget, asgi_server, settings, caplog
):
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:1"]},
        }
    }
    async with open_page(asgi_server) as page:
        await page.start()
        assert await page.say("Hello") == "You: Hello"
    await ended_conversation()
    assert caplog.text.count("Channel layer unavailable") == 1


async def test_cancelled_consumer_ends_its_record(widget, models):
    communicator = await joined(RealtimeSocket())
    await communicator.start()
    communicator.future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await communicator.future
    conversation = await ended_conversation()
    assert (conversation.reason, conversation.status) == ("draining", "ended")
    assert models[0].closed == 1


async def test_page_that_takes_nothing_is_closed(widget, asgi_server, settings):
    settings.REALTIME_WIDGET = {"OUTBOUND_BYTES": 30_000, "PLAYBACK_LEAD_S": 60}
    async with open_page(asgi_server) as page:
        await page.start()
        await page.send("message", text="flood 10")
        _messages, _error, code = await page.ended()
    assert code == 4408
    assert (await ended_conversation()).reason == "idle"


async def test_user_may_hold_so_many_sessions(widget, asgi_server, settings):
    settings.REALTIME_WIDGET = {"SESSIONS_PER_USER": 1}
    cookie = await signed_in(await User.objects.acreate(username="ann"))
    answers = [await ask(asgi_server, cookie=cookie) for _ in range(2)]
    first, second = (answer.json() for answer in answers)
    path = "/realtime/ws/support/"
    async with socket_of(asgi_server, path, first["token"], cookie=cookie) as page:
        await page.start()
        async with socket_of(asgi_server, path, second["token"], cookie=cookie) as late:
            await late.send("session.start")
            _messages, error, code = await late.ended()
        assert (error, code) == ("limit", 4429)
        assert await page.say("Hello") == "You: Hello"
