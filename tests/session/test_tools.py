from __future__ import annotations

import json

import pytest

from realtime_widget.exceptions import BadToolArguments, ToolError, ToolTimeout
from realtime_widget.session import tool_values, tools
from realtime_widget.session.config import Limits
from realtime_widget.session.ports import ToolFact
from realtime_widget.session.tool_values import Outcome, encoded, fits, outcome_of
from tests.session.driving import Talk, tool


def calling(*call_ids, tools=None, **fields):
    """Return a talk whose response has made these calls and ended."""
    talk = Talk(tools=tools or [tool()], **fields)
    talk.response()
    for call_id in call_ids:
        talk.call(call_id)
    return talk


def outputs(talk):
    """Return what the model was answered, by call."""
    return [
        (event["item"]["call_id"], json.loads(event["item"]["output"]))
        for event in talk.sent("conversation.item.create")
    ]


def creates(talk):
    return len(talk.sent("response.create"))


def test_a_call_is_run_answered_and_followed_by_one_response():
    talk = calling("call_1")
    (started,) = talk.of(tools.StartTool)
    assert (started.call_id, started.name, started.arguments) == (
        "call_1",
        "lookup",
        {},
    )
    talk.done()
    talk.now += 1.25
    talk.finish_tool("call_1", Outcome("completed", {"state": "sent"}))
    assert outputs(talk) == [("call_1", {"state": "sent"})]
    assert creates(talk) == 1
    assert talk.messages("tool.started") == [
        {
            "type": "tool.started",
            "call_id": "call_1",
            "name": "lookup",
            "status": "running",
        }
    ]
    assert talk.messages("tool.finished") == [
        {
            "type": "tool.finished",
            "call_id": "call_1",
            "name": "lookup",
            "status": "completed",
        }
    ]
    assert talk.facts == [
        ToolFact("call_1", "lookup", "{}", '{"state": "sent"}', "completed", 1250)
    ]


def test_the_response_waits_for_all_calls_and_for_the_end():
    talk = calling("call_1", "call_2")
    talk.finish_tool("call_1", Outcome("completed", 1))
    talk.done()
    assert creates(talk) == 0
    talk.finish_tool("call_2", Outcome("completed", 2))
    assert creates(talk) == 1


def test_answers_before_the_responses_end_are_followed_up_after_it():
    talk = calling("call_1")
    talk.finish_tool("call_1", Outcome("completed", 1))
    assert creates(talk) == 0
    talk.call("call_2")
    talk.done()
    assert creates(talk) == 0
    talk.finish_tool("call_2", Outcome("completed", 2))
    assert creates(talk) == 1


def test_the_same_call_twice_runs_once():
    talk = calling("call_1", "call_1")
    call = {
        "id": "i",
        "type": "function_call",
        "call_id": "call_1",
        "name": "lookup",
        "arguments": "{}",
        "status": "completed",
    }
    talk.done(output=[call])
    talk.finish_tool("call_1", Outcome("completed", 1))
    talk.finish_tool("call_1", Outcome("completed", 2))
    assert talk.started_tools == ["call_1"]
    assert outputs(talk) == [("call_1", 1)]
    assert creates(talk) == 1


def test_a_call_that_only_response_done_names_is_run():
    talk = Talk(tools=[tool()])
    talk.response()
    call = {"id": "i", "type": "function_call", "name": "lookup", "arguments": "{}"}
    talk.raw(
        {
            "type": "response.done",
            "response": {
                "id": "resp_1",
                "status": "completed",
                "output": [
                    {**call, "call_id": "call_1"},
                    call,
                    "x",
                    {"type": "message"},
                ],
            },
        }
    )
    assert talk.started_tools == ["call_1"]
    assert talk.core.turns.active_id == ""
    talk.finish_tool("call_1", Outcome("completed", 1))
    assert creates(talk) == 1
    assert talk.core.counters["malformed_event"] == 1


def test_a_call_that_comes_after_its_response_is_followed_up():
    talk = Talk(tools=[tool()])
    talk.response()
    talk.done()
    talk.call("call_1")
    talk.finish_tool("call_1", Outcome("completed", 1))
    assert creates(talk) == 1


def test_a_call_that_was_cut_off_is_not_run():
    talk = Talk(tools=[tool()])
    talk.response()
    talk.call("call_1", status="incomplete")
    talk.done(status="cancelled")
    assert not talk.started_tools
    assert creates(talk) == 0


@pytest.mark.parametrize(
    ("name", "arguments", "status", "words"),
    [
        ("delete_all", "{}", "unknown_tool", tool_values.UNKNOWN),
        ("lookup", "{", "bad_arguments", tool_values.NOT_AN_OBJECT),
        ("lookup", "[1]", "bad_arguments", tool_values.NOT_AN_OBJECT),
        ("lookup", '{"a": NaN}', "bad_arguments", tool_values.NOT_AN_OBJECT),
        ("lookup", "[" * 100_000, "bad_arguments", tool_values.TOO_LONG_ARGUMENTS),
        ("lookup", "[" * 50_000, "bad_arguments", tool_values.NOT_AN_OBJECT),
        (
            "lookup",
            '{"a":' * 17 + "1" + "}" * 17,
            "bad_arguments",
            tool_values.TOO_DEEP,
        ),
        (
            "lookup",
            '{"a": "%s"}' % ("é" * 40_000),
            "bad_arguments",
            tool_values.TOO_LONG_ARGUMENTS,
        ),
    ],
)
def test_a_call_that_cannot_run_is_answered_at_once(name, arguments, status, words):
    talk = Talk(tools=[tool()])
    talk.response()
    talk.call("call_1", name=name, arguments=arguments)
    talk.done()
    assert not talk.started_tools
    assert outputs(talk) == [("call_1", {"error": words})]
    assert talk.messages("tool.finished")[0]["status"] == status
    assert talk.facts[0].status == status
    assert creates(talk) == 1


def test_arguments_of_sixteen_levels_and_none_are_fine():
    talk = Talk(tools=[tool()])
    talk.response()
    talk.call("call_1", arguments='{"a":' * 16 + "1" + "}" * 16)
    talk.call("call_2", arguments="")
    assert talk.started_tools == ["call_1", "call_2"]


def test_a_handler_that_hangs_is_answered_at_its_timeout():
    talk = calling("call_1", tools=[tool(timeout_s=2.0)])
    talk.done()
    talk.after(1.9)
    assert not outputs(talk)
    talk.after(0.2)
    assert outputs(talk) == [("call_1", {"error": tool_values.TIMED_OUT})]
    assert talk.cancelled_tools == ["call_1"]
    assert talk.facts[0].status == "timeout"
    assert creates(talk) == 1
    talk.finish_tool("call_1", Outcome("completed", "too late"))
    assert len(outputs(talk)) == 1


def test_calls_above_the_bound_wait_and_their_time_runs_from_their_start():
    ids = [f"call_{n}" for n in range(4)]
    talk = calling(*ids, tools=[tool(timeout_s=2.0)], limits=Limits(tools_at_once=2))
    talk.done()
    assert talk.started_tools == ids[:2]
    talk.after(1.5)
    talk.finish_tool("call_0", Outcome("completed", 0))
    assert talk.started_tools == ids[:3]
    talk.after(0.6)
    assert talk.started_tools == ids
    assert [call for call, _ in outputs(talk)] == ["call_0", "call_1"]
    talk.after(1.0)
    talk.finish_tool("call_2", Outcome("completed", 2))
    talk.finish_tool("call_3", Outcome("completed", 3))
    assert len(outputs(talk)) == 4
    assert creates(talk) == 1


def test_a_storm_of_calls_is_answered_to_the_last_one():
    ids = [f"call_{n}" for n in range(100)]
    talk = calling(*ids, limits=Limits(tool_calls_per_minute=100))
    talk.done()
    for call_id in ids:
        talk.finish_tool(call_id, Outcome("completed", 1))
    answered = dict(outputs(talk))
    assert len(outputs(talk)) == 100
    assert list(answered.values()).count({"error": tool_values.TOO_MANY}) == 63
    assert creates(talk) == 1


def test_a_failure_is_told_to_the_model_in_its_words():
    talk = calling("call_1", "call_2", "call_3")
    talk.finish_tool("call_1", outcome_of(ToolError("Ask for the order's number.")))
    talk.finish_tool("call_2", outcome_of(KeyError("password")))
    talk.finish_tool("call_3", outcome_of(ToolTimeout("")))
    assert [output["error"] for _, output in outputs(talk)] == [
        "Ask for the order's number.",
        tool_values.FAILED,
        tool_values.FAILED,
    ]
    assert [fact.status for fact in talk.facts] == ["failed", "failed", "timeout"]


@pytest.mark.parametrize(
    ("exc", "status"),
    [
        (BadToolArguments("no"), "bad_arguments"),
        (ToolError("no"), "failed"),
        (ValueError("no"), "failed"),
    ],
)
def test_the_outcome_names_the_kind_of_failure(exc, status):
    assert outcome_of(exc).status == status


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), tool_values.NO_JSON_OUTPUT),
        ({"a": object()}, tool_values.NO_JSON_OUTPUT),
        ({1, 2}, tool_values.NO_JSON_OUTPUT),
        ("\ud800", tool_values.NO_JSON_OUTPUT),
        ({("a", "b"): 1}, tool_values.NO_JSON_OUTPUT),
        ("x" * 40_000, tool_values.TOO_LONG_OUTPUT),
        ("é" * 20_000, tool_values.TOO_LONG_OUTPUT),
        ([0] * 10_000_000, tool_values.TOO_LONG_OUTPUT),
        ([[0] * 1000] * 1000, tool_values.TOO_LONG_OUTPUT),
        (dict.fromkeys(range(50_000)), tool_values.TOO_LONG_OUTPUT),
    ],
)
def test_an_answer_that_cannot_be_given_is_an_error_the_model_can_read(value, words):
    talk = calling("call_1")
    talk.finish_tool("call_1", Outcome("completed", value))
    assert outputs(talk) == [("call_1", {"error": words})]
    assert talk.facts[0].status == "failed"


def test_an_answer_in_a_circle_is_refused():
    circle: list = []
    circle.append(circle)
    assert encoded(circle, 1000).status == "failed"


@pytest.mark.parametrize("value", [None, "text", 1.5, [1, "é"], {"a": {"b": ()}}])
def test_json_values_are_given_as_json(value):
    outcome = encoded(value, 1000)
    assert outcome.status == "completed"
    assert json.loads(outcome.result) == json.loads(json.dumps(value))


def test_a_huge_value_is_judged_quickly():
    assert not fits("x" * 100, 99, 16)
    assert fits({"a": ["b", 1]}, 10, 16)
    assert not fits([[[1]]], 100, 2)


def test_the_visitor_sees_that_a_tool_works():
    talk = calling("call_1")
    talk.done()
    assert talk.states[-1] == "thinking"
    talk.finish_tool("call_1", Outcome("completed", 1))
    assert talk.states[-1] == "thinking"


def test_many_answered_calls_are_not_remembered_for_ever():
    unbounded = Limits(tool_calls_per_minute=9999, tool_calls_per_session=9999)
    talk = Talk(tools=[tool()], limits=unbounded)
    talk.response()
    for n in range(tools.MAX_REMEMBERED + 1):
        talk.call(f"call_{n}")
        talk.finish_tool(f"call_{n}", Outcome("completed", 1))
    talk.clear()
    talk.call("call_0")
    talk.call(f"call_{tools.MAX_REMEMBERED}")
    assert talk.started_tools == ["call_0"]


def test_calls_that_the_end_leaves_open_are_recorded_as_cancelled():
    talk = calling("call_1", "call_2", limits=Limits(tools_at_once=1))
    talk.take(talk.core.stop("user", "", talk.now))
    assert [(f.call_id, f.status) for f in talk.facts] == [
        ("call_1", "cancelled"),
        ("call_2", "cancelled"),
    ]
    talk.finish_tool("call_1", Outcome("completed", 1))
    assert not outputs(talk)
