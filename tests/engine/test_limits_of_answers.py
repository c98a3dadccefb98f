"""What bounds an answer: tokens, tools it may not call, and the session's rate."""

from __future__ import annotations

import pytest

from realtime_widget.engine.conversation.output_tokens import OutputTokens
from realtime_widget.engine.conversation.rate_limits import RateLimits
from realtime_widget.engine.conversation.work import Drop, Reply, Speak
from tests.engine.machine import Machine
from tests.fakes.engine import MS_BYTES, loud

FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}


def asked(*, options=None, **response):
    machine = Machine(**(options or {}))
    machine.type_text("Hello")
    machine.send("response.create", response=response)
    return machine


def done(machine):
    return machine.last("response.done")["response"]


def calls(machine):
    return machine.all("response.function_call_arguments.done")


def limits(machine):
    listed = machine.last("rate_limits.updated")["rate_limits"]
    return {limit["name"]: limit for limit in listed}


# --- max_output_tokens ---


def test_written_answer_is_cut_at_its_last_token():
    machine = asked(output_modalities=["text"], max_output_tokens=5)
    machine.reply("This is far more ", "than five tokens are.", end=False)

    assert done(machine)["status"] == "incomplete"
    assert machine.last("response.output_text.done")["text"] == "This is far more tha"
    assert done(machine)["usage"]["output_tokens"] == 5
    assert done(machine)["output"][0]["status"] == "incomplete"


def test_small_pieces_count_no_more_than_the_whole():
    machine = asked(output_modalities=["text"], max_output_tokens=5)
    machine.reply(*"Twenty letters here.")

    assert done(machine)["status"] == "completed"
    assert done(machine)["usage"]["output_tokens"] == 5


def test_audio_counts_and_is_cut_at_its_last_token():
    machine = asked(max_output_tokens=24)
    machine.reply("Good morning to you.")  # 5 tokens of text leave 19 of audio
    machine.speak(3000, end=False)

    assert done(machine)["status"] == "incomplete"
    assert done(machine)["status_details"]["reason"] == "max_output_tokens"
    assert machine.audio_ms() == 950
    assert done(machine)["usage"]["output_token_details"] == {
        "text_tokens": 5,
        "audio_tokens": 19,
    }
    assert machine.take_work(Drop).key == done(machine)["id"]


def test_sentence_whose_words_do_not_fit_is_not_begun():
    machine = asked(max_output_tokens=30)
    machine.reply("Hello. This sentence is a good deal longer than what is left of it.")
    machine.speak(1000)

    assert machine.asked_for(Speak) == []
    assert done(machine)["status"] == "incomplete"
    assert machine.last("response.output_audio_transcript.done")["transcript"] == (
        "Hello."
    )


def test_call_that_does_not_fit_is_not_made():
    machine = asked(output_modalities=["text"], max_output_tokens=5)
    machine.reply(("get_weather", '{"city": "Tokyo"}'), end=False)

    assert calls(machine) == []
    assert done(machine)["status"] == "incomplete"


@pytest.mark.parametrize(("bound", "kept_ms"), [(None, 2000), (10, 500), (0, 0)])
def test_audio_is_bounded_to_the_millisecond(bound, kept_ms):
    tokens = OutputTokens(bound)

    kept = tokens.audio(loud(300)) + tokens.audio(loud(1700))

    assert len(kept) == kept_ms * MS_BYTES
    assert tokens.audio(b"\0\0") == (b"\0\0" if bound is None else b"")


# --- tools ---


def test_no_tool_is_called_when_none_may_be():
    machine = asked(tools=[FUNCTION], tool_choice="none", output_modalities=["text"])
    machine.reply(("f", "{}"), "I can only talk.")

    assert calls(machine) == []
    assert [item["type"] for item in done(machine)["output"]] == ["message"]


@pytest.mark.parametrize(("parallel", "made"), [(True, 2), (None, 2), (False, 1)])
def test_calls_beside_each_other_are_made_unless_forbidden(parallel, made):
    machine = asked(tools=[FUNCTION], parallel_tool_calls=parallel)
    machine.reply(("f", '{"a": 1}'), ("f", '{"a": 2}'))

    assert len(calls(machine)) == made
    assert len({call["call_id"] for call in calls(machine)}) == made
    assert done(machine)["status"] == "completed"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "f"}])
def test_choice_of_a_tool_reaches_the_dialogue(choice):
    machine = asked(tools=[FUNCTION], tool_choice=choice)

    assert machine.take_work(Reply).request.tool_choice == choice


# --- rates ---


def test_every_answer_tells_what_is_left():
    machine = asked(options={"requests_per_min": 10, "tokens_per_min": 1000})
    machine.reply("Good morning.")
    machine.speak(1000)

    used = done(machine)["usage"]["total_tokens"]
    assert limits(machine) == {
        "requests": {
            "name": "requests",
            "limit": 10,
            "remaining": 9,
            "reset_seconds": 6.0,
        },
        "tokens": {
            "name": "tokens",
            "limit": 1000,
            "remaining": 1000 - used,
            "reset_seconds": round(used * 0.06, 3),
        },
    }


@pytest.mark.parametrize(
    ("options", "name"),
    [({"requests_per_min": 1}, "requests"), ({"tokens_per_min": 1}, "tokens")],
)
def test_answer_beyond_a_limit_fails_and_later_ones_do_not(options, name):
    machine = asked(options=options, output_modalities=["text"])
    machine.reply("Good morning.")
    machine.send("response.create")

    assert done(machine)["status"] == "failed"
    assert done(machine)["status_details"]["error"] == {
        "type": name,
        "code": "rate_limit_exceeded",
    }
    assert limits(machine)[name]["remaining"] == 0
    assert machine.asked_for(Reply) == []
    machine.wait(limits(machine)[name]["reset_seconds"])
    machine.send("response.create")
    assert machine.asked_for(Reply)


def test_limits_fill_up_and_never_over():
    bucket = RateLimits(requests_per_min=60, tokens_per_min=600, now_s=0.0)
    bucket.take("requests", 60, 0.0)

    assert bucket.spent(0.9) == "requests"
    assert bucket.spent(1.0) is None
    assert bucket.public(1000.0)[0]["remaining"] == 60
    assert bucket.public(1000.0)[0]["reset_seconds"] == 0.0
