"""Many tools that misbehave at once: other sessions' audio does not notice."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from asgiref.sync import sync_to_async
from django.test import override_settings

from realtime_widget.engine.loopback import LoopbackConnection
from realtime_widget.engine.models import all_models
from realtime_widget.engine.options import EngineOptions
from realtime_widget.handlers import autodiscover, function_handler, registered
from realtime_widget.models import ToolCall
from realtime_widget.sessions import open_session
from realtime_widget.testing import Call, scripted_session
from tests.app.rows import make_widget
from tests.site import realtime_tools

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_sessions_left"),
]

MEGABYTES_10 = 10 * 1024 * 1024


@pytest.fixture
def bad_tools():
    """Register a tool that hangs until the test lets it go; return its event."""
    autodiscover()
    before = dict(registered)
    released = asyncio.Event()

    @function_handler
    async def hangs(context) -> str:
        """Wait for something that does not come."""
        await released.wait()
        return "late"

    realtime_tools.release.clear()
    yield released
    realtime_tools.release.set()
    registered.clear()
    registered.update(before)


async def spoken_answer():
    """Return all the audio of a spoken answer."""
    model = all_models(EngineOptions(), "scripted").default

    async def connect():
        return LoopbackConnection(model)

    audio = bytearray()
    async with await open_session("support", connect=connect, record=False) as session:
        await session.send_message("Hello, how are you today?")
        async with asyncio.timeout(30):
            async for event in session:
                if event.type == "audio":
                    audio += event.audio
                elif event.type == "audio_end":
                    return bytes(audio)
    raise AssertionError("the answer did not end")


async def calling(name, count, **arguments):
    """Return a session whose model makes so many calls in one answer."""
    talk = await scripted_session("support", [[Call(name, **arguments)] * count])
    await talk.session.send_message("Go")
    return talk


@override_settings(REALTIME_WIDGET={"TOOL_CALLS_PER_MINUTE": 1_000})
async def test_a_storm_of_bad_tools_leaves_other_sessions_audio_alone(
    transactional_db, bad_tools
):
    names = ["hangs", "blocked", "broken", "huge"]
    await sync_to_async(make_widget)(tools=names)
    quiet = await spoken_answer()
    talks = [
        *[await calling("hangs", 5) for _ in range(8)],
        *[await calling("blocked", 5) for _ in range(2)],
        *[await calling("broken", 5) for _ in range(4)],
        *[await calling("huge", 5, size_bytes=MEGABYTES_10) for _ in range(2)],
        await calling("order_status", 100),
        await calling("broken", 100),
    ]
    during = await spoken_answer()
    hanging = [talk for talk in talks[:10] if not ended(talk)]
    assert during == quiet
    assert len(hanging) == 10
    bad_tools.set()
    realtime_tools.release.set()
    for talk in talks:
        await talk.wait()
        await talk.session.close()
    by_call = Counter()
    statuses = Counter()
    async for call in ToolCall.objects.all():
        by_call[call.conversation_id, call.call_id] += 1
        statuses[call.name, call.status] += 1
    assert set(by_call.values()) == {1}
    assert len(by_call) == 80 + 200
    assert statuses["hangs", "completed"] == 40
    assert statuses["blocked", "completed"] == 10
    assert statuses["huge", "failed"] == 10
    assert statuses["order_status", "unknown_tool"] == 100


def ended(talk):
    """Return whether a call of a session was answered already."""
    waiting = talk.session._events
    return any(event.type == "tool_end" for event in list(waiting._queue) if event)
