"""The preview of October 2024, row by row, over a real WebSocket: events and objects."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

from tests.engine.beta_client import BETA, LOUD, SAID, client, found, journey
from tests.fakes import beta_schema
from tests.fakes.scripted import scripted_server


@pytest.fixture(scope="module")
def walked():
    """The journey, made once for all rows."""
    return asyncio.run(journey())


COMMANDS = dict(
    zip(
        (f"AZ-{n:02}" for n in range(2, 11)),
        (
            "session.update",
            "input_audio_buffer.append",
            "input_audio_buffer.commit",
            "input_audio_buffer.clear",
            "conversation.item.create",
            "conversation.item.delete",
            "conversation.item.truncate",
            "response.create",
            "response.cancel",
        ),
        strict=True,
    )
)
EVENTS = dict(
    zip(
        (f"AZ-{n:02}" for n in range(11, 38)),
        (
            "session.created",
            "session.updated",
            "conversation.item.created",
            "conversation.item.deleted",
            "conversation.item.truncated",
            "response.created",
            "response.done",
            "rate_limits.updated",
            "response.output_item.added",
            "response.output_item.done",
            "response.content_part.added",
            "response.content_part.done",
            "response.audio.delta",
            "response.audio.done",
            "response.audio_transcript.delta",
            "response.audio_transcript.done",
            "response.text.delta",
            "response.text.done",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "conversation.item.input_audio_transcription.completed",
            "conversation.item.input_audio_transcription.failed",
            "input_audio_buffer.committed",
            "input_audio_buffer.cleared",
            "error",
        ),
        strict=True,
    )
)
# Only a recogniser that fails sends it: test_beta_answers.py.
ELSEWHERE = {"AZ-34"}


def test_the_rows_name_what_the_description_names():
    assert sorted(COMMANDS.values()) == sorted(beta_schema.event_names("client"))
    assert sorted(EVENTS.values()) == sorted(beta_schema.event_names("server"))


async def test_az01_the_address_takes_a_bearer_token():
    async with scripted_server(key="right") as base:
        headers = {**BETA, "Authorization": "Bearer right"}
        async with connect(f"{base}/realtime", additional_headers=headers) as websocket:
            assert json.loads(await websocket.recv())["type"] == "session.created"
        async with connect(f"{base}/realtime", additional_headers=BETA) as websocket:
            error = json.loads(await websocket.recv())
    assert error["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(("row", "command"), COMMANDS.items())
def test_command_is_understood(row, command, walked):
    assert command in [event["type"] for event in walked.sent]
    # The one error of the journey is the one it provokes.
    (error,) = [event["error"] for event in walked.read if event["type"] == "error"]
    assert error["event_id"] == "nothing_to_cancel"
    assert error["code"] == "response_cancel_not_active"


@pytest.mark.parametrize(
    ("row", "kind"), [pair for pair in EVENTS.items() if pair[0] not in ELSEWHERE]
)
def test_event_is_sent_as_described(row, kind, walked):
    assert kind in walked.kinds()
    assert set(walked.kinds()) <= set(beta_schema.event_names("server"))


OBJECTS = {
    "AZ-38": ("Response", lambda o: o.get("object") == "realtime.response"),
    "AZ-39": ("ResponseSession", lambda o: o.get("object") == "realtime.session"),
    "AZ-40": ("ResponseError", lambda o: o.get("code") == "response_cancel_not_active"),
    "AZ-42": ("ResponseRateLimitDetailsItem", lambda o: "reset_seconds" in o),
    "AZ-51": ("ResponseItem", lambda o: o.get("object") == "realtime.item"),
    "AZ-52": ("ResponseMessageItem", lambda o: o.get("role") == "assistant"),
    "AZ-53": ("ResponseFunctionCallItem", lambda o: o.get("type") == "function_call"),
    "AZ-54": (
        "ResponseFunctionCallOutputItem",
        lambda o: o.get("type") == "function_call_output",
    ),
    "AZ-57": ("ResponseTextContentPart", lambda o: o.get("type") == "text"),
    "AZ-58": ("ResponseAudioContentPart", lambda o: o.get("type") == "audio"),
    "AZ-60": (
        "FunctionTool",
        lambda o: "parameters" in o and o.get("type") == "function",
    ),
    "AZ-61": ("ToolChoiceFunctionObject", lambda o: "function" in o),
    "AZ-62": (
        "AudioInputTranscriptionSettings",
        lambda o: o.get("model") == "whisper-1",
    ),
    "AZ-63": ("ResponseCancelledStatusDetails", lambda o: o.get("type") == "cancelled"),
}


@pytest.mark.parametrize(
    ("row", "name", "is_one"), [(k, *v) for k, v in OBJECTS.items()]
)
def test_object_has_its_shape(row, name, is_one, walked):
    seen = found(walked.read, is_one)
    assert seen
    for one in seen:
        beta_schema.check_object(name, beta_schema.as_described(one))


REQUEST_ITEMS = {
    "AZ-43": ("RequestItem", {"type": "message", "role": "user", "content": SAID}),
    "AZ-44": (
        "RequestMessageItem",
        {"type": "message", "role": "user", "content": SAID, "status": "completed"},
    ),
    "AZ-45": (
        "RequestSystemMessageItem",
        {"type": "message", "role": "system", "content": SAID},
    ),
    "AZ-46": (
        "RequestUserMessageItem",
        {
            "type": "message",
            "role": "user",
            "content": [*SAID, {"type": "input_audio", "audio": LOUD}],
        },
    ),
    "AZ-47": (
        "RequestAssistantMessageItem",
        {"type": "message", "role": "assistant", "content": SAID},
    ),
    "AZ-48": (
        "RequestFunctionCallItem",
        {
            "type": "function_call",
            "name": "get_weather",
            "call_id": "call_1",
            "arguments": "{}",
            "status": "completed",
        },
    ),
    "AZ-49": (
        "RequestFunctionCallOutputItem",
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
    ),
    "AZ-55": (
        "RequestUserMessageItem",
        {"type": "message", "role": "user", "content": SAID},
    ),
    "AZ-56": (
        "RequestUserMessageItem",
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_audio", "audio": LOUD, "transcript": "hi"}],
        },
    ),
}


@pytest.mark.parametrize(
    ("row", "name", "item"), [(k, *v) for k, v in REQUEST_ITEMS.items()]
)
async def test_item_is_taken(row, name, item):
    beta_schema.check_object(name, item)
    async with client() as one:
        if item["type"] == "function_call_output":
            call = REQUEST_ITEMS["AZ-48"][1]
            await one.send("conversation.item.create", item=call)
            await one.until("conversation.item.created")
        await one.send_unjudged("conversation.item.create", item=item)
        created = await one.until("conversation.item.created")
    assert created["item"]["type"] == item["type"]
    if item.get("role") == "assistant":
        assert created["item"]["content"] == [{"type": "text", "text": "hi"}]


async def test_az50_a_message_of_an_id_points_at_one_that_is_there():
    async with client() as one:
        first = await one.say("the first")
        await one.say("the second")
        reference = {"type": "message", "id": first["item"]["id"]}
        beta_schema.check_object("RequestMessageReferenceItem", reference)
        await one.send("response.create", response={"input_items": [reference]})
        done = await one.until("response.done")
    (answer,) = done["response"]["output"]
    assert "the first" in answer["content"][0]["transcript"]


@pytest.mark.parametrize(
    "given",
    [
        {
            "type": "server_vad",
            "silence_duration_ms": "700",
            "prefix_padding_ms": "200ms",
        },
        {
            "type": "server_vad",
            "silence_duration_ms": "PT0.7S",
            "prefix_padding_ms": "PT0.2S",
        },
        {"type": "server_vad", "silence_duration_ms": 700, "prefix_padding_ms": 200},
    ],
)
async def test_az59_lengths_of_turn_detection_are_read_as_texts_and_numbers(given):
    async with client() as one:
        await one.send_unjudged("session.update", session={"turn_detection": given})
        session = (await one.until("session.updated"))["session"]
    assert session["turn_detection"]["silence_duration_ms"] == 700
    assert session["turn_detection"]["prefix_padding_ms"] == 200
    assert session["turn_detection"]["threshold"] == 0.5


async def test_az64_an_answer_cut_by_its_bound_is_incomplete():
    async with client() as one:
        await one.update(modalities=["text"])
        done = await one.ask("something long", max_output_tokens=5)
    details = done["response"]["status_details"]
    beta_schema.check_object("ResponseIncompleteStatusDetails", details)
    assert details["reason"] == "max_output_tokens"


async def test_az65_an_answer_that_fails_says_so():
    scenario = {"connections": [{"turns": [{"steps": [{"fail": True}]}]}]}
    async with client(scenario) as one:
        done = await one.ask("hello")
    assert done["response"]["status"] == "failed"
    beta_schema.check_object(
        "ResponseFailedStatusDetails", done["response"]["status_details"]
    )
