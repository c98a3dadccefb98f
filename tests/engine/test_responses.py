from __future__ import annotations

from itertools import groupby

import pytest

from realtime_widget.engine.conversation.answers import MAX_RESPONSES
from realtime_widget.engine.conversation.responses import AHEAD_MS
from realtime_widget.engine.conversation.work import Drop, Reply, Speak, Transcribe
from realtime_widget.protocol.greeting import say_exactly
from tests.engine.machine import Machine, user_text
from tests.fakes.engine import loud, quiet

MESSAGE_BEGINS = (
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
)
MESSAGE_ENDS = (
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
)
RESPONSE_ENDS = ("response.done", "rate_limits.updated")
AUDIO_ENDS = ("response.output_audio.done", "response.output_audio_transcript.done")
CALL = (
    "response.output_item.added",
    "conversation.item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
    "conversation.item.done",
)


def asked(text="Hello", *, modality="audio", **response):
    """Return a machine whose dialogue has just been asked."""
    machine = Machine()
    machine.update(output_modalities=[modality])
    machine.type_text(text)
    machine.forget()
    machine.send("response.create", **({"response": response} if response else {}))
    return machine


def seen(machine):
    """Return the names of events without immediate repetition."""
    return tuple(name for name, _same in groupby(machine.names))


def done(machine):
    return machine.last("response.done")["response"]


def test_written_answer_comes_in_the_recorded_order():
    machine = asked(modality="text")
    machine.reply("Good ", "morning.")

    assert seen(machine) == (
        *MESSAGE_BEGINS,
        "response.output_text.delta",
        "response.output_text.done",
        *MESSAGE_ENDS,
        *RESPONSE_ENDS,
    )
    assert [e["delta"] for e in machine.all("response.output_text.delta")] == [
        "Good ",
        "morning.",
    ]
    part = machine.last("response.content_part.done")["part"]
    assert part == {"type": "text", "text": "Good morning."}
    (item,) = done(machine)["output"]
    assert item["content"] == [{"type": "output_text", "text": "Good morning."}]
    assert done(machine)["status"] == "completed"


def test_spoken_answer_sends_each_sentence_before_its_audio():
    machine = asked()
    machine.reply("Good morning. How are you?")
    machine.speak(500)
    machine.speak(700)

    assert seen(machine) == (
        *MESSAGE_BEGINS,
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        *AUDIO_ENDS,
        *MESSAGE_ENDS,
        *RESPONSE_ENDS,
    )
    assert machine.audio_ms() == 1200
    words = "Good morning. How are you?"
    deltas = machine.all("response.output_audio_transcript.delta")
    assert "".join(event["delta"] for event in deltas) == words
    done_event = machine.last("response.output_audio_transcript.done")
    assert done_event["transcript"] == words
    (item,) = done(machine)["output"]
    assert item["content"] == [{"type": "output_audio", "transcript": words}]


def test_begun_message_is_empty_and_in_progress():
    machine = asked()
    machine.reply("Good morning.")
    assert machine.names == ["response.created"]
    machine.speak(500, end=False)

    item = machine.last("conversation.item.added")["item"]
    assert (item["status"], item["content"]) == ("in_progress", [])
    part = machine.last("response.content_part.added")["part"]
    assert part == {"type": "audio", "transcript": ""}
    response = machine.last("response.created")["response"]
    assert response["status"] == "in_progress"
    assert response["output"] == []


def test_audio_deltas_last_200_ms_and_the_last_one_less():
    machine = asked()
    machine.reply("Good morning.")
    machine.speak(500)

    sizes = [len(e["delta"]) for e in machine.all("response.output_audio.delta")]
    assert sizes == [12_800, 12_800, 6_400]


@pytest.mark.parametrize(("law", "size"), [("pcmu", 1600), ("pcma", 1600)])
def test_spoken_answer_in_g711_has_its_size_and_length(law, size):
    pytest.importorskip("numpy")
    machine = Machine()
    machine.update(audio={"output": {"format": {"type": f"audio/{law}"}}})
    machine.type_text("Hello")
    machine.send("response.create")
    machine.reply("Good morning.")
    machine.speak(1000)

    deltas = machine.all("response.output_audio.delta")
    assert len(deltas[0]["delta"]) == pytest.approx(size * 4 / 3, abs=4)
    assert sum(len(e["delta"]) for e in deltas) * 3 / 4 == pytest.approx(8000, abs=40)
    form = done(machine)["audio"]["output"]["format"]
    assert form == {"type": f"audio/{law}"}


def test_sentence_without_anything_to_say_aloud_is_still_written():
    machine = asked()
    machine.reply("你好。")
    machine.speak(0)

    assert machine.audio_ms() == 0
    event = machine.last("response.output_audio_transcript.done")
    assert event["transcript"] == "你好。"
    assert done(machine)["status"] == "completed"


def test_function_call_comes_in_the_recorded_order():
    machine = asked()
    machine.reply(("get_weather", '{"city": "Paris"}'))

    assert seen(machine) == ("response.created", *CALL, *RESPONSE_ENDS)
    added = machine.all("response.output_item.added")[0]["item"]
    assert (added["status"], added["arguments"]) == ("in_progress", "")
    event = machine.last("response.function_call_arguments.done")
    assert (event["name"], event["arguments"]) == ("get_weather", '{"city": "Paris"}')
    (item,) = done(machine)["output"]
    assert (item["status"], item["call_id"]) == ("completed", event["call_id"])


def test_call_waits_for_the_sentence_before_it():
    machine = asked()
    machine.reply("Let me look.", ("get_weather", "{}"), ("get_time", "{}"))
    assert "response.function_call_arguments.done" not in machine.names
    machine.speak(500)

    names = [item["type"] for item in done(machine)["output"]]
    assert names == ["message", "function_call", "function_call"]
    indexes = [e["output_index"] for e in machine.all("response.output_item.done")]
    assert indexes == [0, 1, 2]


def test_answer_to_a_tool_result_sees_the_call_and_its_output():
    machine = asked()
    machine.reply(("get_weather", "{}"))
    call_id = done(machine)["output"][0]["call_id"]
    output = {"type": "function_call_output", "call_id": call_id, "output": "sunny"}
    machine.send("conversation.item.create", item=output)
    machine.send("response.create")

    kinds = [item["type"] for item in machine.take_work(Reply).request.items]
    assert kinds == ["message", "function_call", "function_call_output"]


def test_second_answer_at_a_time_is_refused_in_the_recorded_words():
    machine = asked()
    machine.send("response.create", event_id="again")

    response_id = machine.last("response.created")["response"]["id"]
    assert machine.error()["code"] == "conversation_already_has_active_response"
    assert machine.error()["event_id"] == "again"
    assert machine.error()["message"] == (
        f"Conversation already has an active response in progress: {response_id} . "
        "Wait until the response is finished before creating a new one."
    )


def test_cancelled_answer_stops_its_work_and_keeps_what_was_sent():
    machine = asked()
    machine.reply("Good morning. How are you?")
    machine.speak(500)
    machine.take_work(Speak)
    machine.send("response.cancel")

    assert machine.take_work(Drop).key == done(machine)["id"]
    assert done(machine)["status"] == "cancelled"
    assert done(machine)["status_details"] == {
        "type": "cancelled",
        "reason": "client_cancelled",
    }
    (item,) = done(machine)["output"]
    assert item["status"] == "incomplete"
    assert item["content"][0]["transcript"] == "Good morning."
    assert done(machine)["usage"]["output_token_details"]["audio_tokens"] == 10


def test_late_work_for_an_ended_answer_is_ignored():
    machine = asked()
    response_id = machine.reply("Good morning. How are you?")
    machine.send("response.cancel", response_id=response_id)
    machine.forget()
    machine.talk.spoken(response_id, loud(100), machine.now_s)
    machine.talk.sentence_done(response_id, machine.now_s)
    machine.talk.said(response_id, "More.", machine.now_s)
    machine.talk.replied(response_id, machine.now_s)

    assert machine._drain() == []


def test_cancelling_nothing_is_refused_in_the_recorded_words():
    machine = Machine()
    machine.send("response.cancel", event_id="stop")
    assert machine.error() == {
        "type": "invalid_request_error",
        "code": "response_cancel_not_active",
        "message": "Cancellation failed: no active response found",
        "param": None,
        "event_id": "stop",
    }


def test_speech_stops_the_answer():
    machine = asked()
    machine.reply("Good morning. How are you?")
    machine.speak(500)
    machine.forget()
    machine.append(quiet(320) + loud(320))

    assert machine.names == [
        "input_audio_buffer.speech_started",
        *AUDIO_ENDS,
        *MESSAGE_ENDS,
        *RESPONSE_ENDS,
    ]
    assert done(machine)["status_details"]["reason"] == "turn_detected"


def test_speech_does_not_stop_an_answer_that_may_not_be_interrupted():
    machine = asked()
    machine.listen(type="server_vad", interrupt_response=False)
    machine.reply("Good morning.")
    machine.append(quiet(320) + loud(640) + quiet(640))
    machine.hear("Wait")
    assert len(machine.all("response.created")) == 1

    machine.speak(500)

    assert machine.all("response.done")[0]["response"]["status"] == "completed"
    assert len(machine.all("response.created")) == 2
    assert len(machine.take_work(Reply).request.items) == 3


def test_speech_does_not_stop_answers_beside_the_conversation():
    machine = asked(conversation="none")
    machine.append(quiet(320) + loud(320))

    assert "response.done" not in machine.names


def test_answer_beside_the_conversation_leaves_no_trace_in_it():
    machine = asked(
        conversation="none",
        output_modalities=["text"],
        instructions="Give it a title.",
        metadata={"topic": "title"},
    )
    request = machine.asked_for(Reply)[0].request
    machine.reply("A title")

    assert request.instructions == "Give it a title."
    assert not any(name.startswith("conversation") for name in machine.names)
    assert done(machine)["conversation_id"] is None
    assert done(machine)["metadata"] == {"topic": "title"}
    item_id = done(machine)["output"][0]["id"]
    machine.send("conversation.item.retrieve", item_id=item_id)
    assert machine.error()["code"] == "item_retrieve_invalid_item_id"


def test_answers_beside_the_conversation_run_at_the_same_time():
    machine = asked()
    for _more in range(MAX_RESPONSES - 1):
        machine.send("response.create", response={"conversation": "none"})
    assert len(machine.all("response.created")) == MAX_RESPONSES
    machine.send("response.create", response={"conversation": "none"})

    assert machine.error()["code"] == "rate_limit_exceeded"
    machine.send("response.cancel")
    assert done(machine)["conversation_id"] is not None


def test_answer_to_items_of_its_own_sees_only_those():
    machine = Machine()
    for name in "ab":
        machine.send("conversation.item.create", item=user_text(name, id=name))
    reference = {"type": "item_reference", "id": "b"}
    machine.send("response.create", response={"input": [reference, user_text("new")]})

    first, second = machine.take_work(Reply).request.items
    assert first["id"] == "b"
    assert second["content"][0]["text"] == "new"


@pytest.mark.parametrize(
    ("response", "code"),
    [
        ({"input": [{"type": "item_reference", "id": "x"}]}, "item_retrieve_invalid_item_id"),
        ({"input": "all"}, "invalid_type"),
        ({"conversation": "other"}, "invalid_value"),
        ({"metadata": {"a": 5}}, "invalid_type"),
        ({"metadata": {f"k{n}": "v" for n in range(17)}}, "invalid_value"),
        ({"output_modalities": ["video"]}, "invalid_value"),
        ("now", "invalid_type"),
        ({"modalities": ["text"]}, "unknown_parameter"),
    ],
)  # fmt: skip
def test_answer_that_is_asked_for_wrongly_is_refused(response, code):
    machine = Machine()
    machine.send("response.create", response=response)

    assert machine.error()["code"] == code
    assert machine.asked_for(Reply) == []


def test_answer_has_its_own_settings_for_once():
    machine = asked(
        output_modalities=["text"], instructions="In verse.", max_output_tokens=50
    )
    request = machine.asked_for(Reply)[0].request
    machine.reply("A rose.")

    assert (request.instructions, request.max_output_tokens) == ("In verse.", 50)
    assert done(machine)["output_modalities"] == ["text"]
    assert done(machine)["max_output_tokens"] == 50
    assert machine.talk.session.public["instructions"] == ""


def test_answer_with_another_voice_is_refused_once_one_was_heard():
    machine = asked()
    machine.reply("Hello.")
    machine.speak()
    wish = {"audio": {"output": {"voice": "ash"}}}
    machine.send("response.create", response=wish)

    assert machine.error()["code"] == "cannot_update_voice"


def test_answer_that_grows_too_long_is_incomplete():
    machine = asked(max_output_tokens=5, output_modalities=["text"])
    machine.reply("This is far more than five tokens are.", end=False)

    assert done(machine)["status"] == "incomplete"
    assert done(machine)["status_details"]["reason"] == "max_output_tokens"


def test_answer_that_cannot_be_made_ends_as_failed():
    machine = asked(output_modalities=["text"])
    response_id = machine.reply("Well", end=False)
    machine.talk.work_failed(response_id, machine.now_s)
    machine._drain()

    assert done(machine)["status"] == "failed"
    assert done(machine)["output"][0]["status"] == "incomplete"
    machine.send("response.create")
    assert machine.all("error") == []


def test_answer_that_breaks_off_is_spoken_as_far_as_it_got_and_fails():
    machine = asked()
    response_id = machine.reply("Sorry, not now.", end=False)
    machine.talk.reply_failed(response_id, machine.now_s)
    machine._drain()
    assert machine.speak().text == "Sorry, not now."

    assert done(machine)["status"] == "failed"
    assert done(machine)["status_details"]["error"]["code"] == "server_error"
    assert done(machine)["output"][0]["content"][0]["transcript"] == "Sorry, not now."
    machine.send("response.create")
    assert machine.all("error") == []


def test_words_to_be_said_exactly_need_no_dialogue():
    machine = Machine()
    instructions = say_exactly("Welcome to the workshop.")
    machine.send("response.create", response={"instructions": instructions})

    assert machine.asked_for(Reply) == []
    assert machine.speak().text == "Welcome to the workshop."
    assert done(machine)["status"] == "completed"


def test_long_answer_is_synthesised_no_further_ahead_than_agreed():
    machine = asked()
    machine.reply("One. Two. Three.")
    machine.speak(AHEAD_MS)
    machine.speak(5_000)  # begun at the limit, not beyond it
    assert machine.asked_for(Speak) == []
    machine.wait(4.9)
    assert machine.asked_for(Speak) == []
    machine.wait(0.2)
    machine.speak(500)

    assert done(machine)["status"] == "completed"


def test_usage_counts_audio_by_time_and_adds_up():
    machine = Machine()
    machine.append(quiet(320) + loud(992) + quiet(640))
    machine.hear("Hello")
    machine.reply("Good morning.")
    machine.speak(1000)

    usage = done(machine)["usage"]
    assert usage["input_token_details"]["audio_tokens"] == 18  # 1.8 s with padding
    assert usage["output_token_details"]["audio_tokens"] == 20
    assert usage["input_tokens"] + usage["output_tokens"] == usage["total_tokens"]
    assert usage["output_tokens"] == 20 + usage["output_token_details"]["text_tokens"]


def test_truncation_while_the_answer_is_made_holds_in_its_end():
    machine = asked()
    machine.reply("Good morning. How are you?")
    machine.speak(500)
    item_id = machine.last("conversation.item.added")["item"]["id"]
    where = {"item_id": item_id, "content_index": 0}
    machine.send("conversation.item.truncate", audio_end_ms=250, **where)
    machine.send("response.cancel")

    (item,) = done(machine)["output"]
    assert item["content"] == [{"type": "output_audio"}]


def test_engine_that_cannot_speak_writes_its_answer():
    machine = Machine(hears=False, speaks=False)
    machine.type_text("Hello")
    machine.send("response.create", response={"output_modalities": ["audio"]})
    machine.reply("Hello.")

    assert done(machine)["output_modalities"] == ["text"]
    assert machine.last("response.output_text.done")["text"] == "Hello."
    assert machine.asked_for(Transcribe) == []
