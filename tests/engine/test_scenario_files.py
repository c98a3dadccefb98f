"""Scenario files: what they may say, and what they are told when they are wrong."""

from __future__ import annotations

import json

import pytest

from realtime_widget.engine.scenario.files import load_scenario
from realtime_widget.engine.scenario.reading import ACTIONS, read_scenario
from realtime_widget.engine.scenario.script import (
    CallTool,
    Fail,
    Handshake,
    Rule,
    Say,
    ScenarioError,
    Turn,
    Wait,
)

YAML = """\
connections:
  - handshake: {status: 503, delay_ms: 20}
  - turns:
      - hears: book a table
        steps:
          - say: Hello.
          - wait_ms: 1.5
          - call: {name: book, arguments: {seats: 2}}
          - fail: true
        events:
          - {at: response.done, nth: 1, drop: true}
"""
TOML = """\
[[connections]]
handshake = {status = 503, delay_ms = 20}
[[connections]]
[[connections.turns]]
hears = "book a table"
steps = [
  {say = "Hello."}, {wait_ms = 1.5},
  {call = {name = "book", arguments = {seats = 2}}}, {fail = true},
]
events = [{at = "response.done", nth = 1, drop = true}]
"""
DATA = {
    "connections": [
        {"handshake": {"status": 503, "delay_ms": 20}},
        {
            "turns": [
                {
                    "hears": "book a table",
                    "steps": [
                        {"say": "Hello."},
                        {"wait_ms": 1.5},
                        {"call": {"name": "book", "arguments": {"seats": 2}}},
                        {"fail": True},
                    ],
                    "events": [{"at": "response.done", "drop": True}],
                }
            ]
        },
    ]
}


def written(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", YAML),
        ("a.toml", TOML),
        ("a.json", json.dumps(DATA)),
        ("a.py", f"SCENARIO = {DATA!r}"),
    ],
)
def test_every_kind_of_file_says_the_same(tmp_path, name, text):
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    scenario = load_scenario(written(tmp_path, name, text))

    assert scenario == read_scenario(DATA)
    assert scenario.connection(0).handshake == Handshake(503, 20)
    assert scenario.connection(5).turns == (
        Turn(
            "book a table",
            (Say("Hello."), Wait(1.5), CallTool("book", '{"seats": 2}'), Fail()),
            (Rule("response.done", 1, "drop", True),),
        ),
    )


def test_one_connection_needs_no_list():
    scenario = read_scenario({"turns": [{"steps": [{"say": "Hello."}]}]})
    assert scenario.connection(0) is scenario.connection(9)
    assert scenario.connection(0).turns[0].steps == (Say("Hello."),)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "the scenario: must be a table, not list."),
        ({"turn": []}, "turn: is not known. Did you mean 'turns'?"),
        ({"connections": []}, "connections: needs at least one"),
        ({"connections": [{}], "turns": []}, "turns: belongs into one of"),
        ({"handshake": {"status": 200}}, "handshake.status: must be an HTTP status"),
        ({"handshake": {"status": True}}, "handshake.status: must be an HTTP status"),
        ({"handshake": {"delay_ms": -1}}, "handshake.delay_ms: must be milliseconds"),
        ({"turns": {}}, "turns: must be a list, not dict."),
        ({"turns": [{"hears": 1}]}, "turns[0].hears: must be text, not int."),
        ({"turns": [{"steps": [{}]}]}, "turns[0].steps[0]: needs exactly one of: say"),
        ({"turns": [{"steps": [{"says": "a"}]}]}, "turns[0].steps[0].says: is not known."),
        ({"turns": [{"steps": [{"fail": 1}]}]}, "steps[0].fail: takes the value true"),
        ({"turns": [{"steps": [{"call": {}}]}]}, "call.name: must be text, not nothing"),
        ({"events": [{"drop": True}]}, "events[0].at: must be text, not nothing."),
        ({"events": [{"at": "a"}]}, "events[0]: needs exactly one of: delay_ms"),
        ({"events": [{"at": "a", "nth": 0, "drop": True}]}, "events[0].nth: must be"),
        ({"events": [{"at": "a", "close": {"code": 1006}}]}, "close.code: must be"),
        ({"events": [{"at": "a", "send": {}}]}, "send.type: must be text"),
        ({"events": [{"at": "a", "error": {"code": 5}}]}, "error.code: must be text"),
    ],
)  # fmt: skip
def test_mistake_says_where_it_is(data, message):
    with pytest.raises(ScenarioError) as caught:
        read_scenario(data)
    assert message in str(caught.value)


def test_mistake_in_yaml_names_its_line(tmp_path):
    pytest.importorskip("yaml")
    path = written(tmp_path, "a.yaml", YAML.replace("wait_ms", "wait_s"))
    with pytest.raises(
        ValueError, match=r"a\.yaml:7: .*wait_s: is not known"
    ) as caught:
        load_scenario(path)
    assert "Did you mean 'wait_ms'?" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "", "ends in .yaml"),
        ("a.json", "{", "a.json: Expecting"),
        ("a.toml", "=", "a.toml: Invalid"),
        ("a.py", "", "has to define SCENARIO"),
    ],
)
def test_file_that_cannot_be_read_is_named(tmp_path, name, text, message):
    with pytest.raises(ValueError, match=message):
        load_scenario(written(tmp_path, name, text))


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"gone\.json: No such file"):
        load_scenario(tmp_path / "gone.json")


def test_every_action_can_be_read():
    values = {
        "delay_ms": 5,
        "after": "response.done",
        "send": {"type": "x"},
        "raw": "{",
        "error": {"code": "c"},
        "close": {"code": 4000, "reason": "r"},
    }
    rules = [{"at": "a", action: values.get(action, True)} for action in ACTIONS]
    read = read_scenario({"events": rules}).connection(0).events
    assert [rule.action for rule in read] == list(ACTIONS)
