"""A language model's words on their way through a session of the engine."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from realtime_widget.engine.dialogue import phrases
from realtime_widget.engine.dialogue.chat_completions import (
    ChatCompletionsDialogue,
    Patience,
)
from realtime_widget.engine.loopback import LoopbackConnection
from realtime_widget.protocol.events import append_audio, encode
from tests.engine.machine import user_text
from tests.engine.speech.chat_server import Server, event, respond, stream, words
from tests.engine.speech.dialogues import SHOP
from tests.fakes import schema
from tests.fakes.engine import ScriptedStt, WordTts, loud, make_parts, quiet

PATIENCE = Patience(first_token_s=0.2, next_token_s=0.2)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


class Visitor:
    """Talks to the engine with a language model behind it."""

    def __init__(self, server, stt=None, **patience):
        self.tts = WordTts()
        dialogue = ChatCompletionsDialogue(server.url, model="m", **patience)
        self.engine = LoopbackConnection(
            make_parts(dialogue=dialogue, tts=self.tts, stt=stt)
        )
        self.events = []

    async def send(self, kind, **fields):
        await self.engine.send(encode({"type": kind, **fields}))

    async def say(self, text, **response):
        await self.send("conversation.item.create", item=user_text(text))
        await self.send("response.create", response=response)

    async def microphone(self, pcm):
        for at in range(0, len(pcm), 1920):
            await self.engine.send(append_audio(pcm[at : at + 1920]))

    async def until(self, kind):
        async with asyncio.timeout(10):
            while True:
                event = json.loads(await self.engine.receive())
                schema.check("server", event)
                self.events.append(event)
                if event["type"] == kind:
                    return event


async def test_first_sentence_is_spoken_while_the_model_still_writes(server):
    go_on = threading.Event()
    server.answer = stream(
        words("It is "), words("ready. You "), go_on, words("can collect it. Bye.")
    )
    visitor = Visitor(server)

    await visitor.say("Is it ready?")
    await visitor.until("response.output_audio.delta")
    assert [said for said, _voice, _speed in visitor.tts.said] == ["It is ready."]
    go_on.set()
    done = await visitor.until("response.done")

    assert [said for said, _voice, _speed in visitor.tts.said] == [
        "It is ready.",
        "You can collect it.",
        "Bye.",
    ]
    assert done["response"]["status"] == "completed"
    [item] = done["response"]["output"]
    assert item["content"][0]["transcript"] == ("It is ready. You can collect it. Bye.")
    await visitor.engine.close()


async def test_interruption_closes_the_request(server):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(words("And one more sentence. "))
            handler.wfile.flush()

    server.answer = endless
    visitor = Visitor(server, stt=ScriptedStt("wait"))
    await visitor.say("Tell me everything")
    await visitor.until("response.output_audio.delta")

    await visitor.microphone(quiet(320) + loud(320))
    done = await visitor.until("response.done")

    assert done["response"]["status"] == "cancelled"
    assert done["response"]["status_details"]["reason"] == "turn_detected"
    assert await asyncio.to_thread(server.hung_up.wait, 10)
    await visitor.engine.close()


async def test_client_that_leaves_closes_the_request(server):
    def until_gone(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(words("and "))
            handler.wfile.flush()

    server.answer = until_gone
    visitor = Visitor(server)
    await visitor.say("Tell me everything", output_modalities=["text"])
    await visitor.until("response.output_text.delta")

    await visitor.engine.close()

    assert await asyncio.to_thread(server.hung_up.wait, 10)


async def test_tool_call_of_the_model_goes_to_the_client_and_back(server):
    function = {"name": "order_status", "arguments": '{"order_number": "1042"}'}
    call = {"index": 0, "id": "call_x", "type": "function", "function": function}
    server.answer = stream(event({"tool_calls": [call]}))
    visitor = Visitor(server)
    await visitor.send("session.update", session={"type": "realtime", "tools": SHOP})
    await visitor.say("Where is my order?", output_modalities=["text"])
    called = await visitor.until("response.function_call_arguments.done")
    await visitor.until("response.done")
    server.answer = stream(words("It is on its way."))

    output = {"type": "function_call_output", "output": "shipped"}
    output["call_id"] = called["call_id"]
    await visitor.send("conversation.item.create", item=output)
    await visitor.send("response.create", response={"output_modalities": ["text"]})
    done = await visitor.until("response.done")

    assert done["response"]["output"][0]["content"][0]["text"] == "It is on its way."
    *_before, made, told = server.requests[1][2]["messages"]
    assert made["tool_calls"][0]["id"] == told["tool_call_id"] == called["call_id"]
    assert told["content"] == "shipped"
    await visitor.engine.close()


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_refused_request_is_apologised_for_aloud_and_seen_as_failed(
    server, status
):
    server.answer = lambda handler: respond(handler, b"secret words", status=status)
    visitor = Visitor(server)

    await visitor.say("Hello")
    done = await visitor.until("response.done")

    assert done["response"]["status"] == "failed"
    assert done["response"]["status_details"]["error"]["code"] == "server_error"
    said = " ".join(sentence for sentence, _voice, _speed in visitor.tts.said)
    assert said == phrases.UNANSWERED
    assert "secret" not in json.dumps(visitor.events)
    await visitor.engine.close()


async def test_refused_request_is_apologised_for_in_writing(server):
    server.answer = lambda handler: respond(handler, b"", status=503)
    visitor = Visitor(server)

    await visitor.say("Hello", output_modalities=["text"])
    done = await visitor.until("response.done")

    assert done["response"]["status"] == "failed"
    [item] = done["response"]["output"]
    assert item["content"][0]["text"] == phrases.UNANSWERED
    await visitor.engine.close()


async def test_model_that_falls_silent_is_apologised_for_and_the_talk_goes_on(server):
    release = threading.Event()
    server.answer = stream(words("It is ready. You can"), release)
    visitor = Visitor(server, patience=PATIENCE)

    await visitor.say("Is it ready?")
    failed = await visitor.until("response.done")
    release.set()
    server.answer = stream(words("Yes."))
    await visitor.say("And now?", output_modalities=["text"])
    done = await visitor.until("response.done")

    [item] = failed["response"]["output"]
    assert failed["response"]["status"] == "failed"
    assert item["content"][0]["transcript"] == (
        f"It is ready. You can {phrases.UNANSWERED}"
    )
    assert done["response"]["status"] == "completed"
    await visitor.engine.close()
