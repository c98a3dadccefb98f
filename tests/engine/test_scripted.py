"""The rules of the model ``scripted``, alone and through the server."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from openai import AsyncOpenAI

from realtime_widget.engine.ports import DialogueRequest, FunctionCall
from realtime_widget.engine.scripted.dialogue import ScriptedDialogue
from realtime_widget.engine.scripted.loudness import LengthStt, LoudnessVad
from realtime_widget.engine.scripted.tones import ToneTts, tone_ms
from tests.engine.test_openai_client import Session
from tests.fakes.engine import loud, quiet
from tests.fakes.scripted import scripted_server

WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
CALL = 'weather {"city": "Kyoto"}'


def user(text):
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content}


def output(text):
    return {"type": "function_call_output", "call_id": "call_1", "output": text}


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self):
        self.now_s = 0.0

    async def sleep(self, seconds):
        self.now_s += seconds


async def answer(*items, tools=(WEATHER,), tool_choice="auto"):
    request = DialogueRequest("", items, tools=tools, tool_choice=tool_choice)
    return [event async for event in ScriptedDialogue(Clock().sleep).reply(request)]


async def words(*items, **options):
    return "".join(event.text for event in await answer(*items, **options))


async def test_text_that_names_a_tool_calls_it_with_those_arguments():
    assert await answer(user(CALL)) == [FunctionCall("weather", '{"city": "Kyoto"}')]


async def test_each_line_may_be_a_call():
    assert await answer(user(f"{CALL}\n{CALL}")) == 2 * await answer(user(CALL))


@pytest.mark.parametrize(
    "text", ['other {"a": 1}', "weather [1]", "weather {bad}", f"please {CALL}"]
)
async def test_what_is_no_call_is_quoted(text):
    assert await words(user(text)) == f'You said: "{text}".'


async def test_tool_choice_is_obeyed():
    named = {"type": "function", "name": "weather"}
    assert CALL in await words(user(CALL), tool_choice="none")
    for choice in (named, "required"):
        called = await answer(user("hello"), tool_choice=choice)
        assert called == [FunctionCall("weather", "{}")]


async def test_answer_after_a_tool_quotes_its_output():
    call = {"type": "function_call", "name": "weather", "call_id": "call_1"}
    said = await words(user(CALL), call, output('{"degrees": 21}'))
    assert '{"degrees": 21}' in said
    assert "21" not in await words(user(CALL), call, output("21"), user("thanks"))


async def test_something_long_is_more_than_100_characters():
    said = await words(user("Say Something long, please"))
    assert len(said) > 100
    assert "long sentence" in said


async def test_something_long_leaves_time_to_cancel_it_after_its_first_part():
    clock = Clock()
    request = DialogueRequest("", [user("something long")])
    parts = ScriptedDialogue(clock.sleep).reply(request)
    assert len((await anext(parts)).text) > 100
    assert clock.now_s == 0
    await anext(parts)
    assert clock.now_s >= 0.5


async def test_counting_takes_4_s_in_small_deltas():
    clock, times = Clock(), []
    request = DialogueRequest("", [user("Count slowly")])
    async for event in ScriptedDialogue(clock.sleep).reply(request):
        times.append(clock.now_s)
        assert len(event.text) < 20
    assert times[-1] - times[0] >= 4


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([user("Good morning")], 'You said: "Good morning".'),
        ([user("")], "I heard you."),
        ([], "Hello."),
    ],
)
async def test_anything_else_is_answered_shortly(items, said):
    assert await words(*items) == said


def test_any_sample_that_is_not_zero_is_speech_for_its_frame():
    faint = bytes(700) + b"\1\0" + bytes(32 * 48 - 702)
    vad = LoudnessVad()
    assert vad.feed(faint[:100]) == []
    assert vad.feed(faint[100:] + quiet(32)) == [1.0, 0.0]
    vad.feed(faint[:-2])
    vad.reset()
    assert vad.feed(quiet(32)) == [0.0]


def test_loudness_can_be_asked_for():
    assert LoudnessVad(9_000).feed(loud(32)) == [0.0]
    assert LoudnessVad(7_000).feed(loud(32)) == [1.0]


def test_speech_without_a_recogniser_has_a_length_for_words():
    assert LengthStt().transcribe(loud(1_500) + quiet(400)) == "1.5 seconds of speech"
    assert LengthStt().transcribe(quiet(400)) == ""


def test_tones_are_as_long_as_the_words_and_the_same_every_time():
    text = "This takes some time to say, does it not?"
    pcm = b"".join(ToneTts().speak(text, voice="marin"))
    assert len(pcm) == 48 * tone_ms(text)
    assert tone_ms(text) == 65 * len(text)
    assert pcm == b"".join(ToneTts().speak(text, voice="marin"))
    assert len(b"".join(ToneTts().speak(text, speed=1.5))) == 48 * tone_ms(text, 1.5)
    assert LoudnessVad().feed(pcm[: 32 * 48]) == [1.0]
    assert not list(ToneTts().speak("..."))


async def test_official_client_has_a_spoken_turn_and_a_tool():
    async with (
        scripted_server() as base,
        AsyncOpenAI(api_key="any", websocket_base_url=base) as client,
        client.realtime.connect(model="gpt-realtime-2.1") as connection,
    ):
        session = Session(connection)
        await session.until("session.created")
        await connection.session.update(
            session={"type": "realtime", "tools": [WEATHER]}
        )
        await session.until("session.updated")
        for pcm in (loud(400), quiet(800)):
            await connection.input_audio_buffer.append(audio=b64encode(pcm).decode())
        await session.until("input_audio_buffer.speech_stopped")
        heard = await session.until("response.done")
        await session.say(CALL)
        await connection.response.create()
        called = await session.until("response.done")
        [call] = called.response.output
        await connection.conversation.item.create(
            item={**output("rain"), "call_id": call.call_id}
        )
        await connection.response.create()
        told = await session.until("response.done")

    assert heard.response.output[0].content[0].transcript == (
        'You said: "0.4 seconds of speech".'
    )
    assert json.loads(call.arguments) == {"city": "Kyoto"}
    assert "rain" in told.response.output[0].content[0].transcript
    assert len(session.heard()) == 48 * sum(
        tone_ms(response.output[0].content[0].transcript)
        for response in (heard.response, told.response)
    )
