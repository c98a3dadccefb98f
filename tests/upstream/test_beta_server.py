"""A whole session with a server that speaks the beta: the engine's own beta face."""

from __future__ import annotations

import asyncio

import pytest

from realtime_widget.session.bridge import Bridge
from realtime_widget.session.config import TurnDetection
from realtime_widget.session.ports import ItemFact, ToolFact
from realtime_widget.upstream.connection import open_connection
from realtime_widget.upstream.providers import Target
from tests.fakes.browser import HandlerTools, RecordingBrowser, RecordingRecorder
from tests.fakes.scripted import scripted_server
from tests.session.driving import MS, config, tool

ONLY_BETA = {"dialect": "beta"}
AS_ASKED = {}


@pytest.fixture(
    params=[("auto", ONLY_BETA), ("beta", ONLY_BETA), ("beta", AS_ASKED)],
    ids=["seen", "named", "asked-for"],
)
async def talk(request):
    """Run a session; yield the page, the bridge and the records."""
    dialect, server = request.param
    browser, recorder = RecordingBrowser(), RecordingRecorder()

    async def lookup(**_arguments):
        return {"answer": 42}

    async with scripted_server(**server) as base:
        target = Target(f"{base}/realtime?model=scripted", dialect=dialect)
        bridge = Bridge(
            config(tools=[tool()], turn_detection=TurnDetection("server_vad")),
            browser=browser,
            tools=HandlerTools(lookup=lookup),
            recorder=recorder,
            connect=lambda: open_connection(target),
        )
        running = asyncio.create_task(bridge.run())
        await browser.wait_for("session.started")
        yield browser, bridge, recorder
        bridge.stop("user")
        end = await running
    assert (end.reason, end.error_code) == ("user", "")
    assert browser.of("error") == []


async def test_words_are_answered_aloud(talk):
    browser, bridge, recorder = talk
    await bridge.receive_message({"type": "message", "text": "Hello there"})
    said = await browser.wait_for("transcript", role="assistant", final=True)
    await browser.wait_for("audio.end")
    assert "Hello there" in said["text"]
    assert browser.audio_bytes > 200 * MS
    assert [fact.role for fact in recorder.of(ItemFact)][0] == "user"


async def test_speech_is_heard_and_answered(talk):
    browser, bridge, _ = talk
    for frame in [b"\0\x40" * 20 * MS] * 20 + [bytes(40 * MS)] * 30:
        await bridge.receive_audio(frame)
    await browser.wait_for("speech.stopped")
    await browser.wait_for("transcript", role="user", final=True)
    await browser.wait_for("audio.end")


async def test_a_tool_is_called_and_its_result_is_said(talk):
    browser, bridge, recorder = talk
    name = tool().name
    await bridge.receive_message({"type": "message", "text": name + " {}"})
    await browser.wait_for("tool.finished", status="completed")
    said = await browser.wait_for("transcript", role="assistant", final=True)
    assert "42" in said["text"]
    assert [fact.status for fact in recorder.of(ToolFact)][-1] == "completed"
