"""Tools whose function is in the page, and calls that barge-in or a budget ends."""

from __future__ import annotations

import json

import pytest

from realtime_widget.session import tool_values
from realtime_widget.session.config import Limits
from realtime_widget.session.effects import StartTool
from realtime_widget.session.tool_values import Outcome
from tests.session.driving import Talk, tool

SHOW = tool("show_map", runs_on="browser", timeout_s=5)


def shown(*call_ids, **fields):
    """Return a talk whose page was asked to run these calls."""
    talk = Talk(tools=[SHOW], **fields)
    talk.response()
    for call_id in call_ids:
        talk.call(call_id, "show_map", '{"city": "Rome"}')
    talk.done()
    for call_id in call_ids:
        talk.finish_tool(call_id, Outcome("permitted", None))
    return talk


def outputs(talk):
    return [
        json.loads(event["item"]["output"])
        for event in talk.sent("conversation.item.create")
    ]


def test_the_model_is_offered_tools_of_the_page():
    talk = Talk(started=False, tools=[SHOW])
    talk.start()
    assert [t["name"] for t in talk.core.session["tools"]] == ["show_map"]


def test_the_page_is_asked_once_the_call_is_permitted():
    talk = Talk(tools=[SHOW])
    talk.response()
    talk.call("call_1", "show_map", '{"city": "Rome"}')
    assert talk.of(StartTool) == [
        StartTool("call_1", "show_map", {"city": "Rome"}, in_page=True)
    ]
    assert not talk.messages("tool.call")
    talk.finish_tool("call_1", Outcome("permitted", None))
    assert talk.messages("tool.call") == [
        {
            "type": "tool.call",
            "call_id": "call_1",
            "name": "show_map",
            "arguments": '{"city": "Rome"}',
        }
    ]


def test_the_pages_answer_is_the_calls():
    talk = shown("call_1")
    talk.page("tool.result", call_id="call_1", output={"shown": True})
    talk.page("tool.result", call_id="call_1", output="again")
    assert outputs(talk) == [{"shown": True}]
    assert len(talk.sent("response.create")) == 1
    assert not talk.errors


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("failed", tool_values.FAILED),
        ({"no": "text"}, tool_values.FAILED),
        ("The map is closed.", "The map is closed."),
        ("x" * 1000, "x" * 500),
    ],
)
def test_a_page_that_fails_says_so(error, words):
    talk = shown("call_1")
    talk.page("tool.result", call_id="call_1", error=error)
    assert outputs(talk) == [{"error": words}]
    assert talk.messages("tool.finished")[0]["status"] == "failed"


def test_a_page_that_does_not_answer_is_not_waited_for():
    talk = shown("call_1")
    talk.after(5.1)
    assert outputs(talk) == [{"error": tool_values.TIMED_OUT}]
    talk.page("tool.result", call_id="call_1", output=1)
    assert len(outputs(talk)) == 1


def test_a_page_that_answers_too_much_is_told_as_a_fault():
    talk = shown("call_1")
    talk.page("tool.result", call_id="call_1", output="x" * 40_000)
    assert outputs(talk) == [{"error": tool_values.TOO_LONG_OUTPUT}]


def test_a_page_cannot_answer_for_the_server():
    talk = Talk(tools=[tool()])
    talk.response()
    talk.call("call_1")
    talk.page("tool.result", call_id="call_1", output={"admin": True})
    assert talk.errors == ["forbidden"]
    assert not outputs(talk)


def test_a_call_that_is_not_permitted_never_reaches_the_page():
    talk = Talk(tools=[SHOW])
    talk.response()
    talk.call("call_1", "show_map")
    talk.finish_tool("call_1", Outcome("failed", "Sign in first."))
    assert not talk.messages("tool.call")
    assert outputs(talk) == [{"error": "Sign in first."}]


# --- barge-in ------------------------------------------------------------------


def test_barge_in_gives_up_the_calls_that_ask_for_it_and_keeps_the_others():
    talk = Talk(tools=[tool("search", cancel_on_barge_in=True), tool("pay")])
    talk.response()
    talk.call("call_1", "search")
    talk.call("call_2", "pay")
    talk.done()
    talk.speech()
    assert talk.cancelled_tools == ["call_1"]
    assert outputs(talk) == [{"error": tool_values.SPOKEN_OVER}]
    talk.finish_tool("call_1", Outcome("completed", "late"))
    talk.finish_tool("call_2", Outcome("completed", "paid"))
    assert outputs(talk)[1:] == ["paid"]


# --- budgets -------------------------------------------------------------------


def test_a_tool_has_a_budget_of_its_own():
    talk = Talk(tools=[tool(max_calls=2), tool("other")])
    talk.response()
    for n in range(3):
        talk.call(f"call_{n}")
    talk.call("call_3", "other")
    assert talk.started_tools == ["call_0", "call_1", "call_3"]
    assert outputs(talk) == [{"error": tool_values.USED_UP}]
    assert [fact.status for fact in talk.facts] == ["refused"]


def test_a_session_has_a_budget_and_so_has_each_minute():
    limits = Limits(tool_calls_per_session=5, tool_calls_per_minute=3, idle_s=500)
    talk = Talk(tools=[tool(timeout_s=500)], limits=limits)
    talk.response()
    for n in range(4):
        talk.call(f"call_{n}")
    assert outputs(talk) == [{"error": tool_values.TOO_OFTEN}]
    talk.done()
    for n in range(3):
        talk.finish_tool(f"call_{n}", Outcome("completed", n))
    talk.now += 61
    talk.response("resp_2")
    for n in range(4, 7):
        talk.call(f"call_{n}", response_id="resp_2")
    assert talk.started_tools == ["call_0", "call_1", "call_2", "call_4", "call_5"]
    assert outputs(talk)[-1] == {"error": tool_values.USED_UP}


def test_a_model_that_calls_on_and_on_is_left_alone():
    talk = Talk(tools=[tool(max_calls=0)])
    for n in range(20):
        talk.response(f"resp_{n}")
        talk.call(f"call_{n}", response_id=f"resp_{n}")
        talk.done(f"resp_{n}")
    assert len(outputs(talk)) == 20
    assert len(talk.sent("response.create")) == 3


# --- filler phrases --------------------------------------------------------------


def test_a_call_that_takes_long_is_bridged_by_one_phrase():
    talk = Talk(tools=[tool(filler="One moment, please.")])
    talk.response()
    talk.call("call_1")
    talk.done()
    talk.after(1.4)
    assert not talk.sent("response.create")
    talk.after(0.2)
    (create,) = talk.sent("response.create")
    assert "One moment, please." in create["response"]["instructions"]
    assert create["response"]["tool_choice"] == "none"
    talk.response("resp_2")
    talk.finish_tool("call_1", Outcome("completed", "found"))
    assert len(talk.sent("response.create")) == 1
    talk.done("resp_2")
    (_, answer) = talk.sent("response.create")
    assert "response" not in answer


def test_a_quick_call_and_a_visitor_who_speaks_need_no_phrase():
    talk = Talk(tools=[tool(filler="One moment, please.")])
    talk.response()
    talk.call("call_1")
    talk.done()
    talk.speech()
    talk.after(2)
    talk.finish_tool("call_1", Outcome("completed", "found"))
    talk.after(2)
    assert not talk.sent("response.create")
