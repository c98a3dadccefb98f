"""The preview of October 2024, row by row: values, ``response.create``, quirks."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

from tests.engine.beta_client import BETA, SAID, WEATHER, client, found, journey
from tests.fakes.scripted import scripted_server


@pytest.fixture(scope="module")
def walked():
    """The journey, made once for all rows."""
    return asyncio.run(journey())


ENUMS = {
    "AZ-66": ("input_audio_format", ["pcm16", "g711_ulaw", "g711_alaw"]),
    "AZ-67": ("input_audio_transcription", [{"model": "whisper-1"}]),
    "AZ-74": ("tool_choice", ["auto", "none", "required"]),
    "AZ-77": ("voice", ["alloy", "shimmer", "echo"]),
}


@pytest.mark.parametrize(
    ("row", "field", "value"), [(k, f, v) for k, (f, vs) in ENUMS.items() for v in vs]
)
async def test_value_is_taken_and_shown(row, field, value):
    async with client() as one:
        assert (await one.update(**{field: value, "tools": [WEATHER]}))[field] == value


KNOWN = {
    "AZ-68": (
        "type",
        {"input_text", "input_audio", "text", "audio"},
        lambda o: (
            "object" not in o
            and ("text" in o or "transcript" in o)
            and "event_id" not in o
        ),
    ),
    "AZ-69": (
        "status",
        {"in_progress", "completed", "incomplete"},
        lambda o: o.get("object") == "realtime.item" and "status" in o,
    ),
    "AZ-70": (
        "type",
        {"message", "function_call", "function_call_output"},
        lambda o: o.get("object") == "realtime.item",
    ),
    "AZ-71": ("role", {"system", "user", "assistant"}, lambda o: "role" in o),
    "AZ-73": (
        "status",
        {"in_progress", "completed", "cancelled", "incomplete", "failed"},
        lambda o: o.get("object") == "realtime.response",
    ),
    "AZ-75": ("type", {"function"}, lambda o: "parameters" in o),
    "AZ-76": ("type", {"server_vad"}, lambda o: "silence_duration_ms" in o),
}


@pytest.mark.parametrize(
    ("row", "field", "known", "is_one"), [(k, *v) for k, v in KNOWN.items()]
)
def test_only_known_words_are_said(row, field, known, is_one, walked):
    seen = {one[field] for one in found(walked.read, is_one)}
    assert seen
    assert seen <= known


async def test_az72_the_preview_s_model_is_taken():
    async with client(query="model=gpt-4o-realtime-preview-2024-10-01") as one:
        assert one.read[0]["session"]["model"] == "gpt-4o-realtime-preview-2024-10-01"
        assert one.read[0]["session"]["voice"] == "alloy"
        assert one.read[0]["session"]["temperature"] == 0.8


# --- AZ-78: what response.create does ----------------------------------------------


async def test_az78_a_new_answer_cancels_the_one_before():
    async with client() as one:
        await one.say("count slowly")
        await one.send("response.create")
        await one.until("response.audio.delta")
        await one.say("hello")
        await one.send("response.create")
        first = await one.until("response.done")
        second = await one.until("response.done")
    assert first["response"]["status_details"]["reason"] == "client_cancelled"
    assert second["response"]["status"] == "completed"
    assert "error" not in one.kinds()


async def test_az78_a_new_answer_may_wait_for_the_one_before():
    async with client() as one:
        await one.update(modalities=["text"])
        await one.say("count slowly")
        await one.send("response.create")
        await one.until("response.text.delta")
        extra = {"type": "message", "role": "user", "content": SAID}
        await one.send(
            "response.create",
            response={"cancel_previous": False, "append_input_items": [extra]},
        )
        first = await one.until("response.done")
        second = await one.until("response.done")
    assert first["response"]["status"] == second["response"]["status"] == "completed"
    assert "hi" in second["response"]["output"][0]["content"][0]["text"]


async def test_az78_items_are_appended_before_the_answer():
    async with client() as one:
        extra = {"type": "message", "role": "user", "content": SAID}
        await one.send("response.create", response={"append_input_items": [extra]})
        done = await one.until("response.done")
        assert "hi" in done["response"]["output"][0]["content"][0]["transcript"]
    assert one.kinds().count("conversation.item.created") == 2


async def test_az78_an_answer_that_is_not_committed_leaves_no_trace():
    async with client() as one:
        await one.say("the talk so far")
        before = one.kinds().count("conversation.item.created")
        extra = {"type": "message", "role": "user", "content": SAID}
        await one.send(
            "response.create", response={"commit": False, "append_input_items": [extra]}
        )
        done = await one.until("response.done")
        assert "hi" in done["response"]["output"][0]["content"][0]["transcript"]
    assert one.kinds().count("conversation.item.created") == before


async def test_az78_an_answer_may_have_a_context_of_its_own():
    async with client() as one:
        await one.say("the talk so far")
        fresh = {"type": "message", "role": "user", "content": SAID}
        await one.send("response.create", response={"input_items": [fresh]})
        done = await one.until("response.done")
    assert "hi" in done["response"]["output"][0]["content"][0]["transcript"]


@pytest.mark.parametrize(
    ("response", "param"),
    [
        ({"append_input_items": "all"}, "response.append_input_items"),
        ({"modalities": ["audio"]}, "response.modalities"),
        ({"temperature": 3}, "response.temperature"),
        ({"voice": 7}, "response.voice"),
    ],
)
async def test_az78_a_wrong_wish_is_refused_by_its_beta_name(response, param):
    async with client() as one:
        await one.send_unjudged("response.create", response=response, event_id="mine")
        error = (await one.until("error"))["error"]
    assert error["param"] == param
    assert error["event_id"] == "mine"


# --- AZ-79: quirks -----------------------------------------------------------------


def test_az79_fields_have_the_preview_s_names(walked):
    (done,) = [e for e in walked.read if e["type"] == "response.text.done"]
    assert done["value"]
    (cut,) = [e for e in walked.read if e["type"] == "conversation.item.truncated"]
    assert cut["index"] == 0
    choices = found(walked.read, lambda o: isinstance(o.get("tool_choice"), dict))
    assert choices[0]["tool_choice"]["function"]["name"] == "get_weather"
    never = ("conversation.created", "response.cancelled", "conversation.item.done")
    assert not set(never) & set(walked.kinds())
    session = walked.read[0]["session"]
    assert session["max_response_output_tokens"] is None
    assert {"audio", "type", "output_modalities", "truncation"}.isdisjoint(session)


# --- how the dialect is chosen -------------------------------------------------------


async def test_the_subprotocol_or_a_preview_version_chooses_it_too():
    async with scripted_server() as base:
        for address, subprotocols in (
            (f"{base}/realtime", ["realtime", "openai-beta.realtime-v1"]),
            (f"{base}/realtime?api-version=2024-10-01-preview", None),
        ):
            async with connect(address, subprotocols=subprotocols) as websocket:
                created = json.loads(await websocket.recv())
                assert "modalities" in created["session"]


async def test_a_server_of_the_beta_needs_no_header():
    async with client(headers={}, dialect="beta") as one:
        assert (await one.ask("hello"))["response"]["status"] == "completed"


async def test_a_server_of_ga_refuses_the_beta_as_openai_does():
    async with (
        scripted_server(dialect="ga") as base,
        connect(f"{base}/realtime", additional_headers=BETA) as websocket,
    ):
        error = json.loads(await websocket.recv())
        await websocket.wait_closed()
    assert error["error"]["code"] == "beta_api_shape_disabled"
    assert websocket.close_code == 4000
