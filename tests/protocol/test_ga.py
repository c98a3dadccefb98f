from __future__ import annotations

import json
from base64 import b64encode

import pytest

from realtime_widget.protocol.dialects.ga import (
    AudioDelta,
    detect,
    parsed_audio_delta,
    scan_audio_delta,
)
from realtime_widget.protocol.greeting import say_exactly, words_to_say
from realtime_widget.protocol.upstream_errors import FATAL, code_of_close
from tests.fakes.schema import check

AUDIO = bytes(range(256)) * 4
EVENT = {
    "type": "response.output_audio.delta",
    "event_id": "event_1",
    "response_id": "resp_1",
    "item_id": "item_1",
    "output_index": 0,
    "content_index": 0,
    "delta": b64encode(AUDIO).decode(),
}
DELTA = AudioDelta("item_1", "resp_1", AUDIO)


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_an_audio_delta_is_recognised_without_a_parser(separators):
    check("server", EVENT)
    assert scan_audio_delta(json.dumps(EVENT, separators=separators).encode()) == DELTA


def test_the_order_of_the_other_keys_does_not_matter():
    event = dict(reversed(EVENT.items()))
    event = {"type": event.pop("type"), **event}
    assert scan_audio_delta(json.dumps(event).encode()) == DELTA


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps(dict(reversed(EVENT.items()))).encode(),
        json.dumps({**EVENT, "type": "response.output_audio.done"}).encode(),
        json.dumps({**EVENT, "item_id": 'a"b'}).encode(),
        json.dumps({**EVENT, "item_id": None}).encode(),
        json.dumps({**EVENT, "delta": 5}).encode(),
        json.dumps({k: v for k, v in EVENT.items() if k != "delta"}).encode(),
        json.dumps({**EVENT, "delta": "A"}).encode(),
        json.dumps({**EVENT, "delta": "A!AA"}).encode(),
        b'{"type":"response.output_audio.delta","item_id":"\xff","response_id":"r","delta":""}',
        b'{"type":"response.output_audio.delta","item_id":"i","response_id":"r","delta":"AAAA',
        json.dumps(EVENT).replace("/", "\\/").encode(),
        b"",
        b"[]",
    ],
)
def test_whatever_else_is_left_to_the_parser(raw):
    assert scan_audio_delta(raw) is None


def test_words_that_look_like_keys_do_not_mislead():
    event = {
        "type": EVENT["type"],
        "event_id": '"delta":"AAAA","item_id":"evil"',
        **{k: v for k, v in EVENT.items() if k not in {"type", "event_id"}},
    }
    assert scan_audio_delta(json.dumps(event).encode()) == DELTA


def test_a_parsed_delta_is_the_same():
    assert parsed_audio_delta(EVENT) == DELTA


@pytest.mark.parametrize(
    "change",
    [
        {"item_id": None},
        {"response_id": 5},
        {"delta": []},
        {"delta": "A"},
        {"delta": "!!!!"},
        {"delta": "AAA=AAAA"},
        {"delta": "é"},
    ],
)
def test_a_parsed_delta_with_a_bad_field_is_none(change):
    assert parsed_audio_delta({**EVENT, **change}) is None


@pytest.mark.parametrize(
    ("session", "dialect"),
    [
        ({"type": "realtime"}, "ga"),
        ({"audio": {}}, "ga"),
        ({"modalities": ["text"]}, "beta"),
        ({"input_audio_format": "pcm16"}, "beta"),
        ({}, "ga"),
    ],
)
def test_the_dialect_is_told_from_the_first_session_object(session, dialect):
    assert detect(session) == dialect


@pytest.mark.parametrize(
    ("close_code", "reason", "code"),
    [
        (3000, "invalid_request_error.invalid_api_key", "upstream_auth"),
        (3000, "", "upstream_auth"),
        (4000, "invalid_request_error.model_not_found", "upstream_refused"),
        (4000, "insufficient_quota.insufficient_quota", "upstream_quota"),
        (4000, "something else", "upstream_refused"),
        (1000, "", None),
        (1006, "", None),
        (1001, "Your session hit the maximum duration of 60 minutes.", None),
    ],
)
def test_a_close_frame_says_whether_it_refuses(close_code, reason, code):
    assert code_of_close(close_code, reason) == code
    assert code is None or code in set(FATAL.values())


def test_words_to_say_survive_the_way_through_instructions():
    assert words_to_say(say_exactly("Hello\nthere")) == "Hello\nthere"
    assert words_to_say("Be kind.") is None
