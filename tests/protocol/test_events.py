from __future__ import annotations

import json
from base64 import b64encode

import pytest

from realtime_widget.exceptions import ProtocolError
from realtime_widget.protocol import events
from tests.fakes import schema


@pytest.mark.parametrize("size", [0, 1, 2, 3, 960, 1920])
def test_appended_audio_survives_both_ways_of_reading(size):
    audio = bytes(at % 256 for at in range(size))
    event = events.append_audio(audio)

    schema.check("client", json.loads(event))
    assert events.scan_append(event) == audio
    assert events.scan_append(json.dumps(json.loads(event)).encode()) == audio


@pytest.mark.parametrize(
    "event",
    [
        b'{"type":"input_audio_buffer.append","event_id":"e","audio":"AAAA"}',
        b'{"type":"input_audio_buffer.append","audio":"AAAA","event_id":"e"}',
        b'{"audio":"AAAA","type":"input_audio_buffer.append"}',
        b'{"type":"input_audio_buffer.append","audio":"AA\\/A"}',
        b'{"type":"input_audio_buffer.append","audio":"AA=A"}',
        b'{"type":"input_audio_buffer.append","audio":"A#AA"}',
        b'{"type":"input_audio_buffer.append","audio":"A"}',
        b'{"type":"input_audio_buffer.append","audio":"AAAA"',
        b'{"type":"input_audio_buffer.commit"}',
        b"",
    ],
)
def test_other_spellings_are_left_to_the_parser(event):
    assert events.scan_append(event) is None


def test_audio_delta_is_the_event_of_the_schema():
    event = events.audio_delta(
        b"\0\1" * 10,
        event_id="event_1",
        response_id="resp_1",
        item_id="item_1",
        output_index=2,
    )

    parsed = json.loads(event)
    schema.check("server", parsed)
    assert parsed["delta"] == b64encode(b"\0\1" * 10).decode()
    assert (parsed["output_index"], parsed["content_index"]) == (2, 0)


def test_encoded_event_is_compact_and_always_valid_utf8():
    event = {"type": "error", "words": "\ud800 é"}

    assert events.decode(events.encode(event)) == event
    assert b" " not in events.encode({"type": "a", "b": [1, 2]})


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b"\xff\xfe", b'"x"', b"[" * 100_000]
)
def test_what_is_no_event_is_refused_without_its_content(text):
    with pytest.raises(ProtocolError) as caught:
        events.decode(text)

    assert caught.value.code == "invalid_json"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "value",
    [
        b"NaN",
        b"[-Infinity]",
        b"1e999",
        b"[" * 100 + b"]" * 100,
        b'"\\ud800"',
        b'{"\\uDFFF\\ud83d": 1}',
    ],
)
def test_what_strict_parsers_refuse_is_refused_before_it_is_passed_on(value):
    with pytest.raises(ProtocolError) as caught:
        events.decode_strictly(b'{"type":"a","b":' + value + b"}")

    assert caught.value.code == "invalid_json"


def test_pairs_and_words_that_only_look_wrong_are_read():
    event = {"type": "a", "b": "\U0001f600 NaN Infinity \\ud800"}

    assert events.decode_strictly(events.encode(event)) == event


def test_client_events_are_those_of_the_schema():
    assert set(events.CLIENT_EVENTS) == set(schema.client_event_names())
