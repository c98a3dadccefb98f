"""Arguments against the schema the model was given, and what it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from realtime_widget.exceptions import BadToolArguments
from realtime_widget.models.schemas import KEYWORDS
from realtime_widget.session import argument_schema
from realtime_widget.session.argument_schema import check_arguments
from realtime_widget.session.config import ToolSpec
from realtime_widget.session.tool_values import Outcome
from tests.session.driving import Talk

BOOKING = {
    "type": "object",
    "properties": {
        "service": {"type": "string", "enum": ["wash", "cut"]},
        "people": {"type": "integer", "minimum": 1, "maximum": 4},
        "day": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "notes": {
            "type": "array",
            "items": {"type": "string", "maxLength": 5},
            "maxItems": 2,
            "uniqueItems": True,
        },
    },
    "required": ["service", "day"],
    "additionalProperties": False,
}


def told(schema, arguments):
    """Return what the model is told, "" for nothing."""
    try:
        check_arguments(schema, arguments)
    except BadToolArguments as exc:
        return str(exc)
    return ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"people": 4.0, "notes": ["a", "b"]}, ""),
        ({"people": 5}, "people: must be 4 or less"),
        ({"people": True}, "people: must be integer"),
        ({"people": "2"}, "people: must be integer"),
        ({"service": "dye"}, 'service: must be one of ["wash", "cut"]'),
        ({"day": "tomorrow"}, r"day: must match ^\d{4}-\d\d-\d\d$"),
        ({"notes": ["longer"]}, "notes[0]: takes 5 characters at most"),
        ({"notes": ["a", "a"]}, "notes: must not hold anything twice"),
        ({"notes": ["a", "b", "c"]}, "notes: takes 2 entries at most"),
        ({"colour": "red"}, "colour: is not known"),
    ],
)
def test_the_model_is_told_which_argument_is_wrong_and_why(change, words):
    assert told(BOOKING, {"service": "cut", "day": "2030-01-02", **change}) == words


def test_several_faults_are_told_at_once_but_not_all_of_many():
    assert told(BOOKING, {"people": 0}) == (
        "service: is missing; day: is missing; people: must be 1 or more"
    )
    many = {"type": "object", "additionalProperties": False}
    assert told(many, {str(n): n for n in range(50)}).count(";") == 4


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"const": True}, True, 1),
        ({"multipleOf": 0.1}, 0.3, 0.35),
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5, 1),
        ({"type": ["string", "null"]}, None, 1),
        ({"anyOf": [{"type": "string"}, {"minimum": 3}]}, 4, 2),
        ({"oneOf": [{"minimum": 3}, {"maximum": 5}]}, 9, 4),
        ({"allOf": [{"minimum": 3}, {"maximum": 5}]}, 4, 6),
        ({"minLength": 2}, "ab", "a"),
        ({"minItems": 1}, [1], []),
        ({"type": "object", "additionalProperties": {"type": "null"}}, {"a": None}, {"a": 1}),
        ({"$ref": "#/$defs/size"}, "big", "huge"),
    ],
)  # fmt: skip
def test_each_keyword_of_a_tools_row_is_checked(schema, good, bad):
    whole = {
        "type": "object",
        "properties": {"it": schema},
        "$defs": {"size": {"enum": ["small", "big"]}},
    }
    assert told(whole, {"it": good}) == ""
    assert told(whole, {"it": bad}).startswith("it")


def test_a_row_has_no_keyword_that_is_overlooked():
    annotations = {"title", "description", "format", "default", "examples"}
    source = Path(argument_schema.__file__).read_text(encoding="utf-8")
    assert {k for k in KEYWORDS if f'"{k}"' not in source} == annotations


def test_a_schema_that_refers_to_itself_ends():
    tree = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}
    schema = {**tree, "$defs": {"node": tree}}
    value = leaf = {}
    for _ in range(12):
        leaf["next"] = {}
        leaf = leaf["next"]
    assert told(schema, value) == ""
    loop = {"type": "object", "$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}  # fmt: skip
    assert told(loop, {}) == ""


def test_alternatives_within_alternatives_end():
    again = [{"$ref": "#/$defs/a"}] * 8
    schema = {"type": "object", "anyOf": again, "$defs": {"a": {"anyOf": again}}}
    told(schema, {})


def test_a_pattern_cannot_hold_up_the_loop():
    # Hours of backtracking in an engine that tries every way.
    schema = {"type": "object", "properties": {"a": {"pattern": "^(a+)+$"}}}
    assert told(schema, {"a": "a" * 5_000 + "!"}).startswith("a: must match")
    look_around = {"type": "object", "properties": {"a": {"pattern": "^(?=x)y"}}}
    assert told(look_around, {"a": "z"}) == ""


@pytest.mark.parametrize("runs_on", ["server", "browser"])
def test_a_call_that_does_not_fit_neither_asks_nor_runs(runs_on):
    book = ToolSpec(
        "book",
        "Book it.",
        BOOKING,
        runs_on=runs_on,
        needs_approval=True,
        checks_arguments=True,
    )
    talk = Talk(tools=[book])
    talk.response()
    talk.call("call_1", "book", '{"service": "dye", "day": "2030-01-02"}')
    talk.call("call_2", "book", '{"service": "cut", "day": "2030-01-02"}')
    talk.done()
    asked = [m["call_id"] for m in talk.messages("tool.approval_required")]
    assert asked == ["call_2"]
    (answer,) = talk.sent("conversation.item.create")
    assert json.loads(answer["item"]["output"])["error"].startswith("service: must be")
    assert [fact.status for fact in talk.facts] == ["bad_arguments"]
    talk.page("tool.approval", call_id="call_2", approve=True)
    assert talk.started_tools == ["call_2"]
    talk.finish_tool("call_2", Outcome("completed", None))
