"""A page comes back to a conversation whose call is gone: it goes on from the record."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from realtime_widget import connectors
from realtime_widget.models import Conversation, Provider, Widget
from tests.app.pages import open_page
from tests.app.rows import make_widget, signed_in, until
from tests.e2e.upstreams import RecordedUpstream

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_sessions_left"),
]


@pytest.fixture
def upstreams(widget, monkeypatch):
    """Return the model's ends of this test's sessions."""
    opened = []
    make = connectors.CONNECTORS[Provider.Kind.COMPATIBLE]

    def recorded(*arguments):
        connect = make(*arguments)

        async def connect_and_record():
            opened.append(RecordedUpstream(await connect()))
            return opened[-1]

        return connect_and_record

    monkeypatch.setitem(connectors.CONNECTORS, Provider.Kind.COMPATIBLE, recorded)
    return opened


@pytest.fixture(autouse=True)
def _kept_by_nobody(settings):
    """End a call with its page, as every process does that a page does not return to."""
    settings.REALTIME_WIDGET = {"KEEP_UPSTREAM_S": 0}


def given(upstream):
    """Return what a model was given of the conversation, as role and words."""
    return [
        (event["item"]["role"], event["item"]["content"][0]["text"])
        for event in upstream.events_sent("conversation.item.create")
    ]


async def talk(server, text, **fields):
    """Say something in a conversation whose network then fails; return its start."""
    async with open_page(server) as page:
        started = await page.start(text_only=True, **fields)
        await page.say(text)
        page.socket.transport.abort()
    ended = Conversation.objects.filter(pk=started["session_id"], status="ended")
    assert await until(lambda: ended.all().exists())
    return started


async def test_after_a_cut_the_model_and_the_page_know_what_was_said(
    widget, server, upstreams
):
    first = await talk(server, "My name is Ann")
    assert first["resumed"] is False
    assert first["history"] == []
    said = [("user", "My name is Ann"), ("assistant", "You: My name is Ann")]
    second = await talk(server, "And I am back", resume=first["resume"])
    assert second["resumed"] is True
    assert [(one["role"], one["text"]) for one in second["history"]] == said
    assert given(upstreams[1]) == [*said, ("user", "And I am back")]

    said += [("user", "And I am back"), ("assistant", "You: And I am back")]
    third = await talk(server, "Once more", resume=second["resume"])
    assert [(one["role"], one["text"]) for one in third["history"]] == said
    assert len({first["session_id"], second["session_id"], third["session_id"]}) == 3


async def test_nothing_is_recorded_twice_and_nobody_is_greeted_again(
    widget, server, upstreams
):
    await Widget.objects.aupdate(greeting="Welcome!")
    first = await talk(server, "Hello")
    second = await talk(server, "Again", resume=first["resume"])
    conversation = await Conversation.objects.aget(pk=second["session_id"])
    words = [item.text async for item in conversation.items.order_by("position")]
    assert words == ["Again", "You: Again"]
    assert len(upstreams[0].events_sent("response.create")) == 2
    assert len(upstreams[1].events_sent("response.create")) == 1


@pytest.mark.parametrize("token", ["", "x", 5, "a:b:c", "x" * 3_000, None])
async def test_a_token_that_is_none_begins_a_new_conversation(widget, server, token):
    async with open_page(server) as page:
        started = await page.start(resume=token)
        assert started["resumed"] is False
        assert started["history"] == []
        assert started["resume"]


async def test_a_token_of_another_visitor_or_widget_begins_a_new_conversation(
    widget, server
):
    token = (await talk(server, "A secret"))["resume"]
    ann = await User.objects.acreate(username="ann")
    await sync_to_async(make_widget)("other")
    async with open_page(server, cookie=await signed_in(ann)) as page:
        started = await page.start(resume=token)
        assert (started["resumed"], started["history"]) == (False, [])
    async with open_page(server, "other") as page:
        started = await page.start(resume=token)
        assert (started["resumed"], started["history"]) == (False, [])


async def test_after_two_minutes_it_is_a_new_conversation_and_says_so(widget, server):
    first = await talk(server, "Hello")
    late = timezone.now() - timedelta(seconds=121)
    await Conversation.objects.filter(pk=first["session_id"]).aupdate(ended_at=late)
    async with open_page(server) as page:
        started = await page.start(resume=first["resume"])
        assert (started["resumed"], started["history"]) == (False, [])
