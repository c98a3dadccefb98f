"""A whole session over a real socket: bridge, connection and a scripted server."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode

import pytest

from realtime_widget.session.bridge import Bridge
from realtime_widget.session.ports import ItemFact
from realtime_widget.upstream.connection import open_connection
from tests.fakes.browser import HandlerTools, RecordingBrowser, RecordingRecorder
from tests.session.driving import MS, config, tool
from tests.upstream.servers import target, websocket_server

PART = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}


class Model:
    """A small model's server: an answer to each ``response.create``."""

    def __init__(self):
        self.received = []
        self.then = None

    async def __call__(self, websocket):
        await self.send(websocket, "session.created", session={"type": "realtime"})
        async for raw in websocket:
            event = json.loads(raw)
            self.received.append(event["type"])
            if event["type"] == "session.update":
                await self.send(websocket, "session.updated", session=event["session"])
            elif event["type"] == "response.create":
                await self.answer(websocket)

    async def answer(self, websocket):
        if self.then is not None:
            await self.then(websocket)
            return
        first = "function_call_output" not in str(self.received)
        await self.send(websocket, "response.created", response={"id": "r"})
        delta = b64encode(b"\1" * 200 * MS).decode()
        for _ in range(2 if first else 0):
            await self.send(
                websocket, "response.output_audio_transcript.delta", **PART, delta="Hi "
            )
            await self.send(
                websocket, "response.output_audio.delta", **PART, delta=delta
            )
        await self.send(websocket, "response.output_audio.done", **PART)
        await self.send(
            websocket,
            "response.output_audio_transcript.done",
            **PART,
            transcript="Hi Hi",
        )
        await self.send(
            websocket, "response.done", response={"id": "r", "status": "completed"}
        )

    @staticmethod
    async def send(websocket, kind, **fields):
        await websocket.send(json.dumps({"type": kind, "event_id": "e", **fields}))


class Talk:
    """A bridge that dials a port."""

    def __init__(self, port, **fields):
        self.browser = RecordingBrowser()
        self.recorder = RecordingRecorder()
        self.bridge = Bridge(
            config(tools=[tool()]),
            browser=self.browser,
            tools=HandlerTools(),
            recorder=self.recorder,
            connect=lambda: open_connection(target(port, **fields)),
        )


async def test_a_session_over_a_real_socket_from_start_to_stop():
    model = Model()
    async with websocket_server(model) as port:
        talk = Talk(port)
        running = asyncio.create_task(talk.bridge.run())
        await talk.browser.wait_for("session.started")
        for _ in range(10):
            await talk.bridge.receive_audio(b"\0" * 40 * MS)
        await talk.bridge.receive_message({"type": "message", "text": "Hello"})
        await talk.browser.wait_for("audio.end")
        talk.bridge.stop("user")
        end = await running
    assert (end.reason, end.close_code) == ("user", 1000)
    assert model.received == [
        "session.update",
        *["input_audio_buffer.append"] * 10,
        "conversation.item.create",
        "response.create",
    ]
    assert talk.browser.audio_bytes == 400 * MS
    assert [fact.text for fact in talk.recorder.of(ItemFact)][:2] == ["Hello", "Hi Hi"]
    assert talk.browser.log[-1] == "session.stopped"
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def huge(websocket):
    await websocket.send(json.dumps({"type": "x", "padding": "x" * 2_000_000}))


async def closes_with_quota(websocket):
    await websocket.close(4000, "insufficient_quota.insufficient_quota")


async def resets(websocket):
    websocket.transport.abort()


@pytest.mark.parametrize(
    ("then", "code"),
    [
        (huge, "upstream_lost"),
        (closes_with_quota, "upstream_quota"),
        (resets, "upstream_lost"),
    ],
)
async def test_a_server_that_fails_in_the_middle_ends_the_session(then, code):
    model = Model()
    model.then = then
    async with websocket_server(model) as port:
        talk = Talk(port, max_event_bytes=1_000_000)
        running = asyncio.create_task(talk.bridge.run())
        await talk.browser.wait_for("session.started")
        await talk.bridge.receive_message({"type": "message", "text": "Hello"})
        end = await running
    assert (end.reason, end.error_code, end.close_code) == ("upstream", code, 4502)
    assert [fact.text for fact in talk.recorder.of(ItemFact)] == ["Hello"]


async def test_a_server_that_refuses_the_key_ends_the_session():
    async with websocket_server(Model(), status=401) as port:
        talk = Talk(port)
        end = await talk.bridge.run()
    assert end.error_code == "upstream_auth"
    assert talk.browser.log == ["state", "error", "session.stopped"]
