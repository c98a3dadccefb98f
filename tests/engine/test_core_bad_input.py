from __future__ import annotations

import pytest

from realtime_widget.protocol.events import CLIENT_EVENTS
from tests.engine.machine import Machine
from tests.fakes.engine import loud


def test_unknown_event_is_answered_with_what_is_known():
    machine = Machine()
    machine.send("session.dance", event_id="e1")

    error = machine.error()
    assert (error["code"], error["param"], error["event_id"]) == (
        "invalid_event",
        "type",
        "e1",
    )
    assert error["message"].startswith(
        "Invalid value: 'session.dance'. Supported values are: 'session.update', "
    )


@pytest.mark.parametrize("kind", [None, 5, ["session.update"], {}])
def test_event_whose_type_is_no_name_is_answered(kind):
    machine = Machine()
    machine.send(kind)

    assert machine.error()["param"] == "type"


@pytest.mark.parametrize("kind", CLIENT_EVENTS)
@pytest.mark.parametrize("value", [None, 5, "x", [], {}, [{}], {"type": 5}])
def test_wrong_fields_are_answered_and_the_session_goes_on(kind, value):
    machine = Machine()
    names = ("session", "audio", "item", "item_id", "response", "response_id")
    more = ("previous_item_id", "content_index", "audio_end_ms")
    machine.send(kind, event_id="e1", **dict.fromkeys(names + more, value))
    machine.send("response.cancel")
    machine.forget()
    machine.type_text("Still there?")

    assert machine.names == ["conversation.item.added", "conversation.item.done"]


def test_event_id_that_is_no_text_is_not_echoed():
    machine = Machine()
    machine.send("response.cancel", event_id=5)

    assert machine.error()["event_id"] is None


def test_event_id_that_is_too_long_is_refused_and_not_echoed():
    machine = Machine()
    machine.type_text("Hello", event_id="e" * 513)

    assert machine.error()["code"] == "string_above_max_length"
    assert machine.error()["param"] == "event_id"
    assert machine.error()["event_id"] is None
    assert "conversation.item.added" not in machine.names


def test_long_values_are_not_repeated_in_full():
    machine = Machine()
    machine.send("x" * 5000)

    assert len(machine.error()["message"]) < 600


def test_playback_of_calls_is_not_here():
    machine = Machine()
    machine.send("output_audio_buffer.clear")

    assert machine.error()["code"] == "invalid_event"


def test_slow_and_quick_append_are_the_same():
    machine = Machine()
    machine.update(audio={"input": {"turn_detection": None}})
    machine.append(loud(60))
    assert machine.send("input_audio_buffer.append", audio="") == []
    machine.send("input_audio_buffer.append", audio="####", event_id="e1")

    assert machine.error()["param"] == "audio"
    assert machine.error()["event_id"] == "e1"


@pytest.mark.parametrize(
    ("kind", "param"),
    [
        ("input_audio_buffer.append", "audio"),
        ("conversation.item.delete", "item_id"),
        ("conversation.item.truncate", "content_index"),
        ("session.update", "session"),
        ("conversation.item.create", "item"),
    ],
)
def test_missing_field_is_named(kind, param):
    machine = Machine()
    machine.send(kind)

    assert machine.error()["code"] == "missing_required_parameter"
    assert machine.error()["param"] == param


def test_buffer_of_an_engine_that_cannot_hear_is_empty():
    machine = Machine(hears=False)
    machine.send("input_audio_buffer.clear")
    machine.send("input_audio_buffer.commit")

    assert machine.names[1] == "input_audio_buffer.cleared"
    assert "only has 0.00ms" in machine.error()["message"]
