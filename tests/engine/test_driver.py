"""The engine in process, with parts that do as they are told."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from realtime_widget.engine import driver
from realtime_widget.engine.conversation.core import SessionOptions
from realtime_widget.engine.loopback import LoopbackConnection
from realtime_widget.engine.ports import FunctionCall
from realtime_widget.exceptions import UpstreamClosed
from realtime_widget.protocol.events import append_audio, encode
from tests.engine.machine import user_text
from tests.fakes import schema
from tests.fakes.clock import virtual_time
from tests.fakes.engine import (
    ScriptedDialogue,
    ScriptedStt,
    WordTts,
    loud,
    make_parts,
    quiet,
)


class Client:
    """Talks to the engine and keeps what came."""

    def __init__(self, parts, **options):
        self.connection = LoopbackConnection(parts, SessionOptions(**options))
        self.events = []

    async def send(self, kind, **fields):
        await self.connection.send(encode({"type": kind, **fields}))

    async def say(self, text, **response):
        await self.send("conversation.item.create", item=user_text(text))
        await self.send("response.create", response=response)

    async def until(self, kind):
        """Read up to an event of this type and return it."""
        async with asyncio.timeout(10):
            while True:
                event = json.loads(await self.connection.receive())
                schema.check("server", event)
                self.events.append(event)
                if event["type"] == kind:
                    return event

    async def microphone(self, pcm):
        for at in range(0, len(pcm), 1920):
            await self.connection.send(append_audio(pcm[at : at + 1920]))


async def eventually(condition):
    """Wait for something that a worker thread does and tells nobody."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_spoken_turn_is_heard_answered_and_spoken():
    stt, tts = ScriptedStt("good morning"), WordTts()
    client = Client(make_parts(stt=stt, tts=tts))
    await client.microphone(quiet(320) + loud(960) + quiet(640))
    done = await client.until("response.done")

    (item,) = done["response"]["output"]
    assert item["content"][0]["transcript"] == "You said: good morning."
    assert tts.said == [("You said: good morning.", "marin", 1.0)]
    # Recognition began in the pause and was not done again.
    assert len(stt.heard) == 1
    await client.connection.close()


async def test_tool_turn_goes_to_the_client_and_back():
    dialogue = ScriptedDialogue([FunctionCall("get_time", "{}")], ["It is noon."])
    client = Client(make_parts(dialogue=dialogue))
    await client.say("What time is it?", output_modalities=["text"])
    call = await client.until("response.function_call_arguments.done")
    await client.until("response.done")
    output = {
        "type": "function_call_output",
        "call_id": call["call_id"],
        "output": "12",
    }
    await client.send("conversation.item.create", item=output)
    await client.send("response.create", response={"output_modalities": ["text"]})
    done = await client.until("response.done")

    assert done["response"]["output"][0]["content"][0]["text"] == "It is noon."
    assert dialogue.requests[1].items[-1]["output"] == "12"
    await client.connection.close()


async def test_cancelled_answer_stops_the_dialogue_and_the_voice():
    tts = WordTts()
    dialogue = ScriptedDialogue(["One two three four. ", "Five.", asyncio.Event()])
    client = Client(make_parts(dialogue=dialogue, tts=tts))
    tts.gate.clear()
    await client.say("Count")
    await client.until("response.created")
    await eventually(lambda: tts.said)  # the voice has begun in its thread
    await client.send("response.cancel")
    done = await client.until("response.done")
    tts.gate.set()
    await client.send("input_audio_buffer.clear")
    await client.until("input_audio_buffer.cleared")

    assert done["response"]["status"] == "cancelled"
    await client.connection.close()
    assert dialogue.closed == 1
    assert tts.chunks <= 1
    assert len(tts.said) == 1


async def test_barge_in_cuts_the_answer():
    tts = WordTts()
    client = Client(
        make_parts(dialogue=ScriptedDialogue(["One. Two. Three."]), tts=tts)
    )
    await client.say("Count")
    await client.until("response.output_audio_transcript.delta")
    tts.gate.clear()
    await client.microphone(quiet(320) + loud(320))
    tts.gate.set()
    done = await client.until("response.done")

    assert done["response"]["status_details"]["reason"] == "turn_detected"
    names = [event["type"] for event in client.events]
    assert names.index("input_audio_buffer.speech_started") < names.index(
        "response.done"
    )
    await client.connection.close()


@pytest.mark.parametrize("part", ["dialogue", "tts", "stt"])
async def test_part_that_raises_fails_one_answer_and_not_the_session(part, caplog):
    caplog.set_level(logging.ERROR)
    broken = RuntimeError("boom")
    if part == "dialogue":
        parts = make_parts(dialogue=ScriptedDialogue([broken], ["Well."]))
    elif part == "stt":
        parts = make_parts(stt=ScriptedStt(broken))
    else:
        parts = make_parts(tts=_BrokenTts())
    client = Client(parts)
    if part == "stt":
        await client.microphone(quiet(320) + loud(640) + quiet(640))
    else:
        await client.say("Hello")
    failed = await client.until("response.done")
    await client.say("Again", output_modalities=["text"])
    done = await client.until("response.done")

    assert failed["response"]["status"] == "failed"
    assert done["response"]["status"] == "completed"
    assert any(
        client.connection._session.session_id in r.message for r in caplog.records
    )
    await client.connection.close()


class _BrokenTts:
    def speak(self, text, *, voice="", speed=1.0):
        raise RuntimeError("boom")


class _BrokenVad:
    def feed(self, pcm):
        raise RuntimeError("boom")


async def test_detector_that_raises_ends_the_session_with_words(caplog):
    parts = make_parts()
    client = Client(type(parts)(parts.dialogue, _BrokenVad, parts.stt, parts.tts))
    await client.microphone(loud(40))
    error = await client.until("error")

    assert error["error"]["type"] == "server_error"
    assert "boom" not in json.dumps(error)
    with pytest.raises(UpstreamClosed) as caught:
        await client.connection.receive()
    assert caught.value.close_code == 1011
    with pytest.raises(UpstreamClosed):
        await client.microphone(loud(40))


async def test_what_is_no_json_is_answered():
    client = Client(make_parts())
    await client.connection.send(b"{not json")

    assert (await client.until("error"))["error"]["code"] == "invalid_json"
    await client.connection.close()


async def test_closed_connection_says_so_and_leaves_no_task():
    dialogue = ScriptedDialogue([asyncio.Event()])
    client = Client(make_parts(dialogue=dialogue))
    await client.say("Hello")
    await client.until("response.created")
    reading = asyncio.create_task(client.until("response.done"))
    await asyncio.sleep(0)
    await client.connection.close()
    await client.connection.close()

    with pytest.raises(UpstreamClosed):
        await reading
    with pytest.raises(UpstreamClosed):
        await client.send("response.cancel")
    assert [t for t in asyncio.all_tasks() if "engine" in t.get_name()] == []


async def test_cancelled_read_loses_no_event():
    client = Client(make_parts())
    await client.until("session.created")
    reading = asyncio.create_task(client.connection.receive())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await client.send("input_audio_buffer.clear")

    assert await client.until("input_audio_buffer.cleared")
    assert [e["type"] for e in client.events] == [
        "session.created",
        "input_audio_buffer.cleared",
    ]
    await client.connection.close()


@virtual_time
async def test_session_ends_by_the_clock():
    client = Client(make_parts(), max_session_s=5)
    error = await client.until("error")

    assert error["error"]["code"] == "session_expired"
    with pytest.raises(UpstreamClosed) as caught:
        await client.connection.receive()
    assert caught.value.close_code == 1001


async def test_answer_waits_for_a_client_that_does_not_read(monkeypatch):
    monkeypatch.setattr(driver, "OUTGOING_LIMIT_BYTES", 100_000)
    tts = WordTts()
    words = " ".join(["word"] * 20) + "."
    client = Client(make_parts(dialogue=ScriptedDialogue([words]), tts=tts))
    await client.say("Tell me a lot")
    session = client.connection._session
    await eventually(lambda: not session._room.is_set())
    # A chunk is 19,200 bytes of base64: five or six fill the room.
    assert tts.chunks <= 8
    done = await client.until("response.done")

    assert done["response"]["status"] == "completed"
    assert tts.chunks == 20
    await client.connection.close()


def test_ids_are_unique_and_short():
    new_id = driver.id_factory()
    ids = [new_id("event") for _ in range(1000)]

    assert len(set(ids)) == 1000
    assert max(map(len, ids)) <= 32
    assert driver.id_factory()("event") not in ids
