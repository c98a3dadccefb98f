"""The beta's tables, there and back."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from realtime_widget.protocol.dialects import beta, beta_events
from realtime_widget.protocol.dialects.durations import duration_ms
from realtime_widget.protocol.dialects.ga import scan_audio_delta

BETA = {
    "modalities": ["text", "audio"],
    "voice": "echo",
    "speed": 1.1,
    "instructions": "Be brief.",
    "input_audio_format": "pcm16",
    "output_audio_format": "g711_ulaw",
    "input_audio_transcription": {"model": "whisper-1"},
    "input_audio_noise_reduction": {"type": "near_field"},
    "turn_detection": {"type": "server_vad", "silence_duration_ms": 500},
    "max_response_output_tokens": 100,
    "tool_choice": "auto",
    "tools": [],
}
GA = {
    "output_modalities": ["audio"],
    "instructions": "Be brief.",
    "max_output_tokens": 100,
    "tool_choice": "auto",
    "tools": [],
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "transcription": {"model": "whisper-1"},
            "noise_reduction": {"type": "near_field"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 500},
        },
        "output": {"format": {"type": "audio/pcmu"}, "voice": "echo", "speed": 1.1},
    },
}


def test_a_session_there_and_back():
    assert beta.fields_to_ga(BETA, beta.SESSION) == GA
    assert beta.fields_to_beta(GA, beta.SESSION) == BETA


def test_what_was_given_is_not_changed():
    session = {"audio": {"input": {"kept": 1}}, "voice": "echo"}
    beta.fields_to_ga(session, beta.SESSION)
    assert session == {"audio": {"input": {"kept": 1}}, "voice": "echo"}


@pytest.mark.parametrize("field", [f.beta for f in beta.SESSION])
def test_one_field_alone_touches_no_other(field):
    ga = beta.fields_to_ga({field: BETA[field]}, beta.SESSION)
    assert beta.fields_to_beta(ga, beta.SESSION) == {field: BETA[field]}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("session.turn_detection", "session.audio.input.turn_detection"),
        (
            "session.turn_detection.threshold",
            "session.audio.input.turn_detection.threshold",
        ),
        ("session.modalities[0]", "session.output_modalities[0]"),
        ("response.voice", "response.audio.output.voice"),
        ("session.tools[0].name", "session.tools[0].name"),
        ("session.voices", "session.voices"),
    ],
)
def test_the_field_an_error_blames(theirs, ours):
    assert beta.param_to_ga(theirs) == ours
    assert beta.param_to_beta(ours) == theirs


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        (250, 250),
        ("500", 500),
        ("500ms", 500),
        ("PT0.5S", 500),
        ("PT1M2S", 62_000),
        ("PT", "PT"),
        ("soon", "soon"),
        (None, None),
    ],
)
def test_lengths_of_time(written, ms):
    assert duration_ms(written) == ms


@pytest.mark.parametrize("blank", ["", " "])
def test_audio_is_renamed_without_a_parser(blank):
    beta_event = b'{"type":%s"response.audio.delta","delta":"AAAA"}' % blank.encode()
    ga_event = beta_events.audio_to_ga(beta_event)
    assert b'"response.output_audio.delta"' in ga_event
    assert beta_events.audio_to_beta(ga_event) == beta_event
    assert beta_events.audio_to_ga(b'{"type":"response.done"}') is None


def test_what_ga_alone_has_is_not_asked_of_a_beta_server():
    detection = {"type": "server_vad", "idle_timeout_ms": 5_000}
    event = {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "truncation": "auto",
            "audio": {"input": {"turn_detection": detection}},
        },
    }
    assert beta_events.client_to_beta(event)["session"] == {
        "turn_detection": {"type": "server_vad"}
    }


DELTA = {
    "event_id": "event_1",
    "type": "response.audio.delta",
    "response_id": "resp_1",
    "item_id": "item_1",
    "output_index": 0,
    "content_index": 0,
    "delta": b64encode(bytes(range(256))).decode(),
}
SEPARATORS = [(",", ":"), (", ", ": ")]


@pytest.mark.parametrize("separators", SEPARATORS)
@pytest.mark.parametrize(
    "order",
    [list(DELTA), sorted(DELTA), ["type", *sorted(set(DELTA) - {"type"})]],
    ids=["id first", "type last", "type first"],
)
def test_audio_is_recognised_wherever_its_type_stands(order, separators):
    event = {name: DELTA[name] for name in order}
    renamed = beta_events.audio_to_ga(json.dumps(event, separators=separators).encode())
    assert json.loads(renamed) == {**DELTA, "type": "response.output_audio.delta"}
    # The bridge reads it without a parser then.
    delta = scan_audio_delta(renamed)
    assert delta == ("item_1", "resp_1", bytes(range(256)))


@pytest.mark.parametrize(
    "event",
    [
        {"event_id": '"type":"response.audio.delta"}', "type": "response.done"},
        {"event_id": "e", "type": "response.audio.done"},
        {"text": ',"type":"response.audio.delta"}'},
        {"part": {"x": 1, "type": "response.audio.delta"}},
        {"type": "response.text.delta", "delta": "response.audio.delta"},
        [{"x": 1, "type": "response.audio.delta"}],
        "response.audio.delta",
    ],
)
@pytest.mark.parametrize("separators", SEPARATORS)
def test_what_only_looks_like_audio_is_left_to_the_parser(event, separators):
    raw = json.dumps(event, separators=separators).encode()
    assert beta_events.audio_to_ga(raw) is None
