from __future__ import annotations

import json

import pytest

from realtime_widget.session import tool_values
from realtime_widget.session.approvals import plain_answer, summary
from realtime_widget.session.config import Limits
from realtime_widget.session.tool_values import Outcome
from tests.session.driving import Talk, tool

BOOK = tool(
    "book",
    needs_approval=True,
    approval_text="Book {service} on {day}?",
    spoken_approval=True,
)


def asking(*tools, arguments='{"service": "a haircut", "day": "2030-01-02"}', **fields):
    """Return a talk in which the agent wants to book."""
    talk = Talk(tools=tools or [BOOK], **fields)
    talk.response()
    talk.call("call_1", "book", arguments)
    talk.done()
    return talk


def outputs(talk):
    return [
        json.loads(event["item"]["output"])
        for event in talk.sent("conversation.item.create")
        if event["item"]["type"] == "function_call_output"
    ]


def test_the_visitor_is_asked_and_nothing_runs_meanwhile():
    talk = asking()
    assert talk.messages("tool.approval_required") == [
        {
            "type": "tool.approval_required",
            "call_id": "call_1",
            "name": "book",
            "summary": "Book a haircut on 2030-01-02?",
        }
    ]
    assert not talk.started_tools
    assert not talk.messages("tool.started")
    assert not talk.upstream
    assert talk.states[-1] == "listening"


def test_an_allowed_call_runs_and_is_answered_once():
    talk = asking()
    talk.page("tool.approval", call_id="call_1", approve=True)
    talk.page("tool.approval", call_id="call_1", approve=False)
    assert talk.started_tools == ["call_1"]
    assert talk.messages("tool.started")
    talk.finish_tool("call_1", Outcome("completed", {"booked": True}))
    assert outputs(talk) == [{"booked": True}]
    assert len(talk.sent("response.create")) == 1


def test_a_rejected_call_is_told_to_the_model():
    talk = asking()
    talk.page("tool.approval", call_id="call_1", approve=False, always=True)
    talk.page("tool.approval", call_id="call_1", approve=True)
    assert not talk.started_tools
    assert outputs(talk) == [{"error": tool_values.REJECTED}]
    assert [fact.status for fact in talk.facts] == ["rejected"]
    assert len(talk.sent("response.create")) == 1


def test_always_holds_for_this_tool_and_no_other():
    other = tool("cancel", needs_approval=True)
    talk = asking(BOOK, other)
    talk.page("tool.approval", call_id="call_1", approve=True, always=True)
    talk.response("resp_2")
    talk.call("call_2", "book", "{}", response_id="resp_2")
    talk.call("call_3", "cancel", "{}", response_id="resp_2")
    assert talk.started_tools == ["call_1", "call_2"]
    asked = [m["call_id"] for m in talk.messages("tool.approval_required")]
    assert asked == ["call_1", "call_3"]


def test_a_visitor_who_does_not_answer_has_not_allowed_it():
    talk = asking(limits=Limits(approval_s=20))
    talk.after(19.9)
    assert not outputs(talk)
    talk.after(0.2)
    assert outputs(talk) == [{"error": tool_values.NOT_APPROVED}]
    talk.page("tool.approval", call_id="call_1", approve=True)
    assert not talk.started_tools


def test_the_talk_goes_on_while_a_call_waits():
    talk = asking()
    talk.page("message", text="What does it cost?")
    talk.response("resp_2")
    talk.done("resp_2")
    talk.page("tool.approval", call_id="call_1", approve=True)
    assert talk.started_tools == ["call_1"]


@pytest.mark.parametrize("spoken", [True, False])
def test_a_plain_yes_allows_where_the_tool_takes_it(spoken):
    book = tool("book", needs_approval=True, spoken_approval=spoken)
    talk = asking(book)
    talk.spoken()
    talk.transcribed("Yes, please.")
    assert talk.started_tools == (["call_1"] if spoken else [])


def test_a_typed_no_rejects():
    talk = asking()
    talk.page("message", text="No!")
    assert outputs(talk) == [{"error": tool_values.REJECTED}]


def test_a_yes_to_one_of_two_questions_is_none():
    talk = Talk(tools=[BOOK])
    talk.response()
    talk.call("call_1", "book")
    talk.call("call_2", "book")
    talk.page("message", text="yes")
    assert not talk.started_tools


def test_words_of_the_agent_allow_nothing():
    talk = asking()
    talk.response("resp_2")
    talk.all_words("Yes.", response_id="resp_2")
    assert not talk.started_tools


def test_the_sessions_end_records_what_nobody_answered():
    talk = asking()
    talk.take(talk.core.stop("user", "", talk.now))
    assert [fact.status for fact in talk.facts] == ["cancelled"]


@pytest.mark.parametrize(
    ("text", "language", "answer"),
    [
        ("Yes", "en-GB", True),
        ("OK, do it.", "en", True),
        ("Please do, yes!", "", True),
        ("Ja, gerne.", "de-AT", True),
        ("Oui, d'accord.", "fr", True),
        ("نعم", "ar", True),
        ("No.", "en", False),
        ("Yes, no, stop", "en", False),
        ("Don’t", "en", False),
        ("Sure, I said yes to another offer yesterday.", "en", None),
        ("What?", "en", None),
        ("", "en", None),
        ("yes", "xx", True),
    ],
)
def test_plain_answers(text, language, answer):
    assert plain_answer(text, language) is answer


def test_a_summary_shows_the_named_arguments_as_text():
    asked = tool(approval_text="Send {what} to {whom}? {missing} {a.b} {0!r}")
    shown = summary(asked, {"what": "x" * 200, "whom": "a\n<b>", "secret": 1})
    assert shown == f"Send {'x' * 80} to a <b>? … {{a.b}} {{0!r}}"
