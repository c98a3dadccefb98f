"""Tools that ask the visitor, and tools that are functions of the page."""

from __future__ import annotations

import json

import pytest

from realtime_widget.models import Provider, Tool, ToolCall
from tests.app.rows import make_widget

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.fixture
def scripted(transactional_db):
    """Return a provider whose model calls what is typed: ``name {json}``."""
    return Provider.objects.create(name="Scripted", kind="local", model="scripted")


def asking(visit, scripted, **tool):
    """Return a page whose agent wants to look up an order."""
    make_widget(text_only=True, tools=["order_status"], provider=scripted)
    Tool.objects.update(approval="always", **tool)
    page = visit("support")
    page.write('order_status {"order_number": "1042"}')
    return page


def test_the_visitor_allows_a_call_by_a_button(visit, scripted):
    page = asking(visit, scripted, approval_text="Look up order {order_number}?")
    question = page.page.get_by_role("alertdialog", name="Look up order 1042?")
    question.wait_for()
    assert not page.received("tool.started")
    page.button("Allow").click()
    page.wait_for_answer("shipped")
    assert question.count() == 0
    assert page.sent("tool.approval")[0]["approve"] is True


def test_always_asks_once(visit, scripted):
    page = asking(visit, scripted)
    page.page.get_by_role("alertdialog", name="order_status").wait_for()
    page.button("Always allow").click()
    page.wait_received("tool.finished", status="completed")
    page.write('order_status {"order_number": "1043"}')
    page.wait_received("tool.finished", status="completed", count=2)
    assert len(page.received("tool.approval_required")) == 1


def test_a_visitor_who_says_no_is_believed(visit, scripted, signals_seen):
    page = asking(visit, scripted)
    page.button("Do not allow").click()
    page.wait_for_answer("did not allow")
    page.stop()
    # Told once the rows are written.
    signals_seen.wait_for("session_stopped")
    assert ToolCall.objects.get().status == "rejected"


def test_the_questions_go_with_the_conversation(visit, scripted):
    page = asking(visit, scripted)
    page.page.get_by_role("alertdialog").wait_for()
    page.stop()
    page.page.get_by_role("alertdialog").wait_for(state="detached")


def test_a_function_of_the_page_answers_the_agent(visit, scripted):
    widget = make_widget(text_only=True, provider=scripted)
    tool = Tool.objects.create(name="show_map", runs_on="browser", parameters=SCHEMA)
    widget.agent.tools.add(tool)
    page = visit("support")
    page.widget.evaluate(
        "(el) => el.registerTool('show_map', async ({city}) => ({shown: city}))"
    )
    page.write('show_map {"city": "Rome"}')
    page.wait_for_answer("Rome")
    page.widget.evaluate(
        """(el) => { el.registerTool('show_map', () => {
          throw Object.assign(new Error('The map is closed.'), {name: 'ToolError'});
        }); }"""
    )
    page.write('show_map {"city": "Oslo"}')
    page.wait_for_answer("The map is closed")
    page.stop()
    calls = ToolCall.objects.order_by("pk")
    assert [(c.status, json.loads(c.output)) for c in calls] == [
        ("completed", {"shown": "Rome"}),
        ("failed", {"error": "The map is closed."}),
    ]
