"""How the preview asks for answers, when the client does not wait between its events."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode

import pytest
from websockets.asyncio.client import connect

from realtime_widget.engine.beta_answers import MOST_WAITING
from realtime_widget.engine.beta_face import BetaFace
from realtime_widget.engine.conversation.items import MAX_ITEMS
from tests.engine.beta_client import BETA, SAID, Client, client
from tests.engine.ports import running
from tests.fakes import beta_schema
from tests.fakes.engine import ScriptedStt, loud, make_parts

HI = {"type": "message", "role": "user", "content": SAID}
TEXT = {"modalities": ["text"]}
BAD = {"type": "bogus"}


async def create(one, *, event_id="mine", **response):
    await one.send_unjudged("response.create", event_id=event_id, response=response)


async def refusal(one):
    return (await one.until("error"))["error"]


def words(done):
    return done["response"]["output"][0]["content"][0]["text"]


def created(one):
    return one.kinds().count("conversation.item.created")


async def test_az78_the_second_of_two_wishes_at_once_takes_the_place_of_the_first():
    async with client() as one:
        await one.say("count slowly")
        await create(one, **TEXT)
        await create(one, **TEXT)
        first = await one.until("response.done")
        await one.send("response.cancel")
        second = await one.until("response.done")
    assert first["response"]["status_details"]["reason"] == "client_cancelled"
    assert second["response"]["id"] != first["response"]["id"]
    assert "error" not in one.kinds()


async def test_az78_an_answer_that_is_not_committed_sees_what_was_said_just_before():
    async with client() as one:
        await one.send_unjudged("conversation.item.create", item=HI)
        system = {"type": "message", "role": "system", "content": SAID}
        await create(one, commit=False, append_input_items=[system], **TEXT)
        assert words(await one.until("response.done")) == 'You said: "hi".'


async def test_az78_an_answer_that_waits_sees_what_was_said_meanwhile():
    async with client() as one:
        await one.say("count slowly")
        await create(one, **TEXT)
        system = {"type": "message", "role": "system", "content": SAID}
        await create(
            one,
            cancel_previous=False,
            commit=False,
            append_input_items=[system],
            **TEXT,
        )
        await one.say("meanwhile")
        await one.until("response.text.delta")
        await one.send("response.cancel")
        await one.until("response.done")
        assert words(await one.until("response.done")) == 'You said: "meanwhile".'


async def test_az78_cancel_stops_an_answer_that_is_not_committed():
    async with client() as one:
        await one.say("count slowly")
        await create(one, commit=False, **TEXT)
        await one.until("response.text.delta")
        await one.send("response.cancel")
        done = await one.until("response.done")
    assert done["response"]["status_details"]["reason"] == "client_cancelled"
    assert "error" not in one.kinds()


async def test_az78_an_answer_that_is_not_committed_takes_the_place_of_another_too():
    async with client() as one:
        await one.say("count slowly")
        await create(one, **TEXT)
        await one.until("response.text.delta")
        await create(one, commit=False, input_items=[HI], **TEXT)
        first = await one.until("response.done")
        second = await one.until("response.done")
    assert first["response"]["status"] == "cancelled"
    assert words(second) == 'You said: "hi".'


async def test_the_later_beta_s_answer_beside_the_conversation_stops_no_other():
    async with client() as one:
        await one.say("count slowly")
        await create(one, **TEXT)
        await one.until("response.text.delta")
        await create(one, conversation="none", input=[HI], **TEXT)
        done = await one.until("response.done")
    assert words(done) == 'You said: "hi".'


async def test_a_wish_that_cancels_drops_those_that_wait():
    async with client() as one:
        await one.say("count slowly")
        await create(one, **TEXT)
        await one.until("response.text.delta")
        before = created(one)
        await create(one, cancel_previous=False, append_input_items=[HI], **TEXT)
        await create(one, input_items=[HI], **TEXT)
        assert (await one.until("response.done"))["response"]["status"] == "cancelled"
        assert words(await one.until("response.done")) == 'You said: "hi".'
        await one.send("response.cancel")
        assert (await refusal(one))["code"] == "response_cancel_not_active"
    assert created(one) == before + 1  # the answer; nothing was appended


async def test_only_so_many_answers_wait():
    async with client() as one:
        await one.say("count slowly")
        await create(one, **TEXT)
        for _ in range(MOST_WAITING + 1):
            await create(one, cancel_previous=False, **TEXT)
        error = await refusal(one)
    assert error["code"] == "rate_limit_exceeded"
    assert error["event_id"] == "mine"


@pytest.mark.parametrize("commit", [True, False])
async def test_one_item_that_is_refused_undoes_the_wish(commit):
    async with client() as one:
        await one.say("the talk so far")
        await create(one, commit=commit, append_input_items=[HI, BAD], **TEXT)
        error = await refusal(one)
        assert error["param"] == "response.append_input_items[1].type"
        assert error["event_id"] == "mine"
        system = {"type": "message", "role": "system", "content": SAID}
        await create(one, commit=False, append_input_items=[system], **TEXT)
        assert words(await one.until("response.done")) == 'You said: "the talk so far".'
    assert one.kinds().count("response.created") == 1
    assert created(one) - one.kinds().count("conversation.item.deleted") == 1


async def test_a_wrong_item_of_a_fresh_context_is_blamed_where_it_stands():
    async with client() as one:
        await create(one, input_items=[HI, BAD])
        assert (await refusal(one))["param"] == "response.input_items[1].type"
        await create(one, input_items=[HI], append_input_items=[BAD])
        assert (await refusal(one))["param"] == "response.append_input_items[0].type"


async def test_a_conversation_longer_than_is_kept_is_context_all_the_same():
    async with client() as one:
        for _ in range(MAX_ITEMS + 5):
            await one.send_unjudged("conversation.item.create", item=HI)
        await create(one, commit=False, append_input_items=[HI], **TEXT)
        done = await one.until("response.done")
    assert done["response"]["status"] == "completed"
    assert "error" not in one.kinds()


@pytest.mark.parametrize(
    ("response", "param"),
    [
        ("now", "response"),
        ([1], "response"),
        ({"commit": "no"}, "response.commit"),
        ({"cancel_previous": 1}, "response.cancel_previous"),
        ({"output_modalities": ["text"]}, "response.output_modalities"),
        ({"output_audio_format": "mp3"}, "response.output_audio_format"),
    ],
)
async def test_az09_a_wrong_wish_asks_for_nothing(response, param):
    async with client() as one:
        await one.send_unjudged("response.create", response=response, event_id="mine")
        error = await refusal(one)
    assert (error["param"], error["event_id"]) == (param, "mine")
    assert f"'{param}'" in error["message"] or error["code"] == "invalid_value"
    assert "response.created" not in one.kinds()


@pytest.mark.parametrize(
    ("session", "param", "said"),
    [
        ({"modalities": ["audio"]}, "modalities", "['audio', 'text']"),
        ({"modalities": ["video", "text"]}, "modalities", "['video', 'text']"),
        ({"input_audio_format": "mp3"}, "input_audio_format", "'g711_ulaw'"),
        ({"turn_detection": {"type": "server_vad", "threshold": 3}}, "turn_detection.threshold", "'session.turn_detection.threshold'"),
        ({"max_response_output_tokens": 0}, "max_response_output_tokens", "'session.max_response_output_tokens'"),
        ({"input_audio_transcription": {"model": 4}}, "input_audio_transcription.model", "'session.input_audio_transcription.model'"),
        ({"type": "realtime"}, "type", "Unknown parameter"),
        ({"audio": {}}, "audio", "Unknown parameter"),
        ({"output_modalities": ["text"]}, "output_modalities", "'session.output_modalities'"),
        ({"max_output_tokens": 5}, "max_output_tokens", "'session.max_output_tokens'"),
    ],
)  # fmt: skip
async def test_az02_a_wrong_field_is_refused_in_words_of_the_beta(session, param, said):
    async with client() as one:
        await one.send_unjudged("session.update", session=session, event_id="mine")
        error = await refusal(one)
    assert (error["param"], error["event_id"]) == (f"session.{param}", "mine")
    assert said in error["message"]
    assert "audio/" not in error["message"]


async def test_az39_an_update_that_is_refused_keeps_the_temperature():
    async with client() as one:
        await one.send_unjudged(
            "session.update", session={"temperature": 1, "voice": 7}
        )
        assert (await refusal(one))["param"] == "session.voice"
        assert (await one.update(instructions="Be brief."))["temperature"] == 0.8
        assert (await one.update(temperature=1.1))["temperature"] == 1.1
        assert (await one.update(instructions=""))["temperature"] == 1.1


async def test_az68_a_picture_is_refused():
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AA"}
    async with client() as one:
        item = {"type": "message", "role": "user", "content": [picture]}
        await one.send_unjudged("conversation.item.create", item=item)
        assert (await refusal(one))["param"] == "item.content[0].type"


async def test_az58_an_answer_that_was_cut_shows_no_transcript():
    async with client() as one:
        await one.say("count slowly")
        await one.send("response.create")
        item_id = (await one.until("response.audio.delta"))["item_id"]
        cut = {"item_id": item_id, "content_index": 0, "audio_end_ms": 10}
        await one.send("conversation.item.truncate", **cut)
        await one.send("response.cancel")
        done = await one.until("response.done")
    (answer,) = done["response"]["output"]
    assert answer["content"] == [{"type": "audio", "transcript": None}]


async def test_az34_az41_a_recogniser_that_fails_is_told():
    parts = make_parts(stt=ScriptedStt(RuntimeError("broken")))
    query = "model=gpt-4o-realtime-preview"
    async with (
        running(parts) as address,
        connect(
            f"ws://{address}/v1/realtime?{query}", additional_headers=BETA
        ) as websocket,
    ):
        one = Client(websocket)
        await one.until("session.created")
        await one.send_unjudged(
            "session.update",
            session={"turn_detection": None, "input_audio_transcription": {}},
        )
        sound = b64encode(loud(400)).decode()
        await one.send("input_audio_buffer.append", audio=sound)
        await one.send("input_audio_buffer.commit")
        item_id = (await one.until("input_audio_buffer.committed"))["item_id"]
        failed = await one.until("conversation.item.input_audio_transcription.failed")
    assert failed["item_id"] == item_id
    beta_schema.check_object("ResponseApiError", failed["error"])
    assert failed["error"]["code"] == "audio_unintelligible"


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"raw": "{no json"}, "{no json"),
        ({"send": {"type": "error"}}, '"type":"error"'),
        ({"send": {"type": "session.updated", "session": 5}}, '"session":5'),
        ({"malform": True}, '{"type":"response.created"'),
    ],
)
async def test_faults_of_a_scenario_reach_clients_of_the_beta(fault, seen):
    scenario = {"events": [{"at": "response.created", **fault}]}
    async with client(scenario) as one, asyncio.timeout(15):
        await one.websocket.send('{"type": "response.create"}')
        assert seen in await one.websocket.recv()
        while "response.done" not in await one.websocket.recv():
            pass


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_sound_goes_through_as_it_came(separators):
    face = BetaFace(Unwatched())
    sound = {"type": "input_audio_buffer.append", "audio": "AAAA"}
    event = json.dumps(sound, separators=separators).encode()
    (passed,) = face.heard(event)
    assert passed is event


class Unwatched:
    """A session that nothing happens in."""

    watch = None
