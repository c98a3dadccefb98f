"""kill -9: no conversation stays open, and the other process's calls never notice."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command

from realtime_widget.engine.scripted.dialogue import quote
from realtime_widget.models import Conversation, Item
from tests.app.pages import open_page
from tests.app.rows import until

# The real figures are 15 s and 45 s; only the unit is another one here.
HEARTBEAT_S = 0.5


@pytest.fixture(scope="module")
def surroundings(surroundings):
    """Return surroundings in which everything happens sooner."""
    widget = {"HEARTBEAT_S": HEARTBEAT_S, "RECORD_FLUSH_S": 0.1}
    return replace(surroundings, widget=widget)


def ended(started):
    """Return the conversation of a call once it is closed, None before."""
    return Conversation.objects.filter(pk=started["session_id"], status="ended").first()


@sync_to_async
def spoken(started):
    items = Item.objects.filter(conversation=started["session_id"])
    return list(items.values_list("text", flat=True))


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_other_process_closes_what_a_killed_one_left_open(launch, kind):
    dying, living = launch(kind, "uvicorn")
    async with open_page(dying) as page, open_page(living) as canary:
        lost = await page.start(language="en")
        kept = await canary.start(language="en")
        await page.say("My last words")
        await until(
            lambda: Item.objects.filter(conversation=lost["session_id"]).count() == 2
        )
        await asyncio.to_thread(dying.kill)
        assert (await page.ended())[2] == 1006
        assert await canary.say("Hello") == quote("Hello")
        conversation = await until(lambda: ended(lost))
        assert await canary.say("Still there?") == quote("Still there?")
        await canary.send("session.stop")
        assert (await canary.ended())[2] == 1000
    assert (conversation.reason, conversation.error_code) == ("error", "worker_lost")
    assert conversation.ended_at == conversation.heartbeat_at
    assert await spoken(lost) == ["My last words", quote("My last words")]
    own = await until(lambda: ended(kept))
    assert (own.reason, own.error_code) == ("user", "")


async def test_command_closes_what_nobody_else_is_there_to_close(launch, settings):
    settings.REALTIME_WIDGET = {"HEARTBEAT_S": HEARTBEAT_S}
    (dying,) = launch("daphne")
    async with open_page(dying) as page:
        lost = await page.start(language="en")
        await until(lambda: Conversation.objects.filter(pk=lost["session_id"]).exists())
        await asyncio.to_thread(dying.kill)

    def reaped():
        call_command("realtime_reap", verbosity=0)
        return ended(lost)

    conversation = await until(reaped)
    assert (conversation.reason, conversation.error_code) == ("error", "worker_lost")
