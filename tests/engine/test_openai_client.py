"""The official Python client against the engine's own server."""

from __future__ import annotations

import asyncio
import wave
from base64 import b64decode, b64encode
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from realtime_widget.engine.parts import load_parts
from realtime_widget.engine.ports import FunctionCall
from realtime_widget.engine.server import serve
from tests.fakes import schema
from tests.fakes.engine import (
    ScriptedDialogue,
    ScriptedStt,
    loud,
    make_parts,
    quiet,
)

CLIPS = Path(__file__).resolve().parents[1] / "data" / "clips"
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Tell the weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Name of the city."}},
        "required": ["city"],
    },
}


class Session:
    """One connection of the client; every event has to be a model it knows."""

    def __init__(self, connection):
        self.connection = connection
        self.events = []

    async def until(self, kind):
        async with asyncio.timeout(20):
            while True:
                event = await self.connection.recv()
                schema.check("server", event.to_dict())
                self.events.append(event)
                if event.type == kind:
                    return event

    def all(self, kind):
        return [event for event in self.events if event.type == kind]

    async def say(self, text):
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.connection.conversation.item.create(item=item)
        await self.until("conversation.item.done")

    async def microphone(self, pcm):
        for at in range(0, len(pcm), 4800):
            audio = b64encode(pcm[at : at + 4800]).decode()
            await self.connection.input_audio_buffer.append(audio=audio)

    def heard(self):
        deltas = self.all("response.output_audio.delta")
        return b"".join(b64decode(event.delta) for event in deltas)


@asynccontextmanager
async def connected(parts, **options):
    """Open a connection of the official client."""
    async with await serve("127.0.0.1", 0, parts) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        base = f"ws://127.0.0.1:{port}/v1"
        async with (
            AsyncOpenAI(api_key="any", websocket_base_url=base) as client,
            client.realtime.connect(**options) as connection,
        ):
            yield Session(connection)


@asynccontextmanager
async def client_of(parts, **session):
    """Open a session of the official client and configure it."""
    async with connected(parts, model="gpt-realtime-2.1") as opened:
        await opened.until("session.created")
        update = {"type": "realtime", **session}
        await opened.connection.session.update(session=update)
        await opened.until("session.updated")
        yield opened


async def test_text_turn():
    async with client_of(make_parts(), output_modalities=["text"]) as session:
        await session.say("Good morning")
        await session.connection.response.create()
        done = await session.until("response.done")
        await session.until("rate_limits.updated")

    assert done.response.status == "completed"
    assert done.response.output[0].content[0].text == "You said: Good morning."
    assert done.response.usage.total_tokens > 0


async def test_audio_turn():
    parts = make_parts(stt=ScriptedStt("good morning"))
    wish = {"input": {"transcription": {"model": "gpt-transcribe"}}}
    async with client_of(parts, audio=wish) as session:
        await session.microphone(quiet(500) + loud(1000) + quiet(1000))
        done = await session.until("response.done")

    (words,) = session.all("conversation.item.input_audio_transcription.completed")
    assert words.transcript == "good morning"
    assert done.response.output[0].content[0].transcript == "You said: good morning."
    assert len(session.heard()) == 4 * 300 * 48
    assert len(session.all("input_audio_buffer.speech_started")) == 1


async def test_tool_turn():
    call = FunctionCall("get_weather", '{"city": "Tokyo"}')
    parts = make_parts(dialogue=ScriptedDialogue([call], ["Sunny in Tokyo."]))
    async with client_of(parts, output_modalities=["text"], tools=[WEATHER]) as session:
        await session.say("What is the weather in Tokyo?")
        await session.connection.response.create()
        (item,) = (await session.until("response.done")).response.output
        output = {"type": "function_call_output", "call_id": item.call_id}
        await session.connection.conversation.item.create(
            item={**output, "output": "sunny"}
        )
        await session.connection.response.create()
        done = await session.until("response.done")

    assert (item.name, item.arguments) == ("get_weather", '{"city": "Tokyo"}')
    assert done.response.output[0].content[0].text == "Sunny in Tokyo."


async def test_mistakes_come_as_errors_with_the_clients_event_id():
    async with client_of(make_parts()) as session:
        await session.connection.input_audio_buffer.commit(event_id="c1")
        early = await session.until("error")
        await session.connection.response.cancel(event_id="c2")
        idle = await session.until("error")

    assert (early.error.code, early.error.event_id) == (
        "input_audio_buffer_commit_empty",
        "c1",
    )
    assert (idle.error.code, idle.error.event_id) == (
        "response_cancel_not_active",
        "c2",
    )


async def test_answer_beside_the_conversation():
    async with client_of(make_parts()) as session:
        await session.connection.response.create(
            response={
                "conversation": "none",
                "output_modalities": ["text"],
                "metadata": {"topic": "title"},
                "input": [],
            }
        )
        done = await session.until("response.done")

    assert done.response.conversation_id is None
    assert done.response.metadata == {"topic": "title"}


async def test_transcription_session_writes_down_and_answers_nothing():
    parts = make_parts(stt=ScriptedStt("good morning", "good night"))
    query = {"intent": "transcription"}
    input_ = {"transcription": {"model": "gpt-4o-transcribe", "language": "en"}}
    async with connected(parts, extra_query=query) as session:
        created = await session.until("session.created")
        update = {"type": "transcription", "audio": {"input": input_}}
        await session.connection.session.update(session=update)
        await session.until("session.updated")
        for _turn in range(2):
            await session.microphone(quiet(500) + loud(1000) + quiet(1000))
            await session.until("conversation.item.input_audio_transcription.completed")
        await session.connection.response.create(event_id="r1")
        refused = await session.until("error")

    assert created.session.type == "transcription"
    told = session.all("conversation.item.input_audio_transcription.completed")
    assert [words.transcript for words in told] == ["good morning", "good night"]
    assert refused.error.event_id == "r1"
    assert session.all("response.created") == []


@pytest.mark.speech
async def test_audio_turn_with_the_embedded_parts_runs_a_tool_and_is_heard_back():
    parts = await asyncio.to_thread(load_parts)
    assert not parts.missing
    with wave.open(str(CLIPS / "synth-weather-tokyo.wav")) as clip:
        pcm = clip.readframes(clip.getnframes())
    wish = {"input": {"transcription": {"model": "local"}}}
    async with client_of(parts, tools=[WEATHER], audio=wish) as session:
        await session.microphone(pcm + quiet(1500))
        call = await session.until("response.function_call_arguments.done")
        await session.until("response.done")
        output = {"type": "function_call_output", "call_id": call.call_id}
        result = '{"message": "It is sunny in Tokyo."}'
        await session.connection.conversation.item.create(
            item={**output, "output": result}
        )
        await session.connection.response.create()
        await session.until("response.done")

    (words,) = session.all("conversation.item.input_audio_transcription.completed")
    assert "weather" in words.transcript.lower()
    assert (call.name, call.arguments) == ("get_weather", '{"city": "Tokyo"}')
    heard = await asyncio.to_thread(parts.stt.transcribe, session.heard())
    assert "sunny in tokyo" in heard.lower()
