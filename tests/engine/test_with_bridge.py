"""The two ends of this package against each other: session bridge and engine."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from realtime_widget.engine.loopback import LoopbackConnection
from realtime_widget.engine.ports import FunctionCall
from realtime_widget.session.bridge import Bridge
from realtime_widget.session.config import AgentSpec, SessionConfig, ToolSpec
from tests.fakes.browser import HandlerTools, RecordingBrowser, RecordingRecorder
from tests.fakes.engine import (
    ScriptedDialogue,
    ScriptedStt,
    WordTts,
    loud,
    make_parts,
    quiet,
)

LOOKUP = ToolSpec("lookup", "Look it up.", {"type": "object", "properties": {}})


@asynccontextmanager
async def call(parts, **config):
    """Run one call; yield the bridge and the page."""

    async def lookup():
        return {"answer": 42}

    async def connect():
        return LoopbackConnection(parts)

    page = RecordingBrowser()
    bridge = Bridge(
        SessionConfig("session-1", AgentSpec("Ann", tools=(LOOKUP,)), **config),
        browser=page,
        tools=HandlerTools(lookup=lookup),
        recorder=RecordingRecorder(),
        connect=connect,
    )
    running = asyncio.create_task(bridge.run())
    await page.wait_for("session.started")
    yield bridge, page
    bridge.stop("user")
    async with asyncio.timeout(5):
        end = await running
    assert (end.reason, end.error_code) == ("user", "")


async def speak(bridge, pcm):
    for at in range(0, len(pcm), 1920):
        await bridge.receive_audio(pcm[at : at + 1920])


async def test_greeting_is_said_word_for_word():
    dialogue, tts = ScriptedDialogue(), WordTts()
    parts = make_parts(dialogue=dialogue, tts=tts)
    async with call(parts, greeting="Welcome to the workshop.") as (_bridge, page):
        said = await page.wait_for("transcript", role="assistant", final=True)

    assert said["text"] == "Welcome to the workshop."
    assert dialogue.requests == []
    assert [text for text, _voice, _speed in tts.said] == ["Welcome to the workshop."]


async def test_spoken_question_runs_a_tool_and_is_answered():
    answers = ScriptedDialogue([FunctionCall("lookup", "{}")], ["It is forty-two."])
    parts = make_parts(dialogue=answers, stt=ScriptedStt("what is the answer"))
    async with call(parts) as (bridge, page):
        await speak(bridge, quiet(320) + loud(960) + quiet(640))
        await page.wait_for("speech.stopped")
        heard = await page.wait_for("transcript", role="user", final=True)
        await page.wait_for("tool.finished", status="completed")
        said = await page.wait_for("transcript", role="assistant", final=True)
        await page.wait_for("audio.end")

    assert heard["text"] == "what is the answer"
    assert said["text"] == "It is forty-two."
    assert answers.requests[1].items[-1]["output"] == '{"answer": 42}'
    assert page.audio_bytes == 3 * 300 * 48


async def test_visitor_who_cuts_in_silences_the_answer():
    tts = WordTts()
    parts = make_parts(dialogue=ScriptedDialogue(["One two. Three four."]), tts=tts)
    async with call(parts) as (bridge, page):
        await bridge.receive_message({"type": "message", "text": "Count"})
        await page.wait_for("audio.start")
        await speak(bridge, quiet(320) + loud(320))
        cut = await page.wait_for("audio.interrupted")
        playback = {"type": "playback", "item_id": cut["item_id"]}
        await bridge.receive_message({**playback, "played_ms": 20, "done": True})
        await page.wait_for("state", state="hearing")

    assert page.of("error") == []


async def test_call_without_a_voice_goes_on_in_writing():
    parts = make_parts(hears=False, speaks=False)
    async with call(parts) as (bridge, page):
        await speak(bridge, loud(80))
        error = await page.wait_for("error")
        await bridge.receive_message({"type": "message", "text": "Hello"})
        said = await page.wait_for("transcript", role="assistant", final=True)

    assert error["code"] == "voice_unavailable"
    assert error["fatal"] is False
    assert said["text"] == "You said: Hello."
