from __future__ import annotations

import pytest

from realtime_widget.exceptions import ProtocolError
from realtime_widget.protocol.bounded_json import MAX_DEPTH, parse_object


def nested(depth):
    return '{"a":' * depth + "1" + "}" * depth


def test_ordinary_object_is_read():
    text = '{"type":"message","text":"caf\\u00e9 \\ud83d\\ude00","n":[1,2.5,null,true]}'
    assert parse_object(text) == {
        "type": "message",
        "text": "café 😀",
        "n": [1, 2.5, None, True],
    }


def test_deepest_allowed_object_is_read():
    assert parse_object(nested(MAX_DEPTH))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "hello",
        '{"type":',
        '{"type":"ping"} trailing',
        "\ufeff{}",
        "[]",
        '"text"',
        "1",
        "null",
        '{"t":NaN}',
        '{"t":-Infinity}',
        '{"t":1e999}',
        '{"t":"\\u0000"}',
        '{"\\u0000":1}',
        '{"t":"\\ud800"}',
        '{"t":' + "1" * 5_000 + "}",
        nested(MAX_DEPTH + 1),
        '{"t":' + "[" * 100_000 + "]" * 100_000 + "}",
        b'{"t":"\xff"}',
    ],
)
def test_what_must_not_go_further_is_refused_without_its_content(text):
    with pytest.raises(ProtocolError) as refusal:
        parse_object(text)
    assert refusal.value.code == "bad_message"
    assert str(refusal.value) in ("not acceptable as JSON", "not a JSON object")
