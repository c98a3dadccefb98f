from __future__ import annotations

import json

from realtime_widget.session import tool_values
from realtime_widget.session.config import AgentSpec, GuardrailSpec, ToolSpec
from realtime_widget.session.effects import CheckText, StartTool
from realtime_widget.session.ports import HandoffFact, ItemFact
from realtime_widget.session.tool_values import Outcome
from tests.session.driving import Talk, tool


def transfer(to, **fields):
    return ToolSpec(
        f"transfer_to_{to.lower()}",
        f"Pass the conversation to {to}.",
        {"type": "object", "properties": {}},
        handoff_to=to,
        **{"runs": False, **fields},
    )


BILLING = AgentSpec(
    "Billing",
    "You know invoices.",
    "cedar",
    tools=(tool("find_invoice"), transfer("Ann")),
    guardrails=(GuardrailSpec("no_prices", frozenset({"output"})),),
)


def triage(*tools, **fields):
    """Return a talk with Ann, who may pass it on."""
    ann = AgentSpec("Ann", "Be kind.", "marin", tools=tools or (transfer("Billing"),))
    technical = AgentSpec("Technical", "You know engines.", "sage")
    agents = {agent.name: agent for agent in (ann, BILLING, technical)}
    return Talk(agent=ann, agents=agents, **fields)


def passed(talk, call_id="call_1", name="transfer_to_billing"):
    talk.response()
    talk.call(call_id, name)
    return talk


def outputs(talk):
    return [
        json.loads(event["item"]["output"])
        for event in talk.sent("conversation.item.create")
    ]


def test_the_model_hears_of_the_new_agent_before_its_call_is_answered():
    talk = passed(triage())
    update, answer = talk.upstream
    assert update["type"] == "session.update"
    assert update["session"]["instructions"] == "You know invoices."
    names = [t["name"] for t in update["session"]["tools"]]
    assert names == ["find_invoice", "transfer_to_ann"]
    assert answer["item"]["type"] == "function_call_output"
    assert outputs(talk) == [{"assistant": "Billing"}]
    assert not talk.sent("response.create")
    talk.done()
    assert len(talk.sent("response.create")) == 1


def test_page_and_record_are_told():
    talk = passed(triage())
    assert talk.messages("handoff") == [
        {"type": "handoff", "from": "Ann", "to": "Billing"}
    ]
    assert HandoffFact("Ann", "Billing", "call_1") in talk.facts
    assert talk.messages("tool.finished")[0]["status"] == "completed"


def test_the_new_agents_tools_and_guardrails_hold_and_the_old_ones_do_not():
    talk = passed(triage(tool("lookup"), transfer("Billing")))
    talk.done()
    talk.response("resp_2")
    talk.call("call_2", "find_invoice", response_id="resp_2")
    talk.call("call_3", "lookup", response_id="resp_2")
    assert talk.started_tools == ["call_2"]
    assert outputs(talk)[-1] == {"error": tool_values.UNKNOWN}
    talk.all_words("Five dollars.", "item_2", "resp_2")
    assert talk.of(CheckText)


def test_the_voice_changes_only_while_nothing_was_spoken():
    silent = passed(triage())
    assert silent.upstream[0]["session"]["audio"]["output"]["voice"] == "cedar"
    talk = triage()
    talk.response()
    talk.audio(200)
    talk.call("call_1", "transfer_to_billing")
    (update,) = talk.sent("session.update")
    assert "audio" not in update["session"]
    written = passed(triage(text_only=True))
    assert "audio" not in written.upstream[0]["session"]


def test_a_handoff_in_the_middle_of_a_sentence_is_heard_once():
    talk = triage()
    talk.response()
    talk.audio(1000)
    talk.words("One moment, I pass you on.")
    talk.play()
    talk.call("call_1", "transfer_to_billing")
    talk.all_words("One moment, I pass you on.")
    talk.audio_done()
    talk.done()
    assert not talk.messages("audio.interrupted")
    assert len(talk.messages("handoff")) == 1
    assert len(talk.sent("response.create")) == 1
    talk.response("resp_2")
    talk.all_words("Billing here.", "item_2", "resp_2")
    talk.done("resp_2")
    said = [(f.agent, f.text) for f in talk.facts if isinstance(f, ItemFact)]
    assert said == [
        ("Ann", "One moment, I pass you on."),
        ("Billing", "Billing here."),
    ]


def test_two_handoffs_of_one_answer_are_one():
    talk = triage(transfer("Billing"), transfer("Technical"))
    talk.response()
    talk.call("call_1", "transfer_to_billing")
    talk.call("call_2", "transfer_to_technical")
    assert outputs(talk) == [{"assistant": "Billing"}, {"error": tool_values.UNKNOWN}]
    assert len(talk.messages("handoff")) == 1


def test_two_handoffs_that_run_side_by_side_are_one():
    talk = triage(transfer("Billing", runs=True), transfer("Technical", runs=True))
    talk.response()
    talk.call("call_1", "transfer_to_billing")
    talk.call("call_2", "transfer_to_technical")
    talk.finish_tool("call_1", Outcome("completed", None))
    talk.finish_tool("call_2", Outcome("completed", None))
    assert outputs(talk) == [
        {"assistant": "Billing"},
        {"error": tool_values.PASSED_ON},
    ]
    assert len(talk.messages("handoff")) == 1


def test_a_function_of_the_site_may_refuse_a_handoff():
    talk = passed(triage(transfer("Billing", runs=True)))
    assert talk.of(StartTool)
    assert not talk.messages("handoff")
    talk.finish_tool("call_1", Outcome("failed", "Billing is closed."))
    assert outputs(talk) == [{"error": "Billing is closed."}]
    assert not talk.messages("handoff")
    assert talk.core.agent.name == "Ann"


def test_a_conversation_may_come_back():
    talk = passed(triage())
    talk.done()
    talk.response("resp_2")
    talk.call("call_2", "transfer_to_ann", response_id="resp_2")
    assert [m["to"] for m in talk.messages("handoff")] == ["Billing", "Ann"]
    ids = [event["event_id"] for event in talk.sent("session.update")]
    assert ids == ["handoff_1", "handoff_2"]


def test_a_steered_answer_is_the_current_agents():
    talk = passed(triage())
    talk.done()
    talk.response("resp_2")
    talk.all_words("Five dollars.", "item_2", "resp_2")
    (check,) = [effect.check for effect in talk.of(CheckText)]
    talk.take(talk.core.guardrail_tripped(check, "no_prices", talk.now))
    talk.done("resp_2", "cancelled")
    create = talk.sent("response.create")[-1]
    assert create["response"]["instructions"].startswith("You know invoices.")


# --- what the next agent gets to know -------------------------------------------


def talked(**fields):
    """Return a talk with words and a tool before Ann passes it on with a filter."""
    talk = triage(
        tool("lookup"), transfer("Billing", filters=True, runs=True), **fields
    )
    talk.page("message", text="Where is it?", respond=False)
    talk.added("typed_1", text_item("user", "Where is it?"))
    talk.response()
    call_item = {"type": "function_call", "name": "lookup", "call_id": "call_0"}
    talk.added("item_call_0", {**call_item, "arguments": "{}"}, "typed_1")
    talk.call("call_0")
    talk.finish_tool("call_0", Outcome("completed", "on its way"))
    output = {"type": "function_call_output", "call_id": "call_0"}
    talk.added("out_0", {**output, "output": '"on its way"'}, "item_call_0")
    talk.words("It comes soon.", "said_1")
    talk.all_words("It comes soon.", "said_1")
    talk.added("said_1", {"type": "message", "role": "assistant", "content": []})
    item = {"type": "function_call", "name": "transfer_to_billing"}
    talk.added("item_call_1", {**item, "call_id": "call_1", "arguments": "{}"})
    talk.clear()
    talk.call("call_1", "transfer_to_billing")
    return talk


def text_item(role, text):
    return {
        "type": "message",
        "role": role,
        "content": [{"type": "input_text", "text": text}],
    }


def test_a_filter_sees_the_talk_in_order_but_for_its_own_call():
    (start,) = talked().of(StartTool)
    assert [(i.item_id, i.kind, i.role, i.text, i.name) for i in start.history] == [
        ("typed_1", "message", "user", "Where is it?", ""),
        ("item_call_0", "function_call", "", "", "lookup"),
        ("out_0", "function_call_output", "", '"on its way"', ""),
        ("said_1", "message", "assistant", "It comes soon.", ""),
    ]


def test_what_a_filter_leaves_out_is_deleted_before_anything_else_is_sent():
    talk = talked()
    talk.finish_tool("call_1", Outcome("completed", {"kept": ["typed_1", "said_1"]}))
    kinds = [event["type"] for event in talk.upstream]
    assert kinds == [
        "conversation.item.delete",
        "conversation.item.delete",
        "session.update",
        "conversation.item.create",
    ]
    gone = [e["item_id"] for e in talk.sent("conversation.item.delete")]
    assert gone == ["item_call_0", "out_0"]
    assert talk.messages("handoff")
    assert outputs(talk) == [{"assistant": "Billing"}]


def test_a_call_goes_with_its_answer():
    talk = talked()
    kept = {"kept": ["typed_1", "item_call_0", "said_1"]}
    talk.finish_tool("call_1", Outcome("completed", kept))
    gone = [e["item_id"] for e in talk.sent("conversation.item.delete")]
    assert gone == ["item_call_0", "out_0"]


def test_what_came_while_the_filter_ran_stays():
    talk = talked()
    talk.added("late", text_item("user", "And?"), "item_call_1")
    talk.finish_tool("call_1", Outcome("completed", {"kept": []}))
    gone = [e["item_id"] for e in talk.sent("conversation.item.delete")]
    assert gone == ["typed_1", "item_call_0", "out_0", "said_1"]
    left = talk.core.items.shown(talk.core.transcript, "")
    assert [item.item_id for item in left] == ["item_call_1", "late"]


def test_a_filter_that_fails_stops_the_handoff():
    talk = talked()
    talk.finish_tool("call_1", Outcome("failed", tool_values.FAILED))
    assert not talk.messages("handoff")
    assert not talk.sent("conversation.item.delete")
    assert talk.core.agent.name == "Ann"


def test_items_of_an_earlier_connection_are_not_shown_to_a_filter():
    talk = talked()
    talk.event("session.created", session={"type": "realtime", "id": "sess_2"})
    talk.added("seeded", text_item("user", "Where is it?"))
    left = talk.core.items.shown(talk.core.transcript, "")
    assert [(item.item_id, item.text) for item in left] == [("seeded", "Where is it?")]


def test_items_that_the_server_deleted_are_not_shown_to_a_filter():
    talk = talked()
    talk.event("conversation.item.deleted", item_id="out_0")
    talk.added("first", text_item("user", "Hi"), "typed_1")
    ids = [i.item_id for i in talk.core.items.shown(talk.core.transcript, "")]
    assert ids == ["typed_1", "first", "item_call_0", "said_1", "item_call_1"]
