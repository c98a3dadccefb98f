"""Sessions that go as a scenario says, over real sockets."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64encode
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from realtime_widget.engine.conversation.core import SessionOptions
from realtime_widget.engine.models import all_models
from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.scenario.reading import read_scenario
from realtime_widget.engine.scenario.session import ScenarioModel
from realtime_widget.exceptions import UpstreamClosed
from tests.fakes.engine import loud, quiet
from tests.fakes.scripted import scripted_server

TEXT = {"type": "realtime", "output_modalities": ["text"]}


class Client:
    """A plain socket, and what came over it."""

    def __init__(self, socket):
        self.socket = socket
        self.frames = []

    async def send(self, kind, **fields):
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def read(self):
        async with asyncio.timeout(5):
            frame = await self.socket.recv()
        self.frames.append(frame)
        return frame

    async def until(self, kind):
        while True:
            event = json.loads(await self.read())
            if event["type"] == kind:
                return event

    async def ask(self, text="Hi"):
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.send("conversation.item.create", item=item)
        await self.send("response.create")

    async def close_code(self):
        try:
            while True:
                await self.read()
        except ConnectionClosed:
            return self.socket.close_code

    def kinds(self):
        return [json.loads(frame)["type"] for frame in self.frames]


@asynccontextmanager
async def client_of(scenario):
    async with (
        scripted_server(scenario=scenario) as base,
        connect(f"{base}/realtime?model=any") as socket,
    ):
        client = Client(socket)
        await client.until("session.created")
        await client.send("session.update", session=TEXT)
        await client.until("session.updated")
        yield client


def on(event, **action):
    return {"turns": [{"events": [{"at": event, **action}]}]}


async def test_turns_say_and_call_what_the_file_says_and_then_the_model_goes_on():
    call = {"name": "book", "arguments": {"seats": 2}}
    steps = [{"say": "One "}, {"wait_ms": 1}, {"say": "moment."}, {"call": call}]
    async with client_of({"turns": [{"steps": steps}, {}]}) as client:
        await client.ask()
        first = await client.until("response.done")
        await client.ask("hello")
        second = await client.until("response.done")

    message, called = first["response"]["output"]
    assert message["content"][0]["text"] == "One moment."
    assert (called["name"], called["arguments"]) == ("book", '{"seats": 2}')
    assert second["response"]["output"][0]["content"][0]["text"] == 'You said: "hello".'


async def test_speech_has_the_words_of_its_turn():
    turns = [{}, {"hears": "first words"}, {"hears": "second words"}]
    async with client_of({"turns": turns}) as client:
        await client.ask()
        await client.until("response.done")
        for words in ("first words", "second words"):
            for pcm in (loud(400), quiet(800)):
                audio = b64encode(pcm).decode()
                await client.send("input_audio_buffer.append", audio=audio)
            done = await client.until("response.done")
            text = done["response"]["output"][0]["content"][0]["text"]
            assert text == f'You said: "{words}".'


async def test_answer_fails():
    async with client_of({"turns": [{"steps": [{"fail": True}]}]}) as client:
        await client.ask()
        done = await client.until("response.done")
    assert done["response"]["status"] == "failed"


async def test_socket_is_dropped_at_the_event_of_the_turn():
    scenario = {"turns": [{}, *on("response.output_item.added", drop=True)["turns"]]}
    async with client_of(scenario) as client:
        await client.ask()
        await client.until("response.done")
        await client.ask()
        assert await client.close_code() == 1006
    assert client.kinds().count("response.created") == 2
    assert client.kinds().count("response.output_item.added") == 1


async def test_socket_is_closed_with_a_code_and_a_reason():
    action = {"close": {"code": 1011, "reason": "gone"}}
    async with client_of(on("response.done", **action)) as client:
        await client.ask()
        assert await client.close_code() == 1011
    assert client.socket.close_reason == "gone"


async def test_session_expires():
    async with client_of(on("response.done", expire=True)) as client:
        await client.ask()
        assert await client.close_code() == 1001
    assert json.loads(client.frames[-1])["error"]["code"] == "session_expired"


async def test_stalled_socket_says_nothing_and_stays_open():
    async with client_of(on("response.done", stall=True)) as client:
        await client.ask()
        await client.until("conversation.item.done")
        await client.until("conversation.item.done")
        await client.send("input_audio_buffer.clear")
        await asyncio.wait_for(await client.socket.ping(), 5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.socket.recv(), 0.05)
        assert client.socket.close_code is None


async def test_malformed_event_is_half_of_it_and_the_session_goes_on():
    async with client_of(on("response.output_item.added", malform=True)) as client:
        await client.ask()
        await client.until("response.created")
        with pytest.raises(json.JSONDecodeError):
            json.loads(await client.read())
        await client.until("response.done")


async def test_other_events_are_put_in():
    events = [
        {"at": "response.done", "error": {"code": "odd", "message": "Odd."}},
        {"at": "response.done", "send": {"type": "x.new", "field": 1}},
        {"at": "response.done", "raw": '"no event"'},
    ]
    async with client_of({"turns": [{"events": events}]}) as client:
        await client.ask()
        error = await client.until("error")
        new = await client.until("x.new")
        assert await client.read() == '"no event"'
        await client.until("response.done")
    assert (error["error"]["code"], error["error"]["message"]) == ("odd", "Odd.")
    assert new["field"] == 1
    assert new["event_id"]


async def test_order_is_wrong_and_events_are_missing_or_twice():
    events = [
        {"at": "response.created", "after": "response.output_item.added"},
        {"at": "response.content_part.done", "omit": True},
        {"at": "response.output_text.delta", "repeat": True},
    ]
    async with client_of({"turns": [{"events": events}]}) as client:
        await client.ask()
        await client.until("response.done")
    kinds = client.kinds()
    added = kinds.index("response.output_item.added")
    assert kinds[added + 1] == "response.created"
    assert "response.content_part.done" not in kinds
    assert kinds.count("response.output_text.delta") == 2


async def test_first_byte_is_slow():
    async with (
        scripted_server(
            scenario={"events": [{"at": "session.created", "delay_ms": 60}]}
        ) as base,
        connect(f"{base}/realtime") as socket,
    ):
        began_s = time.monotonic()
        assert "session.created" in await socket.recv()
        assert time.monotonic() - began_s > 0.05


async def test_each_client_meets_the_next_connection():
    connections = [
        {"handshake": {"status": 503, "delay_ms": 1}},
        on("x", drop=True),
        {},
    ]
    async with scripted_server(scenario={"connections": connections}) as base:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{base}/realtime")
        for _client in range(3):
            async with connect(f"{base}/realtime") as socket:
                assert "session.created" in await socket.recv()
    assert refused.value.response.status_code == 503


async def test_scenario_works_without_a_socket():
    model = all_models(EngineOptions(), "scripted").default
    scenario = read_scenario(
        {
            "events": [
                {"at": "session.created", "delay_ms": 30},
                {"at": "input_audio_buffer.cleared", "stall": True},
            ]
        }
    )
    session = ScenarioModel(model, scenario).open(SessionOptions())
    with pytest.raises(TimeoutError):  # a wait that is cancelled loses no event
        await asyncio.wait_for(session.next_event(), 0.001)
    assert b"session.created" in await asyncio.wait_for(session.next_event(), 5)
    session.receive(b'{"type": "input_audio_buffer.clear"}')
    waits = asyncio.create_task(session.next_event())
    await session.close()
    with pytest.raises(UpstreamClosed):
        await asyncio.wait_for(waits, 5)
