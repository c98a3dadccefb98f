"""A session with a server that knows the preview of October 2024 and not a field more."""

from __future__ import annotations

import asyncio
import json
import logging
from base64 import b64encode

import pytest

from realtime_widget.session.bridge import Bridge
from realtime_widget.session.ports import ItemFact
from realtime_widget.upstream.connection import as_asked, open_connection
from realtime_widget.upstream.providers import Target
from tests.fakes import beta_schema
from tests.fakes.browser import HandlerTools, RecordingBrowser, RecordingRecorder
from tests.session.driving import MS, config
from tests.upstream.servers import DRIVERS, target, websocket_server

KNOWN = beta_schema.preview()["Realtime.RealtimeRequestSessionUpdateCommand"]
KNOWN = set(KNOWN["properties"]["session"]["properties"])
DETECTION = {"type", "threshold", "prefix_padding_ms", "silence_duration_ms"}
PART = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
ITEM = {"id": "i", "object": "realtime.item", "type": "message", "role": "assistant"}
SOUND = b64encode(b"\1" * 200 * MS).decode()


class PreviewServer:
    """Answers as the preview is described; refuses every field it does not describe."""

    def __init__(self):
        self.sessions = []
        self.refused = []

    async def __call__(self, websocket):
        await self.send(websocket, "session.created", session={"modalities": ["text"]})
        async for raw in websocket:
            event = json.loads(raw)
            if event["type"] == "session.update":
                await self.update(websocket, event)
            elif event["type"] == "conversation.item.create":
                item = {
                    **event["item"],
                    "object": "realtime.item",
                    "status": "completed",
                }
                await self.send(websocket, "conversation.item.created", item=item)
            elif event["type"] == "response.create":
                await self.answer(websocket)

    async def update(self, websocket, event):
        session = event["session"]
        self.sessions.append(session)
        unknown = [f"session.{name}" for name in sorted(session.keys() - KNOWN)]
        detection = session.get("turn_detection") or {}
        unknown += [
            f"session.turn_detection.{name}"
            for name in sorted(detection.keys() - DETECTION)
        ]
        if not unknown:
            await self.send(websocket, "session.updated", session=session)
            return
        self.refused.append(unknown[0])
        error = {
            "type": "invalid_request_error",
            "code": "unknown_parameter",
            "message": f"Unknown parameter: '{unknown[0]}'.",
            "param": unknown[0],
            "event_id": event["event_id"],
        }
        await self.send(websocket, "error", error=error)

    async def answer(self, websocket):
        started = {**ITEM, "status": "in_progress", "content": []}
        await self.send(websocket, "response.created", response={"id": "r"})
        await self.send(websocket, "conversation.item.created", item=started)
        for words in ("Good ", "morning."):
            await self.send(
                websocket, "response.audio_transcript.delta", **PART, delta=words
            )
            # Keys in alphabetical order, as some servers write them.
            delta = {"event_id": "e", "type": "response.audio.delta", **PART}
            await websocket.send(json.dumps({**delta, "delta": SOUND}, sort_keys=True))
        await self.send(websocket, "response.audio.done", **PART)
        await self.send(websocket, "response.audio_transcript.done", **PART)
        content = [{"type": "audio", "transcript": "Good morning."}]
        item = {**ITEM, "status": "completed", "content": content}
        output = {"response_id": "r", "output_index": 0, "item": item}
        await self.send(websocket, "response.output_item.done", **output)
        done = {"id": "r", "status": "completed", "output": [item]}
        await self.send(websocket, "response.done", response=done)

    @staticmethod
    async def send(websocket, kind, **fields):
        await websocket.send(json.dumps({"event_id": "e", "type": kind, **fields}))


async def test_a_session_loses_the_fields_such_a_server_refuses_and_nothing_else(
    caplog,
):
    server, browser, recorder = PreviewServer(), RecordingBrowser(), RecordingRecorder()
    caplog.set_level(logging.WARNING, logger="realtime_widget.session")
    async with websocket_server(server) as port:
        bridge = Bridge(
            config(noise_reduction="near_field", speed=1.2),
            browser=browser,
            tools=HandlerTools(),
            recorder=recorder,
            connect=lambda: open_connection(target(port)),
        )
        running = asyncio.create_task(bridge.run())
        await browser.wait_for("session.started")
        await bridge.receive_message({"type": "message", "text": "Hello"})
        said = await browser.wait_for("transcript", role="assistant", final=True)
        await browser.wait_for("audio.end")
        bridge.stop("user")
        end = await running
    assert (end.reason, end.error_code) == ("user", "")
    assert sorted(server.refused) == [
        "session.input_audio_noise_reduction",
        "session.speed",
        "session.turn_detection.create_response",
        "session.turn_detection.interrupt_response",
    ]
    taken = server.sessions[-1]
    assert taken["instructions"] == "Be kind."
    assert taken["turn_detection"]["type"] == "server_vad"
    # The operator learns which fields, by the names that GA has for them.
    told = "\n".join(record.getMessage() for record in caplog.records)
    for field in ("noise_reduction", "turn_detection.create_response"):
        assert f"session_field_refused: session.audio.input.{field}" in told
    assert "session_field_refused: session.audio.output.speed" in told
    assert said["text"] == "Good morning."
    assert browser.audio_bytes == 400 * MS
    assert [fact.text for fact in recorder.of(ItemFact)][:2] == [
        "Hello",
        "Good morning.",
    ]
    assert "malformed_event" not in bridge.counters


@pytest.mark.parametrize(
    ("url", "dialect", "told"),
    [
        ("wss://api.openai.com/v1/realtime?model=m", "ga", None),
        ("wss://EU.api.openai.com:443/v1/realtime", "ga", None),
        ("wss://notopenai.com/v1/realtime", "beta", "realtime=v1"),
        ("wss://openai.com.example/v1/realtime", "beta", "realtime=v1"),
    ],
)
def test_openai_is_never_asked_for_the_beta(url, dialect, told):
    asked = as_asked(Target(url, dialect="beta"))
    assert asked.dialect == dialect
    assert asked.headers.get("OpenAI-Beta") == told


@pytest.mark.parametrize(
    ("dialect", "told"), [("beta", "realtime=v1"), ("auto", None), ("ga", None)]
)
@pytest.mark.parametrize("driver", DRIVERS)
async def test_the_handshake_asks_for_the_beta_where_the_row_says_so(
    driver, dialect, told
):
    seen = []
    async with websocket_server(PreviewServer(), seen=seen) as port:
        connection = await open_connection(target(port, dialect=dialect, driver=driver))
        await connection.close()
    assert seen[0].headers.get("OpenAI-Beta") == told
