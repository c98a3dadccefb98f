from __future__ import annotations

from base64 import b64decode

import pytest

from realtime_widget.engine.conversation import items as items_module
from realtime_widget.engine.conversation.work import Reply, Transcribe
from tests.engine.machine import Machine, base64, user_text
from tests.fakes.engine import loud


def order(machine):
    return [item.item_id for item in machine.talk.items]


def test_item_is_added_and_done_behind_the_last_one():
    machine = Machine()
    machine.type_text("One")
    first = machine.last("conversation.item.done")
    machine.forget()
    machine.type_text("Two")

    assert machine.names == ["conversation.item.added", "conversation.item.done"]
    assert first["previous_item_id"] is None
    for event in machine.events:
        assert event["previous_item_id"] == first["item"]["id"]
        assert event["item"]["status"] == "completed"
        assert event["item"]["content"] == [{"type": "input_text", "text": "Two"}]


def test_item_goes_where_the_client_wants_it():
    machine = Machine()
    for name in "ab":
        machine.send("conversation.item.create", item=user_text(name, id=name))
    machine.send(
        "conversation.item.create",
        item=user_text("first", id="f"),
        previous_item_id="root",
    )
    assert machine.last("conversation.item.added")["previous_item_id"] is None
    machine.send(
        "conversation.item.create", item=user_text("m", id="m"), previous_item_id="a"
    )
    assert machine.last("conversation.item.added")["previous_item_id"] == "a"
    machine.send(
        "conversation.item.create", item=user_text("z", id="z"), previous_item_id=""
    )

    assert order(machine) == ["f", "a", "m", "b", "z"]


def test_item_behind_an_unknown_one_is_refused_and_not_added():
    machine = Machine()
    machine.type_text("Hello", previous_item_id="nobody", event_id="mine")

    assert machine.error()["param"] == "previous_item_id"
    assert machine.error()["event_id"] == "mine"
    assert order(machine) == []


def test_second_item_of_an_id_is_refused():
    machine = Machine()
    machine.send("conversation.item.create", item=user_text("a", id="same"))
    machine.send("conversation.item.create", item=user_text("b", id="same"))

    assert machine.error()["param"] == "item.id"
    assert order(machine) == ["same"]


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        (None, "missing_required_parameter", "item"),
        ({"type": "poem"}, "invalid_value", "item.type"),
        ({"type": "message", "role": "boss", "content": []}, "invalid_value", "item.role"),
        ({"type": "message", "role": "user"}, "missing_required_parameter", "item.content"),
        ({"type": "message", "role": "user", "content": [{"type": "input_text"}]}, "missing_required_parameter", "item.content[0].text"),
        ({"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": "x"}]}, "invalid_value", "item.content[0].type"),
        ({"type": "message", "role": "system", "content": [{"type": "input_audio", "audio": ""}]}, "invalid_value", "item.content[0].type"),
        ({"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "%%"}]}, "invalid_value", "item.content[0].audio"),
        ({"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "http://x/y.png"}]}, "invalid_value", "item.content[0].image_url"),
        ({"type": "function_call_output", "output": "1"}, "missing_required_parameter", "item.call_id"),
        ({"type": "function_call", "name": "f", "arguments": "{}", "call_id": [1]}, "invalid_type", "item.call_id"),
        ({"type": "function_call", "name": "f"}, "missing_required_parameter", "item.arguments"),
    ],
)  # fmt: skip
def test_item_that_is_wrong_is_refused_with_its_place(item, code, param):
    machine = Machine()
    machine.send("conversation.item.create", item=item)

    assert (machine.error()["code"], machine.error()["param"]) == (code, param)
    assert order(machine) == []


def test_image_is_kept_as_data_and_given_to_the_dialogue():
    machine = Machine()
    url = "data:image/png;base64,iVBORw0KGgo="
    part = {"type": "input_image", "image_url": url}
    machine.send(
        "conversation.item.create",
        item={"type": "message", "role": "user", "content": [part]},
    )
    machine.send("response.create")

    (item,) = machine.take_work(Reply).request.items
    assert item["content"] == [{**part, "detail": "auto"}]
    assert "response.done" not in machine.names


def test_audio_item_is_recognised_and_its_audio_can_be_fetched():
    machine = Machine()
    part = {"type": "input_audio", "audio": base64(loud(400))}
    machine.send(
        "conversation.item.create",
        item={"type": "message", "role": "user", "content": [part], "id": "spoken"},
    )
    machine.send("response.create")
    assert not machine.asked_for(Reply)  # it waits for the words
    assert machine.hear("What time is it?").pcm == loud(400)

    (item,) = machine.take_work(Reply).request.items
    assert item["content"][0]["transcript"] == "What time is it?"
    machine.send("conversation.item.retrieve", item_id="spoken")
    body = machine.last("conversation.item.retrieved")["item"]
    assert b64decode(body["content"][0]["audio"]) == loud(400)


def test_audio_item_for_an_engine_that_cannot_hear_is_refused():
    machine = Machine(hears=False)
    part = {"type": "input_audio", "audio": base64(loud(400))}
    machine.send(
        "conversation.item.create",
        item={"type": "message", "role": "user", "content": [part]},
    )

    assert machine.error()["code"] == "voice_unavailable"
    assert order(machine) == []


def test_deleted_item_is_gone_from_the_context():
    machine = Machine()
    for name in "ab":
        machine.send("conversation.item.create", item=user_text(name, id=name))
    machine.send("conversation.item.delete", item_id="a")
    machine.send("response.create")

    assert machine.last("conversation.item.deleted")["item_id"] == "a"
    (item,) = machine.take_work(Reply).request.items
    assert item["id"] == "b"


@pytest.mark.parametrize(
    ("verb", "action"),
    [("delete", "deleting"), ("retrieve", "retrieving"), ("truncate", "truncating")],
)
def test_unknown_item_is_answered_in_the_recorded_words(verb, action):
    machine = Machine()
    more = {"content_index": 0, "audio_end_ms": 0} if verb == "truncate" else {}
    machine.send(f"conversation.item.{verb}", item_id="x", event_id="e1", **more)

    assert machine.error() == {
        "type": "invalid_request_error",
        "code": f"item_{verb}_invalid_item_id",
        "message": f"Error {action} item: the item with id 'x' does not exist.",
        "param": None,
        "event_id": "e1",
    }


def spoken_answer(machine):
    """Let the machine say two sentences of 1 s; return the item's id."""
    machine.type_text("Tell me")
    machine.send("response.create")
    machine.reply("One two three four. Five six seven eight.")
    machine.speak(1000)
    machine.speak(1000)
    return machine.last("conversation.item.done")["item"]["id"]


def test_truncated_answer_loses_its_transcript_but_not_what_was_heard():
    machine = Machine()
    item_id = spoken_answer(machine)
    where = {"item_id": item_id, "content_index": 0}
    machine.send("conversation.item.truncate", audio_end_ms=1500, **where)

    event = machine.last("conversation.item.truncated")
    assert (event["item_id"], event["audio_end_ms"]) == (item_id, 1500)
    machine.send("conversation.item.retrieve", item_id=item_id)
    body = machine.last("conversation.item.retrieved")["item"]
    assert body["content"] == [{"type": "output_audio"}]
    machine.type_text("Go on")
    machine.send("response.create")
    heard = machine.take_work(Reply).request.items[1]
    assert heard["content"][0]["transcript"] == "One two three four. Five six"


@pytest.mark.parametrize(
    ("fields", "message", "code"),
    [
        ({"audio_end_ms": 57340}, "Audio content of 2000ms is already shorter than 57340ms", "invalid_value"),
        ({"audio_end_ms": -1}, "Invalid 'audio_end_ms': expected 0 or more.", "invalid_value"),
        ({"audio_end_ms": 5, "content_index": 1}, "Invalid 'content_index': expected 0.", "invalid_value"),
    ],
)  # fmt: skip
def test_truncation_that_cannot_be_is_refused(fields, message, code):
    machine = Machine()
    item_id = spoken_answer(machine)
    where = {"item_id": item_id, "content_index": 0, **fields}
    machine.send("conversation.item.truncate", **where)

    assert (machine.error()["message"], machine.error()["code"]) == (message, code)


def test_truncation_of_what_is_no_spoken_answer_is_refused():
    machine = Machine()
    machine.send("conversation.item.create", item=user_text("a", id="a"))
    machine.send(
        "conversation.item.truncate", item_id="a", content_index=0, audio_end_ms=0
    )

    assert machine.error()["code"] is None
    assert machine.error()["param"] is None
    assert machine.error()["message"] == (
        "Only model output audio messages can be truncated"
    )


def test_long_conversation_forgets_its_oldest_items():
    machine = Machine()
    for at in range(items_module.MAX_ITEMS + 3):
        machine.send("conversation.item.create", item=user_text("x", id=f"i{at}"))

    assert len(machine.talk.items) == items_module.MAX_ITEMS
    assert order(machine)[0] == "i3"


def test_audio_kept_for_retrieval_is_bounded():
    machine = Machine()
    machine.update(audio={"input": {"turn_detection": None}})
    for _turn in range(4):
        machine.append(loud(10_000), frame_ms=1000)
        machine.send("input_audio_buffer.commit")

    kept = [len(item.audio) for item in machine.talk.items]
    assert kept == [0, 480_000, 480_000, 480_000]
    assert all(len(work.pcm) == 480_000 for work in machine.asked_for(Transcribe))


@pytest.mark.parametrize("law", ["pcmu", "pcma"])
def test_audio_item_in_g711_comes_back_in_g711(law):
    pytest.importorskip("numpy")
    machine = Machine()
    machine.update(audio={"input": {"format": {"type": f"audio/{law}"}}})
    part = {"type": "input_audio", "audio": base64(b"\xd5\x55" * 1600)}
    machine.send(
        "conversation.item.create",
        item={"type": "message", "role": "user", "content": [part], "id": "spoken"},
    )
    assert len(machine.hear("Hello").pcm) == 400 * 48
    machine.send("conversation.item.retrieve", item_id="spoken")

    body = machine.last("conversation.item.retrieved")["item"]
    assert len(b64decode(body["content"][0]["audio"])) == 3200


def test_item_whose_words_are_known_needs_no_recognition():
    machine = Machine(hears=False)
    part = {"type": "input_audio", "transcript": "What time is it?"}
    machine.send(
        "conversation.item.create",
        item={"type": "message", "role": "user", "content": [part]},
    )
    machine.send("response.create")

    (item,) = machine.take_work(Reply).request.items
    assert item["content"][0]["transcript"] == "What time is it?"


def test_words_of_an_item_deleted_meanwhile_are_kept_from_the_client():
    machine = Machine()
    machine.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    machine.update(audio={"input": {"turn_detection": None}})
    machine.append(loud(400))
    machine.send("input_audio_buffer.commit")
    item_id = machine.last("input_audio_buffer.committed")["item_id"]
    machine.send("conversation.item.delete", item_id=item_id)
    machine.forget()
    machine.hear("Forget me")

    assert machine.names == []


def test_function_call_of_the_client_gets_a_call_id():
    machine = Machine()
    item = {"type": "function_call", "name": "f", "arguments": "{}"}
    machine.send("conversation.item.create", item=item)

    assert machine.last("conversation.item.done")["item"]["call_id"]
