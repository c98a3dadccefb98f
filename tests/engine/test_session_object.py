from __future__ import annotations

import pytest

from realtime_widget.engine.conversation.work import Reply
from tests.engine.machine import Machine, base64
from tests.fakes.engine import loud


def test_new_session_shows_all_of_its_configuration():
    machine = Machine(model="gpt-realtime-2.1", max_session_s=600)

    session = machine.last("session.created")["session"]

    assert session["model"] == "gpt-realtime-2.1"
    assert session["expires_at"] == 1_800_000_600
    assert session["object"] == "realtime.session"
    assert session["output_modalities"] == ["audio"]
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert session["audio"]["output"]["voice"] == "marin"


def test_update_changes_what_it_names_and_keeps_the_rest():
    machine = Machine()
    machine.update(instructions="Be kind.", audio={"output": {"voice": "cedar"}})

    session = machine.update(audio={"output": {"speed": 1.2}})[0]["session"]

    assert session["instructions"] == "Be kind."
    assert session["audio"]["output"] == {
        "format": {"type": "audio/pcm", "rate": 24_000},
        "voice": "cedar",
        "speed": 1.2,
    }


def test_turn_detection_is_replaced_as_a_whole():
    machine = Machine()
    machine.listen(type="server_vad", threshold=0.9)

    fresh = machine.listen(type="server_vad", silence_duration_ms=700)

    detection = fresh[0]["session"]["audio"]["input"]["turn_detection"]
    assert detection["threshold"] == 0.5
    assert detection["silence_duration_ms"] == 700


def test_transcription_merges_and_null_clears_it():
    machine = Machine()
    machine.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    merged = machine.update(audio={"input": {"transcription": {"language": "en"}}})
    cleared = machine.update(audio={"input": {"transcription": None}})

    transcription = merged[0]["session"]["audio"]["input"]["transcription"]
    assert transcription == {"model": "whisper-1", "language": "en"}
    assert cleared[0]["session"]["audio"]["input"]["transcription"] is None


def test_null_gives_defaults_back():
    machine = Machine()
    machine.update(instructions="Be kind.", max_output_tokens=10, tool_choice="none")

    session = machine.update(
        instructions=None, max_output_tokens=None, tool_choice=None, tools=None
    )[0]["session"]

    assert session["instructions"] == ""
    assert session["max_output_tokens"] == "inf"
    assert session["tool_choice"] == "auto"
    assert session["tools"] == []


def test_unknown_fields_are_kept_and_shown():
    session = Machine().update(
        tracing="auto",
        reasoning={"effort": "low"},
        audio={"input": {"noise_reduction": {"type": "near_field", "strength": 0.3}}},
        house_field=7,
    )[0]["session"]

    assert session["tracing"] == "auto"
    assert session["reasoning"] == {"effort": "low"}
    assert session["audio"]["input"]["noise_reduction"]["strength"] == 0.3
    assert session["house_field"] == 7


def test_read_only_fields_stay():
    machine = Machine(model="chosen")
    before = machine.last("session.created")["session"]

    after = machine.update(id="mine", expires_at=1, object="x", model="other")[0]

    for name in ("id", "expires_at", "object", "model"):
        assert after["session"][name] == before[name]


def test_first_update_names_the_model_when_the_address_did_not():
    machine = Machine()

    assert machine.update(model="first")[0]["session"]["model"] == "first"
    assert machine.update(model="second")[0]["session"]["model"] == "first"


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({}, "missing_required_parameter", "session.type"),
        ({"type": "call"}, "invalid_value", "session.type"),
        ({"type": "transcription"}, "invalid_parameter", None),
        ({"type": "realtime", "output_modalities": ["audio", "text"]}, "invalid_value", "session.output_modalities"),
        ({"type": "realtime", "max_output_tokens": 5000}, "integer_above_max_value", "session.max_output_tokens"),
        ({"type": "realtime", "max_output_tokens": True}, "invalid_type", "session.max_output_tokens"),
        ({"type": "realtime", "tool_choice": "always"}, "invalid_value", "session.tool_choice"),
        ({"type": "realtime", "tools": [{"type": "function"}]}, "missing_required_parameter", "session.tools[0].name"),
        ({"type": "realtime", "tools": "all"}, "invalid_type", "session.tools"),
        ({"type": "realtime", "instructions": 5}, "invalid_type", "session.instructions"),
        ({"type": "realtime", "audio": []}, "invalid_type", "session.audio"),
        ({"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}}, "invalid_value", "session.audio.input.format.rate"),
        ({"type": "realtime", "audio": {"input": {"format": {"type": "audio/mp3"}}}}, "invalid_value", "session.audio.input.format.type"),
        ({"type": "realtime", "audio": {"input": {"turn_detection": {"type": "x"}}}}, "invalid_value", "session.audio.input.turn_detection.type"),
        ({"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}}, "decimal_above_max_value", "session.audio.input.turn_detection.threshold"),
        ({"type": "realtime", "audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "x"}}}}, "invalid_value", "session.audio.input.turn_detection.eagerness"),
        ({"type": "realtime", "audio": {"output": {"speed": 0}}}, "decimal_below_min_value", "session.audio.output.speed"),
        ({"type": "realtime", "audio": {"output": {"voice": 5}}}, "invalid_type", "session.audio.output.voice"),
        ({"type": "realtime", "turn_detection": None}, "unknown_parameter", "session.turn_detection"),
        ({"type": "realtime", "voice": "ash"}, "unknown_parameter", "session.voice"),
        ({"type": "realtime", "audio": {"input": {"format": "pcm16"}}}, "invalid_type", "session.audio.input.format"),
        ({"type": "realtime", "audio": {"input": {"format": {}}}}, "missing_required_parameter", "session.audio.input.format.type"),
        ({"type": "realtime", "audio": {"input": {"noise_reduction": {"type": "x"}}}}, "invalid_value", "session.audio.input.noise_reduction.type"),
        ({"type": "realtime", "audio": {"input": {"transcription": {"language": "en", "languages": ["en"]}}}}, "invalid_value", "session.audio.input.transcription.languages"),
        ({"type": "realtime", "include": ["everything"]}, "invalid_value", "session.include[0]"),
        ({"type": "realtime", "reasoning": {"effort": "bogus"}}, "invalid_value", "session.reasoning.effort"),
        ({"type": "realtime", "parallel_tool_calls": "no"}, "invalid_type", "session.parallel_tool_calls"),
        ({"type": "realtime", "truncation": {"type": "retention_ratio", "retention_ratio": 2}}, "decimal_above_max_value", "session.truncation.retention_ratio"),
        ({"type": "realtime", "tool_choice": {"type": "function"}}, "missing_required_parameter", "session.tool_choice.name"),
        ({"type": "realtime", "tools": [{"type": "mcp"}]}, "missing_required_parameter", "session.tools[0].server_label"),
    ],
)  # fmt: skip
def test_update_with_a_wrong_field_changes_nothing(session, code, param):
    machine = Machine()
    before = machine.talk.session.public

    fresh = machine.send("session.update", event_id="mine", session=session)

    assert [event["type"] for event in fresh] == ["error"]
    assert fresh[0]["error"]["code"] == code
    assert fresh[0]["error"]["param"] == param
    assert fresh[0]["error"]["event_id"] == "mine"
    assert machine.talk.session.public == before


def test_update_without_a_session_is_refused():
    machine = Machine()
    machine.send("session.update")

    assert machine.error()["param"] == "session"


def test_voice_is_locked_once_it_was_heard():
    machine = Machine()
    machine.update(audio={"output": {"voice": "cedar"}})
    machine.type_text("Hello")
    machine.send("response.create")
    machine.reply("Hello.")
    machine.speak()

    machine.update(instructions="New.", audio={"output": {"voice": "ash"}})

    assert machine.error()["code"] == "cannot_update_voice"
    assert machine.talk.session.public["instructions"] == ""
    same = machine.update(audio={"output": {"voice": "cedar"}})
    assert same[0]["type"] == "session.updated"


def test_voice_can_change_while_only_text_was_written():
    machine = Machine()
    machine.update(output_modalities=["text"])
    machine.type_text("Hello")
    machine.send("response.create")
    machine.reply("Hello.")

    fresh = machine.update(audio={"output": {"voice": "ash"}})

    assert fresh[0]["session"]["audio"]["output"]["voice"] == "ash"


def test_engine_without_a_voice_writes_and_says_so():
    machine = Machine(hears=False, speaks=False)
    assert machine.last("session.created")["session"]["output_modalities"] == ["text"]

    fresh = machine.update(output_modalities=["audio"])

    assert fresh[0]["session"]["output_modalities"] == ["text"]


def test_audio_for_an_engine_that_cannot_hear_is_answered_once():
    machine = Machine(hears=False, speaks=False)

    machine.append(loud(500))
    machine.send("input_audio_buffer.append", audio=base64(loud(100)))

    assert machine.error()["code"] == "voice_unavailable"


def test_old_session_ends_with_an_error_and_a_close():
    machine = Machine(max_session_s=3600)

    assert machine.wait(3599) == []
    machine.wait(1)

    assert machine.error()["code"] == "session_expired"
    assert machine.error()["message"] == (
        "Your session hit the maximum duration of 60 minutes."
    )
    (close,) = machine.work
    assert (close.code, close.reason) == (1001, machine.error()["message"])
    assert machine.type_text("Anyone?") == []


def test_tools_that_are_no_functions_are_shown_and_kept_from_the_dialogue():
    machine = Machine()
    function = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    mcp = {"type": "mcp", "server_label": "s", "server_url": "https://example.com"}
    shown = machine.update(
        tools=[function, mcp], tool_choice={"type": "function", "name": "f"}
    )
    machine.send("response.create")

    assert shown[0]["session"]["tools"] == [function, mcp]
    assert [event["type"] for event in shown[1:]] == [
        "conversation.item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.failed",
    ]
    assert shown[1]["item"]["server_label"] == "s"
    request = machine.take_work(Reply).request
    assert request.tools == [function]
    assert request.tool_choice == {"type": "function", "name": "f"}


def test_tokens_of_mcp_servers_are_not_shown_and_each_server_is_tried_once():
    machine = Machine()
    mcp = {"type": "mcp", "server_label": "s", "server_url": "https://example.com"}
    secret = {"authorization": "t0ken", "headers": {"X-Key": "t0ken"}}
    shown = machine.update(tools=[{**mcp, **secret}])
    assert "t0ken" not in str(shown)
    item_id = shown[-1]["item_id"]
    (retrieved,) = machine.send("conversation.item.retrieve", item_id=item_id)
    assert retrieved["item"]["tools"] == []
    again = machine.update(tools=[mcp, {**mcp, "server_label": "t"}])
    failed = [event for event in again if event["type"] == "mcp_list_tools.failed"]
    assert len(failed) == 1
    assert failed[0]["item_id"] != item_id


def test_custom_voice_is_named_by_its_id():
    machine = Machine()
    machine.update(audio={"output": {"voice": {"id": "voice_1"}, "speed": 1.25}})
    machine.type_text("Hello")
    machine.send("response.create")
    machine.reply("Hello.")
    work = machine.speak()

    assert (work.voice, work.speed) == ("voice_1", 1.25)
