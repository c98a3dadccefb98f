from __future__ import annotations

import pytest

from realtime_widget.exceptions import ProtocolError
from realtime_widget.session import fields
from realtime_widget.session.ports import ToolFact, UsageFact
from tests.session.driving import Talk, tool


@pytest.mark.parametrize("value", ["", "x" * 101, "a\x00b", "a\nb", "\ud800", 5, None])
def test_an_id_is_short_and_printable(value):
    with pytest.raises(ProtocolError):
        fields.text({"id": value}, "id")


def test_an_id_of_any_script_is_fine():
    assert fields.text({"id": "é_1-" * 25}, "id") == "é_1-" * 25


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("lookup", "lookup"),
        ("x" * 300, "x" * 100),
        ("a\nb", "a\\nb"),
        ("\n" * 100, "\\n" * 50),
        ("", ""),
    ],
)
def test_a_made_up_name_is_made_safe(value, label):
    assert fields.label({"name": value}, "name") == label


def test_a_call_of_an_odd_name_is_answered_all_the_same():
    talk = Talk(tools=[tool()])
    talk.response()
    talk.call("call_1", name="drop\x00" + "x" * 500)
    (fact,) = [fact for fact in talk.facts if isinstance(fact, ToolFact)]
    assert fact.status == "unknown_tool"
    assert len(fact.name) == 100
    assert len(talk.sent("conversation.item.create")) == 1


def test_of_usage_only_what_can_be_counted_is_kept():
    talk = Talk()
    talk.response()
    deep = {"a": {"b": {"c": {"d": {"e": 1}}}}}
    talk.raw(
        {
            "type": "response.done",
            "response": {
                "id": "resp_1",
                "usage": {
                    "total_tokens": 5,
                    "seconds": 1.5,
                    "type": "tokens",
                    "nan": float("nan"),
                    "long": "x" * 200,
                    "nul": "a\x00",
                    "ke\x00y": 1,
                    "list": [1],
                    "details": {"audio_tokens": 2},
                    "deep": deep,
                },
            },
        }
    )
    (fact,) = [fact for fact in talk.facts if isinstance(fact, UsageFact)]
    assert fact.usage == {
        "total_tokens": 5,
        "seconds": 1.5,
        "type": "tokens",
        "details": {"audio_tokens": 2},
        "deep": {"a": {"b": {}}},
    }
