"""A client of the beta, and a journey through all of its commands.

Each event a session sends is judged by the preview's own description and by the types
of the later beta (``tests/fakes/beta_schema.py``).
"""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import asynccontextmanager

from websockets.asyncio.client import connect

from tests.fakes import beta_schema
from tests.fakes.scripted import scripted_server

BETA = {"OpenAI-Beta": "realtime=v1", "Authorization": "Bearer any"}
LOUD = base64.b64encode(b"\x00\x40" * 24_000).decode()
QUIET = base64.b64encode(bytes(48_000)).decode()
# The description gives them defaults and asks for them nevertheless.
DEFAULT_WISH = {"commit": True, "cancel_previous": True}
SAID = [{"type": "input_text", "text": "hi"}]
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Client:
    """A client of the beta that judges whatever it sends and reads."""

    def __init__(self, websocket):
        self.websocket = websocket
        self.sent = []
        self.read = []

    async def send(self, kind, **fields):
        event = {"type": kind, **fields}
        if "response" in event:
            event["response"] = {**DEFAULT_WISH, **event["response"]}
        beta_schema.check("client", event)
        self.sent.append(event)
        await self.websocket.send(json.dumps(event))

    async def send_unjudged(self, kind, **fields):
        await self.websocket.send(json.dumps({"type": kind, **fields}))

    async def until(self, kind):
        """Read to the next event of a kind."""
        while True:
            async with asyncio.timeout(15):
                event = json.loads(await self.websocket.recv())
            beta_schema.check("server", event)
            self.read.append(event)
            if event["type"] == kind:
                return event

    async def ask(self, text, **response):
        await self.say(text)
        await self.send(
            "response.create", **({"response": response} if response else {})
        )
        return await self.until("response.done")

    async def say(self, text, **fields):
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.send("conversation.item.create", item={**item, **fields})
        return await self.until("conversation.item.created")

    async def update(self, **session):
        await self.send("session.update", session=session)
        return (await self.until("session.updated"))["session"]

    def kinds(self):
        return [event["type"] for event in self.read]


@asynccontextmanager
async def client(
    scenario=None, headers=BETA, query="model=gpt-4o-realtime-preview", **options
):
    async with scripted_server(scenario=scenario, **options) as base:
        address = f"{base}/realtime?{query}"
        async with connect(address, additional_headers=headers) as websocket:
            one = Client(websocket)
            await one.until("session.created")
            yield one


async def _speak(one):
    """Talk aloud, cut and delete the answer, commit by hand, and cancel."""
    await one.send("input_audio_buffer.append", audio=LOUD)
    await one.send("input_audio_buffer.append", audio=QUIET)
    done = await one.until("response.done")
    spoken = done["response"]["output"][0]["id"]
    await one.send(
        "conversation.item.truncate",
        item_id=spoken,
        content_index=0,
        audio_end_ms=100,
    )
    await one.until("conversation.item.truncated")
    await one.send("conversation.item.delete", item_id=spoken)
    await one.until("conversation.item.deleted")
    await one.update(
        turn_detection={"type": "server_vad"},
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
    )
    await one.send("input_audio_buffer.append", audio=LOUD)
    await one.send("input_audio_buffer.clear")
    await one.until("input_audio_buffer.cleared")
    await one.send_unjudged(
        "session.update", session={"turn_detection": None, "tool_choice": "none"}
    )
    await one.until("session.updated")
    await one.send("input_audio_buffer.append", audio=LOUD)
    await one.send("input_audio_buffer.commit", event_id="event_of_mine")
    await one.until("conversation.item.input_audio_transcription.completed")
    await one.say("count slowly")
    await one.send("response.create")
    await one.until("response.audio.delta")
    await one.send("response.cancel")
    await one.until("response.done")
    await one.send("response.cancel", event_id="nothing_to_cancel")
    await one.until("error")


async def journey():
    """Use every command; return the client with all it read."""
    async with client() as one:
        await one.update(
            model="gpt-4o-realtime",
            modalities=["text", "audio"],
            voice="echo",
            instructions="Be brief.",
            input_audio_format="pcm16",
            output_audio_format="pcm16",
            input_audio_transcription={"model": "whisper-1"},
            turn_detection={
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": "300",
                "silence_duration_ms": "300",
            },
            tools=[WEATHER],
            tool_choice="auto",
            temperature=0.7,
            max_response_output_tokens=500,
        )
        done = await one.ask('get_weather {"city": "Oslo"}')
        (call,) = done["response"]["output"]
        output = {"type": "function_call_output", "call_id": call["call_id"]}
        await one.send("conversation.item.create", item={**output, "output": "sunny"})
        await one.send("response.create", response={"modalities": ["text"]})
        await one.until("response.done")
        await _speak(one)
        return one


def found(value, test):
    """Return all objects inside a value that pass a test."""
    inner = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(inner, list):
        return []
    own = [value] if isinstance(value, dict) and test(value) else []
    return own + [one for part in inner for one in found(part, test)]
