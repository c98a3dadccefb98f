"""Handoff filters: by name, from rows, through a real conversation."""

from __future__ import annotations

import logging

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from realtime_widget.configs.agents import staff
from realtime_widget.handlers import (
    ToolContext,
    Visit,
    handoff_filter,
    registered_filters,
    run_handler,
)
from realtime_widget.handlers.handoffs import (
    filtered_handoff,
    last_ten_messages,
    without_tools,
)
from realtime_widget.models import Agent, Guardrail
from realtime_widget.session.ports import HISTORY, HandoffItem
from realtime_widget.testing import Call, Say, scripted_session
from tests.app.rows import make_widget

CONTEXT = ToolContext(user=AnonymousUser())
TALK = [
    *(HandoffItem(f"m{n}", "message", "user", f"word {n}") for n in range(12)),
    HandoffItem("c", "function_call", name="lookup", call_id="1"),
    HandoffItem("o", "function_call_output", text="{}", call_id="1"),
]


def ids(items):
    return [item.item_id for item in items]


def test_filters_that_are_there():
    assert ids(without_tools(CONTEXT, TALK)) == [f"m{n}" for n in range(12)]
    assert ids(last_ten_messages(CONTEXT, TALK)) == [f"m{n}" for n in range(2, 12)]
    assert {"without_tools", "last_ten_messages"} <= registered_filters.keys()


def test_two_filters_of_one_name_are_refused(monkeypatch):
    monkeypatch.setattr(
        "realtime_widget.handlers.handoffs.registered_filters", dict(registered_filters)
    )

    def without_tools(context, items):
        return []

    with pytest.raises(ValueError, match="Two handoff filters"):
        handoff_filter(without_tools)


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_functions_of_both_kinds_choose(kind):
    async def later(context, items):
        return items[:1]

    chosen = later if kind == "async def" else (lambda context, items: items[:1])
    HISTORY.set(tuple(TALK))
    handler = filtered_handoff("transfer_to_x", None, chosen)
    assert await run_handler(handler, CONTEXT, {}) == {"kept": ["m0"]}


@pytest.mark.django_db(transaction=True)
def test_an_agent_whose_filter_is_gone_cannot_be_handed_to(caplog):
    widget = make_widget()
    widget.agent.handoffs.add(
        Agent.objects.create(name="Billing", handoff_filter="vanished")
    )
    visit = Visit(AnonymousUser(), None, "support", "en", {})
    with caplog.at_level(logging.ERROR):
        assert staff(widget.agent, visit).agents["Ada"].tools == ()
    assert "filter does not exist" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_sessions_left")
async def test_the_next_agent_does_not_get_what_is_filtered(transactional_db):
    widget = await sync_to_async(make_widget)(tools=["order_status"])
    billing = await Agent.objects.acreate(
        name="Billing",
        instructions="Invoices.",
        on_handoff="opening_hours",
        handoff_filter="without_tools",
    )
    await widget.agent.handoffs.aadd(billing)
    model = [
        Call("order_status", order_number="1042"),
        Say("It is on its way."),
        Call("transfer_to_billing", day="monday"),
        Say("Billing here."),
    ]
    async with await scripted_session("support", model, raw_events=True) as talk:
        await talk.ask("Where is my order 1042?")
        turn = await talk.ask("My invoice is wrong")
    raw = [event.data["data"] for event in turn.of("raw_model_event")]
    deleted = [e["item_id"] for e in raw if e["type"] == "conversation.item.deleted"]
    assert len(deleted) == 2
    assert [(e.before, e.after) for e in turn.of("handoff")] == [("Ada", "Billing")]
    assert turn.text == "Billing here."
    assert not [e for e in raw if e["type"] == "error"]


# --- names that do not exist ------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "name", "words"),
    [
        ("on_handoff", "order_staus", "Did you mean “order_status”?"),
        ("handoff_filter", "without_tool", "Did you mean “without_tools”?"),
        ("handoff_filter", "xyz", "last_ten_messages"),
        ("instructions_function", "vanished", "no function “vanished”"),
    ],
)
def test_an_agents_unknown_function_is_refused_with_the_nearest(
    admin_client, field, name, words
):
    address = reverse("admin:realtime_widget_agent_add")
    data = {"name": "Ada", "speed": "1", field: name}
    answer = admin_client.post(address, data)
    assert words in str(answer.context["adminform"].form.errors[field])
    assert not Agent.objects.exists()
    admin_client.post(address, {"name": "Ada", "speed": "1"})
    assert Agent.objects.exists()


@pytest.mark.django_db
def test_a_guardrails_unknown_function_is_refused(admin_client):
    address = reverse("admin:realtime_widget_guardrail_add")
    data = {
        "name": "x",
        "function": "vanished",
        "on_output": "on",
        "moderation_model": "m",
        "moderation_categories": "[]",
    }
    answer = admin_client.post(address, data)
    assert "no function" in str(answer.context["adminform"].form.errors["function"])
    assert not Guardrail.objects.exists()
    form = admin_client.get(address).content.decode()
    assert "<datalist" in form
