"""MCP servers: what the model's side is told, asked, and does by itself."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from realtime_widget.session import tool_values
from realtime_widget.session.config import (
    AgentSpec,
    GuardrailSpec,
    Limits,
    McpSpec,
    ToolSpec,
)
from realtime_widget.session.effects import StartTool
from realtime_widget.session.mcp import CALL_S, OUTPUT_S
from realtime_widget.session.tool_values import GUARDED, Outcome
from tests.session.driving import Talk

DOCS = McpSpec("docs", url="https://docs.example/mcp", needs_approval=False)
MAIL = McpSpec(
    "mail",
    connector="connector_gmail",
    approval_text="Let {tool} look for {query}?",
    spoken_approval=True,
    authorization="s3cret-token",
)


def talking(*servers, guardrails=(), **fields):
    """Return a talk whose agent has these servers, in the middle of an answer."""
    agent = AgentSpec("Ann", "Be kind.", mcp=servers, guardrails=guardrails)
    talk = Talk(agent=agent, **fields)
    talk.response()
    return talk


def request(talk, item_id="req_1", server="mail", arguments='{"query": "bills"}'):
    """Let the model's side ask for a call, as it does: in two events."""
    item = {
        "id": item_id,
        "type": "mcp_approval_request",
        "server_label": server,
        "name": "search",
        "arguments": arguments,
    }
    talk.event(
        "response.output_item.done", output_index=0, response_id="resp_1", item=item
    )
    talk.event("conversation.item.done", item=item, previous_item_id=None)


def call(talk, kind="done", item_id="mcp_1", server="docs", **fields):
    """Let the model's side begin or end a call."""
    response_id = fields.pop("response_id", "resp_1")
    talk.event(
        f"response.output_item.{kind}",
        output_index=0,
        response_id=response_id,
        item={
            "id": item_id,
            "type": "mcp_call",
            "server_label": server,
            "name": "search",
            "arguments": '{"query": "bills"}',
            **fields,
        },
    )


def answers(talk):
    """Return what the model's side was told about its requests."""
    return [
        (e["item"]["approval_request_id"], e["item"]["approve"])
        for e in talk.sent("conversation.item.create")
        if e["item"]["type"] == "mcp_approval_response"
    ]


def statuses(talk):
    return [(fact.call_id, fact.name, fact.status) for fact in talk.facts]


# --- what is offered ------------------------------------------------------------


def offered(*servers, guardrails=()):
    agent = AgentSpec("Ann", mcp=servers, guardrails=guardrails)
    return Talk(agent=agent).core.session["tools"]


def test_a_server_is_offered_as_the_protocol_spells_it():
    full = McpSpec(
        "crm",
        url="https://crm.example/mcp",
        description="Customers.",
        tools=("find", "show"),
        unasked=frozenset({"find"}),
        authorization="t0ken",
    )
    assert offered(DOCS, MAIL, full) == [
        {
            "type": "mcp",
            "server_label": "docs",
            "server_url": "https://docs.example/mcp",
            "require_approval": "never",
        },
        {
            "type": "mcp",
            "server_label": "mail",
            "connector_id": "connector_gmail",
            "authorization": "s3cret-token",
            "require_approval": "always",
        },
        {
            "type": "mcp",
            "server_label": "crm",
            "server_url": "https://crm.example/mcp",
            "server_description": "Customers.",
            "authorization": "t0ken",
            "allowed_tools": ["find", "show"],
            "require_approval": {"never": {"tool_names": ["find"]}},
        },
    ]
    assert "t0ken" not in repr(full)


def test_a_guardrail_on_arguments_makes_us_see_every_call():
    rail = GuardrailSpec("no_bills", frozenset({"arguments"}))
    (tool,) = offered(DOCS, guardrails=[rail])
    assert tool["require_approval"] == "always"


def test_another_agent_brings_its_own_servers():
    talk = talking(DOCS)
    talk.clear()
    talk.take(talk.core.update_agent(AgentSpec("Bob", mcp=(MAIL,)), talk.now))
    (update,) = talk.sent("session.update")
    assert [t["server_label"] for t in update["session"]["tools"]] == ["mail"]
    request(talk, server="docs")
    assert answers(talk) == [("req_1", False)]


@pytest.mark.parametrize("param", ["session.tools[1].name", "session.tools", None])
def test_a_model_that_knows_no_mcp_is_asked_without_it(param):
    """A provider that stands in for another must not fail for what only that one has."""
    look = ToolSpec("lookup", "Look.", {"type": "object", "properties": {}})
    bob = AgentSpec("Bob", "Be brief.", mcp=(MAIL,))
    agent = AgentSpec("Ann", "Be kind.", tools=(look,), mcp=(DOCS,))
    talk = Talk(agent=agent, agents={"Bob": bob}, started=False)
    talk.event("session.created", session={"type": "realtime", "id": "sess_1"})
    talk.error("missing_required_parameter", event_id="session_update_1", param=param)
    again = talk.sent("session.update")[-1]
    assert [t["name"] for t in again["session"]["tools"]] == ["lookup"]
    assert again["session"]["instructions"] == "Be kind."
    talk.event("session.updated", session={"type": "realtime"})
    assert talk.messages("session.started")
    talk.take(talk.core.update_agent(bob, talk.now))
    assert talk.sent("session.update")[-1]["session"]["tools"] == []


def test_a_refusal_that_is_not_for_mcp_still_ends_the_session():
    talk = Talk(agent=AgentSpec("Ann", mcp=(DOCS,)), started=False)
    talk.event("session.created", session={"type": "realtime", "id": "sess_1"})
    talk.error("invalid_value", event_id="session_update_1", param="session.tools[0]")
    talk.error("invalid_value", event_id="session_update_2", param="session.tools[0]")
    assert talk.stops == [("upstream", "upstream_refused")]


# --- calls without asking ----------------------------------------------------------


def test_a_call_is_shown_recorded_and_followed_by_an_answer():
    talk = talking(DOCS)
    call(talk, "added")
    assert talk.states[-1] == "thinking"
    talk.event("response.mcp_call.in_progress", item_id="mcp_1", output_index=0)
    talk.done()
    assert not talk.sent("response.create")
    talk.now += 0.75
    talk.event("response.mcp_call.completed", item_id="mcp_1", output_index=0)
    call(talk, output='{"found": 3}')
    assert [m["status"] for m in talk.messages("tool.started")] == ["running"]
    assert [m["status"] for m in talk.messages("tool.finished")] == ["completed"]
    assert {m["name"] for m in talk.messages("tool.finished")} == {"docs.search"}
    (fact,) = talk.facts
    assert (fact.output, fact.duration_ms) == ('{"found": 3}', 750)
    assert fact.arguments == '{"query": "bills"}'
    assert len(talk.sent("response.create")) == 1


def test_the_page_never_learns_arguments_or_output():
    talk = talking(DOCS)
    call(talk, "added")
    call(talk, output="top secret")
    assert "secret" not in str(talk.messages())
    assert "bills" not in str(talk.messages())


@pytest.mark.parametrize(
    "error",
    [
        {"type": "tool_execution_error", "message": "No such bill."},
        {"type": "http_error", "code": 502, "message": "Bad gateway"},
    ],
)
def test_a_call_that_fails_is_recorded_with_its_reason(error):
    talk = talking(DOCS)
    call(talk, "added")
    talk.event("response.mcp_call.failed", item_id="mcp_1", output_index=0)
    call(talk, error=error)
    (fact,) = talk.facts
    assert fact.status == "failed"
    assert error["message"] in fact.output
    assert talk.messages("tool.finished")[0]["status"] == "failed"


def test_an_output_that_does_not_come_is_not_waited_for():
    talk = talking(DOCS)
    call(talk, "added")
    talk.event("response.mcp_call.completed", item_id="mcp_1", output_index=0)
    assert not talk.facts
    talk.after(OUTPUT_S + 0.1)
    assert statuses(talk) == [("mcp_1", "docs.search", "completed")]


def test_a_call_whose_end_never_comes_is_given_up():
    talk = talking(DOCS)
    call(talk, "added")
    talk.done()
    talk.after(CALL_S + 0.1)
    assert statuses(talk) == [("mcp_1", "docs.search", "timeout")]
    call(talk, output="late")
    assert len(talk.facts) == 1


def test_an_answer_that_goes_on_by_itself_is_not_asked_for_again():
    talk = talking(DOCS)
    call(talk, "added")
    call(talk, output="3")
    talk.words("There are three.")
    talk.all_words("There are three.")
    talk.done()
    assert not talk.sent("response.create")


def test_several_calls_lead_to_one_answer():
    talk = talking(DOCS)
    call(talk, "added", "mcp_1")
    call(talk, "added", "mcp_2")
    talk.done()
    call(talk, item_id="mcp_2", output="2")
    assert not talk.sent("response.create")
    call(talk, item_id="mcp_1", output="1")
    assert len(talk.sent("response.create")) == 1


def test_a_storm_of_calls_is_followed_so_far():
    talk = talking(DOCS)
    for number in range(500):
        call(talk, "added", f"mcp_{number}")
    assert len(talk.messages("tool.started")) == 100
    for number in range(100):
        call(talk, item_id=f"mcp_{number}", output="1")
    assert len(talk.messages("tool.finished")) == 100
    request_ids = [f"req_{number}" for number in range(100)]
    for item_id in request_ids:
        request(talk, item_id, server="docs")
    assert [request_id for request_id, _ in answers(talk)] == request_ids


def test_an_answer_longer_than_a_tools_may_be_is_kept_in_part():
    talk = talking(DOCS, limits=Limits(tool_output_bytes=10))
    call(talk, output="é" * 20)
    assert talk.facts[0].output == "é" * 5


def test_servers_whose_tools_are_not_known_are_noted_and_the_talk_goes_on():
    talk = talking(DOCS)
    talk.event("mcp_list_tools.in_progress", item_id="list_1")
    talk.event("mcp_list_tools.failed", item_id="list_1")
    assert talk.notes == ["mcp_list_failed"]
    assert not talk.stops
    assert not talk.errors


# --- the visitor's word ---------------------------------------------------------------


def test_the_visitor_is_asked_once_and_nothing_is_allowed_meanwhile():
    talk = talking(MAIL)
    request(talk)
    assert talk.messages("tool.approval_required") == [
        {
            "type": "tool.approval_required",
            "call_id": "req_1",
            "name": "mail.search",
            "summary": "Let search look for bills?",
        }
    ]
    talk.done()
    assert not answers(talk)
    assert talk.states[-1] == "listening"


def test_an_allowed_call_is_made_and_recorded_under_the_question():
    talk = talking(MAIL)
    request(talk)
    talk.done()
    talk.page("tool.approval", call_id="req_1", approve=True)
    talk.page("tool.approval", call_id="req_1", approve=False)
    assert answers(talk) == [("req_1", True)]
    call(talk, "added", server="mail", approval_request_id="req_1", response_id="")
    call(talk, server="mail", approval_request_id="req_1", output="[]")
    assert [m["call_id"] for m in talk.messages("tool.started")] == ["req_1"]
    assert statuses(talk) == [("req_1", "mail.search", "completed")]
    assert len(talk.sent("response.create")) == 1


def test_a_rejected_call_is_refused_recorded_and_spoken_about():
    talk = talking(MAIL)
    request(talk)
    talk.done()
    talk.page("tool.approval", call_id="req_1", approve=False)
    (answer,) = talk.sent("conversation.item.create")
    assert answer["item"]["approve"] is False
    assert answer["item"]["reason"] == tool_values.REJECTED
    assert statuses(talk) == [("req_1", "mail.search", "rejected")]
    assert len(talk.sent("response.create")) == 1


def test_always_holds_for_this_tool_of_this_server():
    talk = talking(MAIL)
    request(talk)
    talk.page("tool.approval", call_id="req_1", approve=True, always=True)
    request(talk, "req_2")
    assert answers(talk) == [("req_1", True), ("req_2", True)]
    assert len(talk.messages("tool.approval_required")) == 1


def test_a_visitor_who_does_not_answer_has_not_allowed_it():
    talk = talking(MAIL, limits=Limits(approval_s=20))
    request(talk)
    talk.after(20.1)
    assert answers(talk) == [("req_1", False)]
    assert statuses(talk)[0][2] == "rejected"


@pytest.mark.parametrize(("words", "approve"), [("Yes, please.", True), ("No!", False)])
def test_a_plain_answer_counts_where_the_server_takes_it(words, approve):
    talk = talking(MAIL)
    request(talk)
    talk.page("message", text=words, respond=False)
    assert answers(talk) == [("req_1", approve)]


def test_a_plain_answer_to_two_questions_means_nothing():
    talk = talking(MAIL)
    request(talk)
    request(talk, "req_2")
    talk.page("message", text="Yes", respond=False)
    assert not answers(talk)


def test_a_tool_that_is_trusted_is_not_asked_about():
    trusted = McpSpec("crm", url="https://c.example", unasked=frozenset({"search"}))
    talk = talking(trusted)
    request(talk, server="crm")
    assert answers(talk) == [("req_1", True)]


# --- what is refused without asking -------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"server": "unknown"}, "unknown_tool"),
        ({"arguments": "no json"}, "bad_arguments"),
        ({"arguments": '{"a": ' + "[" * 40 + "]" * 40 + "}"}, "bad_arguments"),
    ],
)
def test_a_call_that_cannot_be_is_refused(fields, status):
    talk = talking(MAIL)
    request(talk, **fields)
    assert answers(talk) == [("req_1", False)]
    assert talk.facts[0].status == status
    assert not talk.messages("tool.approval_required")


def test_the_budget_counts_for_servers_too():
    talk = talking(
        McpSpec("mail", url="https://m.example", needs_approval=False, max_calls=1)
    )
    request(talk)
    request(talk, "req_2")
    assert answers(talk) == [("req_1", True), ("req_2", False)]
    assert talk.facts[0].status == "refused"


def test_arguments_pass_the_guardrails_before_the_visitor_is_asked():
    rail = GuardrailSpec("no_bills", frozenset({"arguments"}))
    talk = talking(MAIL, guardrails=[rail])
    request(talk)
    request(talk, "req_2")
    assert talk.of(StartTool)[0] == StartTool(
        "req_1",
        "mail.search",
        {"query": "bills"},
        guardrails=("no_bills",),
        only_checks=True,
    )
    assert not talk.messages("tool.approval_required")
    talk.finish_tool("req_1", Outcome("guardrail", GUARDED, "no_bills"))
    assert answers(talk) == [("req_1", False)]
    assert talk.messages("guardrail")[0]["name"] == "no_bills"
    talk.finish_tool("req_2", Outcome("permitted", None))
    assert talk.messages("tool.approval_required")[0]["call_id"] == "req_2"


def test_the_end_records_what_is_open():
    talk = talking(MAIL, DOCS)
    request(talk)
    call(talk, "added")
    request(talk, "req_2")
    talk.page("tool.approval", call_id="req_2", approve=True)
    talk.take(talk.core.stop("user", "", talk.now))
    assert sorted(statuses(talk)) == [
        ("mcp_1", "docs.search", "cancelled"),
        ("req_1", "mail.search", "cancelled"),
        ("req_2", "mail.search", "cancelled"),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_each_call_ends_once_in_whatever_order_its_events_come(seed):
    dice = random.Random(seed)
    rail = GuardrailSpec("rail", frozenset({"arguments"}))
    guarded = [rail] if seed % 2 else []
    talk = talking(MAIL, DOCS, guardrails=guarded, limits=Limits(idle_s=1e6))
    for _ in range(200):
        number = dice.randrange(12)
        req, item = f"req_{number}", f"mcp_{number}"
        server = dice.choice(["mail", "docs", "other"])
        dice.choice(
            [
                lambda r=req, s=server: request(talk, r, s),
                lambda i=item, s=server: call(talk, "added", i, s),
                lambda i=item, r=req: call(talk, "done", i, approval_request_id=r),
                lambda i=item, s=server: call(talk, "done", i, s, output="1"),
                lambda i=item: talk.event("response.mcp_call.completed", item_id=i, output_index=0),
                lambda i=item: talk.event("response.mcp_call.failed", item_id=i, output_index=0),
                lambda r=req: talk.page("tool.approval", call_id=r, approve=dice.random() < 0.5),
                lambda r=req: talk.finish_tool(r, Outcome("permitted", None)),
                lambda: talk.after(dice.choice([0.1, 3.0, 30.0])),
            ]
        )()  # fmt: skip
    talk.take(talk.core.stop("user", "", talk.now))
    ended = Counter(fact.call_id for fact in talk.facts)
    assert max(ended.values()) == 1
    assert max(Counter(request_id for request_id, _ in answers(talk)).values()) == 1
    started = {m["call_id"] for m in talk.messages("tool.started")}
    assert started <= ended.keys()
