"""The official ``openai`` client, asynchronous."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from contextlib import asynccontextmanager

import pytest
from openai import AsyncOpenAI

from tests.clients import strict
from tests.clients.sound import loud, pieces, quiet

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Tell the weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
TIMEOUT_S = 20


class Session:
    """A connection whose every event is held against the package's types."""

    def __init__(self, connection):
        self.connection = connection
        self.events = []

    async def until(self, kind, *, errors=False):
        """Return the next event of a kind; any error fails, unless it is awaited."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                raw = await self.connection.recv_bytes()
                strict.check(raw)
                event = self.connection.parse_event(raw)
                self.events.append(event)
                assert errors or event.type != "error", event
                if event.type == kind:
                    return event

    def all(self, kind):
        """Return the events of a kind so far."""
        return [event for event in self.events if event.type == kind]

    async def write(self, text):
        """Type a line and ask for the answer."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.connection.conversation.item.create(item=item)
        await self.connection.response.create()

    async def speak(self, pcm):
        """Send sound as a microphone does."""
        for piece in pieces(pcm):
            audio = b64encode(piece).decode()
            await self.connection.input_audio_buffer.append(audio=audio)


@pytest.fixture
async def client(http_base, websocket_base):
    """A client of the package that knows only the engine."""
    async with AsyncOpenAI(
        api_key="any", base_url=http_base, websocket_base_url=websocket_base
    ) as made:
        yield made


@asynccontextmanager
async def talk(client, **session):
    """Open a session and configure it."""
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        opened = Session(connection)
        await opened.until("session.created")
        await connection.session.update(session={"type": "realtime", **session})
        await opened.until("session.updated")
        yield opened


async def test_text_turn(client):
    async with talk(client, output_modalities=["text"]) as session:
        await session.write("Good morning")
        done = await session.until("response.done")
        await session.until("rate_limits.updated")

    assert done.response.status == "completed"
    assert done.response.output[0].content[0].text == 'You said: "Good morning".'
    deltas = session.all("response.output_text.delta")
    assert "".join(event.delta for event in deltas) == 'You said: "Good morning".'
    assert done.response.usage.total_tokens > 0


async def test_audio_turn(client):
    wish = {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
    async with talk(client, audio=wish) as session:
        await session.speak(quiet(300) + loud(1000) + quiet(1000))
        done = await session.until("response.done")

    (words,) = session.all("conversation.item.input_audio_transcription.completed")
    assert words.transcript.endswith("seconds of speech")
    transcript = done.response.output[0].content[0].transcript
    assert transcript == f'You said: "{words.transcript}".'
    deltas = session.all("response.output_audio.delta")
    heard = b"".join(b64decode(event.delta) for event in deltas)
    assert len(heard) > 48 * 1000
    assert any(heard)


async def test_tool_turn(client):
    async with talk(client, output_modalities=["text"], tools=[WEATHER]) as session:
        await session.write('get_weather {"city": "Kyoto"}')
        call = await session.until("response.function_call_arguments.done")
        await session.until("response.done")
        await session.connection.conversation.item.create(
            item={
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": "Sunny.",
            }
        )
        await session.connection.response.create()
        done = await session.until("response.done")

    assert (call.name, call.arguments) == ("get_weather", '{"city": "Kyoto"}')
    assert done.response.output[0].content[0].text == "The tool says: Sunny."


async def test_speech_interrupts_the_answer_and_what_was_not_heard_is_cut(client):
    async with talk(client) as session:
        await session.write("Please count slowly.")
        first = await session.until("response.output_audio.delta")
        await session.speak(loud(600))
        await session.until("input_audio_buffer.speech_started")
        done = await session.until("response.done")
        await session.connection.conversation.item.truncate(
            item_id=first.item_id, content_index=0, audio_end_ms=100
        )
        cut = await session.until("conversation.item.truncated")

    assert done.response.status == "cancelled"
    assert done.response.status_details.reason == "turn_detected"
    assert (cut.item_id, cut.audio_end_ms) == (first.item_id, 100)


async def test_client_cancels_the_answer(client):
    async with talk(client, output_modalities=["text"]) as session:
        await session.write("Please count slowly.")
        await session.until("response.output_text.delta")
        await session.connection.response.cancel()
        done = await session.until("response.done")

    assert done.response.status == "cancelled"
    assert done.response.status_details.reason == "client_cancelled"


async def test_answer_beside_the_conversation(client):
    content = [{"type": "input_text", "text": "Good night"}]
    async with talk(client) as session:
        await session.connection.response.create(
            response={
                "conversation": "none",
                "output_modalities": ["text"],
                "metadata": {"topic": "title"},
                "input": [{"type": "message", "role": "user", "content": content}],
            }
        )
        done = await session.until("response.done")

    assert done.response.conversation_id is None
    assert done.response.metadata == {"topic": "title"}
    assert done.response.output[0].content[0].text == 'You said: "Good night".'


async def test_transcription_session(client):
    wish = {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
    query = {"intent": "transcription"}
    async with client.realtime.connect(extra_query=query) as connection:
        session = Session(connection)
        created = await session.until("session.created")
        await connection.session.update(
            session={"type": "transcription", "audio": wish}
        )
        await session.until("session.updated")
        await session.speak(loud(800) + quiet(1000))
        done = "conversation.item.input_audio_transcription.completed"
        words = await session.until(done)

    assert created.session.type == "transcription"
    assert words.transcript.endswith("seconds of speech")
    assert session.all("response.created") == []


async def test_client_secret_opens_a_configured_session(
    client, http_base, websocket_base
):
    made = await client.realtime.client_secrets.create(
        session={"type": "realtime", "instructions": "Be brief."}
    )
    browser = AsyncOpenAI(api_key=made.value, websocket_base_url=websocket_base)
    async with browser, browser.realtime.connect(model="scripted") as connection:
        created = await Session(connection).until("session.created")

    assert made.value.startswith("ek_")
    assert created.session.instructions == "Be brief."


async def test_mistake_is_told_and_the_session_goes_on(client):
    async with talk(client, output_modalities=["text"]) as session:
        await session.connection.input_audio_buffer.commit(event_id="c1")
        told = await session.until("error", errors=True)
        await session.write("Hello")
        done = await session.until("response.done")

    assert told.error.code == "input_audio_buffer_commit_empty"
    assert told.error.event_id == "c1"
    assert done.response.status == "completed"


async def test_models(client):
    names = [model.id async for model in client.models.list()]

    assert names[0] == "scripted"
    assert {"local", "local-text", "echo"} <= set(names)
    assert (await client.models.retrieve("echo")).id == "echo"
