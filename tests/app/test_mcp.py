"""MCP servers as rows: what sessions get of them, and what nobody ever gets to see."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import types

import pytest
from asgiref.sync import sync_to_async
from cryptography.fernet import Fernet
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.contrib.sites.models import Site
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.core.signals import got_request_exception
from django.test import Client, override_settings
from django.urls import reverse
from django.views.debug import ExceptionReporter

from realtime_widget.admin.mcp import McpServerAdmin
from realtime_widget.configs.agents import staff
from realtime_widget.engine.loopback import LoopbackConnection
from realtime_widget.engine.models import all_models
from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.scenario.reading import read_scenario
from realtime_widget.engine.scenario.session import ScenarioModel
from realtime_widget.handlers import Visit, mcp_token, registered_tokens
from realtime_widget.models import McpServer, ToolCall
from realtime_widget.models.mcp import validate_mcp_url, validate_tool_names
from realtime_widget.models.sealing import unseal
from realtime_widget.session.config import McpSpec
from realtime_widget.sessions import open_session
from tests.app.pages import open_page
from tests.app.rows import ended_conversation, make_widget

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "mcp-token-0123456789abcdef"
URL = "https://docs.example.org/mcp"
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def visit_of(user=None, site=None):
    return Visit(user or AnonymousUser(), site, "support", "en", {})


def server(**fields):
    """Return a saved server that Ada may use."""
    row = McpServer(**{"name": "docs", "url": URL, **fields})
    row.save()
    widget = make_widget()
    widget.agent.mcp_servers.add(row)
    return row, widget


def offered(widget, visit=None):
    return staff(widget.agent, visit or visit_of()).agents["Ada"].mcp


# --- rows -------------------------------------------------------------------------


def test_a_row_is_what_the_session_is_told():
    row, widget = server(
        description="Manuals.",
        tools=["search", "fetch"],
        approval="spoken",
        unasked=["fetch"],
        approval_text="Use {tool}?",
        max_calls=3,
    )
    row.store_token(TOKEN)
    row.save()
    assert offered(widget) == (
        McpSpec(
            "docs",
            url=URL,
            description="Manuals.",
            tools=("search", "fetch"),
            unasked=frozenset({"fetch"}),
            approval_text="Use {tool}?",
            spoken_approval=True,
            max_calls=3,
            authorization=TOKEN,
        ),
    )
    assert TOKEN not in McpServer.objects.values_list("key_sealed", flat=True)[0]


def test_it_is_there_for_its_sites_and_its_people_only():
    row, widget = server(requires_login=True, permission="auth.view_user")
    ann = User.objects.create_user("ann")
    assert not offered(widget)
    assert not offered(widget, visit_of(ann))
    ann.user_permissions.add(Permission.objects.get(codename="view_user"))
    ann = User.objects.get()
    assert offered(widget, visit_of(ann))
    shop = Site.objects.create(domain="shop.example", name="Shop")
    row.sites.add(shop, Site.objects.create(domain="b.example", name="B"))
    assert not offered(widget, visit_of(ann))
    assert len(offered(widget, visit_of(ann, shop))) == 1
    row.enabled = False
    row.save()
    assert not offered(widget, visit_of(ann, shop))


def test_a_named_token_is_read_only_where_the_site_lists_it(monkeypatch, caplog):
    row, widget = server(key_name="DOCS_TOKEN")
    monkeypatch.setenv("DOCS_TOKEN", TOKEN)
    with caplog.at_level(logging.ERROR):
        assert not offered(widget)
    assert "server=docs" in caplog.text
    assert TOKEN not in caplog.text
    with override_settings(REALTIME_WIDGET={"KEY_NAMES": ["DOCS_TOKEN"]}):
        row.full_clean()
        assert offered(widget)[0].authorization == TOKEN


def test_a_function_of_the_site_gives_each_visitor_a_token(monkeypatch, caplog):
    def fails(visit):
        raise RuntimeError(TOKEN)

    monkeypatch.setitem(
        registered_tokens,
        "own_token",
        lambda visit: TOKEN if visit.user.is_authenticated else "",
    )
    monkeypatch.setitem(registered_tokens, "fails", fails)
    row, widget = server(token_function="own_token")
    row.store_token("common-token")
    row.save()
    ann = User.objects.create_user("ann")
    assert offered(widget, visit_of(ann))[0].authorization == TOKEN
    with caplog.at_level(logging.ERROR):
        assert not offered(widget)
        assert not caplog.text  # nothing is wrong: this visitor has none
        for name in ("vanished", "fails"):
            McpServer.objects.update(token_function=name)
            assert not offered(widget, visit_of(ann))
    assert caplog.text.count("server=docs") == 2
    assert TOKEN not in caplog.text


def test_two_token_functions_of_one_name_are_refused(monkeypatch):
    def calendar_token(visit):
        return ""

    other = types.FunctionType(calendar_token.__code__, {"__name__": "other"})
    other.__module__ = "other"
    monkeypatch.setitem(registered_tokens, "calendar_token", other)
    with pytest.raises(ValueError, match="Two functions for tokens"):
        mcp_token(calendar_token)


def test_a_token_that_no_key_opens_takes_the_server_away():
    with override_settings(REALTIME_WIDGET={"FERNET_KEYS": [OLD]}):
        row, widget = server()
        row.store_token(TOKEN)
        row.save()
        assert offered(widget)
    assert not offered(widget)


def test_tokens_are_encrypted_anew_with_the_keys_of_providers():
    with override_settings(REALTIME_WIDGET={"FERNET_KEYS": [OLD]}):
        row, _widget = server()
        row.store_token(TOKEN)
        row.save()
    with override_settings(REALTIME_WIDGET={"FERNET_KEYS": [NEW, OLD]}):
        call_command("realtime_rotate_keys")
    row.refresh_from_db()
    with override_settings(REALTIME_WIDGET={"FERNET_KEYS": [NEW]}):
        assert unseal(row.key_sealed) == TOKEN
    with pytest.raises(CommandError, match="docs"):
        call_command("realtime_rotate_keys")


@pytest.mark.parametrize(
    "url",
    [
        "http://docs.example.org/mcp",
        "https://127.0.0.1/mcp",
        "https://10.0.0.8/mcp",
        "https://169.254.169.254/mcp",
        "https://[::1]/mcp",
        "https://2130706433/mcp",
        "https://db.internal/mcp",
        "https://user:pass@docs.example.org/mcp",
        "https://docs.example.org/mcp?token=x",
        "https://docs.example.org:port/mcp",
        "ftp://docs.example.org/mcp",
        "docs.example.org",
        "https://[::1",
    ],
)
def test_an_address_that_nobody_should_be_sent_to_is_refused(url):
    with pytest.raises(ValidationError):
        validate_mcp_url(url)


def test_a_listed_host_may_be_any():
    validate_mcp_url("https://docs.example.org:8443/mcp")
    with override_settings(REALTIME_WIDGET={"WEBHOOK_HOSTS": ["127.0.0.1:9000"]}):
        validate_mcp_url("http://127.0.0.1:9000/mcp")


@pytest.mark.parametrize(
    "fields",
    [
        {"url": ""},
        {"connector": "connector_gmail"},
        {"connector": "connector_other", "url": ""},
        {"name": "no spaces"},
        {"permission": "view"},
        {"tools": "search"},
        {"unasked": ["no spaces"]},
    ],
)
def test_a_row_that_makes_no_sense_is_refused(fields):
    with pytest.raises(ValidationError):
        McpServer(**{"name": "docs", "url": URL, **fields}).full_clean()


def test_names_of_tools_are_a_short_list():
    with pytest.raises(ValidationError):
        validate_tool_names(["a"] * 101)
    validate_tool_names(["search"])


# --- the admin ------------------------------------------------------------------------


def typed(**changes):
    return {
        "name": "docs",
        "url": URL,
        "tools": "[]",
        "unasked": "[]",
        "approval": "always",
        "enabled": "on",
        **changes,
    }


def page(name, *args):
    return reverse(f"admin:realtime_widget_mcpserver_{name}", args=args)


def test_a_token_goes_in_and_never_comes_out(admin_client):
    answer = admin_client.post(page("add"), typed(new_token=TOKEN))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row = McpServer.objects.get()
    assert row.token() == TOKEN
    for address in (page("change", row.pk), page("changelist")):
        shown = admin_client.get(address).content.decode()
        assert TOKEN not in shown
        assert row.key_sealed not in shown
    admin_client.post(page("change", row.pk), typed())
    row.refresh_from_db()
    assert row.token() == TOKEN
    admin_client.post(page("change", row.pk), typed(forget_token="on"))
    row.refresh_from_db()
    assert not row.wants_token


def test_an_error_report_holds_no_token(admin_user, monkeypatch):
    def fail(*_args):
        raise RuntimeError("in the middle of saving")

    monkeypatch.setattr(McpServerAdmin, "save_model", fail)
    reports = []

    def report(request, **_):
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.append(reporter.get_traceback_html() + reporter.get_traceback_text())

    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    got_request_exception.connect(report)
    try:
        answer = client.post(page("add"), typed(new_token=TOKEN))
    finally:
        got_request_exception.disconnect(report)
    assert answer.status_code == 500
    assert "in the middle of saving" in reports[0]
    assert TOKEN not in reports[0]


def test_a_stored_token_is_not_sent_to_another_place(admin_client):
    admin_client.post(page("add"), typed(new_token=TOKEN))
    row = McpServer.objects.get()
    moved = typed(url="https://thief.example.org/mcp")
    answer = admin_client.post(page("change", row.pk), moved)
    assert "new_token" in answer.context["adminform"].form.errors
    row.refresh_from_db()
    assert row.url == URL
    admin_client.post(page("change", row.pk), {**moved, "new_token": TOKEN + "2"})
    row.refresh_from_db()
    assert row.token() == TOKEN + "2"


def test_a_token_in_the_wrong_field_is_not_sent_back(admin_client):
    wrong = "sk-this-is-a-key-0123456789abcdef"
    answer = admin_client.post(page("add"), typed(key_name=wrong))
    assert answer.status_code == 200
    assert wrong not in answer.content.decode()
    answer = admin_client.post(page("add"), typed(new_token="has space"))
    assert "has space" not in answer.content.decode()
    answer = admin_client.post(page("add"), typed(token_function="vanished"))
    assert "token_function" in answer.context["adminform"].form.errors


def test_the_list_switches_servers_off(admin_client):
    row, _widget = server()
    row.store_token(TOKEN)
    row.save()
    answer = admin_client.post(
        page("changelist"),
        {
            "form-TOTAL_FORMS": 1,
            "form-INITIAL_FORMS": 1,
            "form-0-id": row.pk,
            "_save": "Save",
        },
    )
    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.enabled, row.token()) == (False, TOKEN)


# --- talks -----------------------------------------------------------------------------

CALL = {
    "id": "mcp_1",
    "type": "mcp_call",
    "server_label": "docs",
    "name": "search",
    "arguments": '{"query": "brakes"}',
}
SEARCHES = {
    "turns": [
        {
            "steps": [{"say": "Let me look."}],
            "events": [
                {
                    "at": "response.done",
                    "send": {
                        "type": f"conversation.item.{kind}",
                        "previous_item_id": None,
                        "item": {**CALL, **more},
                    },
                }
                for kind, more in (("added", {}), ("done", {"output": "3 pages"}))
            ],
        },
        {"steps": [{"say": "There are three pages."}]},
    ]
}


@pytest.mark.usefixtures("no_sessions_left")
async def test_a_talk_with_a_server_that_is_not_asked_about():
    await sync_to_async(server)(approval="never")
    base = all_models(EngineOptions(), "scripted").default

    async def connect():
        return LoopbackConnection(ScenarioModel(base, read_scenario(SEARCHES)))

    seen = []
    async with await open_session("support", connect=connect, text_only=True) as talk:
        await talk.send_message("How do I bleed the brakes?")
        async with asyncio.timeout(20):
            async for event in talk:
                seen.append(event)
                if "three pages" in str(event.data.get("item")):
                    break
    calls = [e for e in seen if e.type in ("tool_start", "tool_end")]
    assert [(e.type, e.name) for e in calls] == [
        ("tool_start", "docs.search"),
        ("tool_end", "docs.search"),
    ]
    call = await ToolCall.objects.aget()
    assert (call.name, call.status, call.output) == (
        "docs.search",
        "completed",
        "3 pages",
    )


@pytest.mark.usefixtures("no_sessions_left")
async def test_the_visitor_allows_a_call_and_the_page_learns_no_more(
    widget, models, asgi_server
):
    def add():
        row = McpServer(name="docs", url=URL, approval_text="Look for {query}?")
        row.store_token(TOKEN)
        row.save()
        widget.agent.mcp_servers.add(row)

    await sync_to_async(add)()
    async with open_page(asgi_server) as visitor:
        await visitor.start()
        model = models[-1]
        (tool,) = [t for t in model.session_tools() if t["type"] == "mcp"]
        assert tool["authorization"] == TOKEN
        request = {**CALL, "id": "req_1", "type": "mcp_approval_request"}
        model.emit("conversation.item.done", item=request, previous_item_id=None)
        asked = await visitor.expect("tool.approval_required")
        assert asked == {
            "type": "tool.approval_required",
            "call_id": "req_1",
            "name": "docs.search",
            "summary": "Look for brakes?",
        }
        await visitor.send("tool.approval", call_id="req_1", approve=True)
        started = await visitor.expect("tool.started")
        call = {**CALL, "approval_request_id": "req_1", "output": "SECRET-PAGES"}
        model.emit("conversation.item.done", item=call, previous_item_id=None)
        finished = await visitor.expect("tool.finished")
        assert {started["call_id"], finished["call_id"]} == {"req_1"}
        assert "SECRET" not in json.dumps([started, finished])
        await visitor.send("session.stop")
        await visitor.ended()
    answers = [
        event["item"]
        for event in model.of("conversation.item.create")
        if event["item"]["type"] == "mcp_approval_response"
    ]
    assert [(a["approval_request_id"], a["approve"]) for a in answers] == [
        ("req_1", True)
    ]
    await ended_conversation()
    record = await ToolCall.objects.aget()
    assert (record.status, record.output) == ("completed", "SECRET-PAGES")


@pytest.mark.usefixtures("no_sessions_left")
async def test_the_embedded_engine_says_that_it_has_no_mcp(caplog):
    await sync_to_async(server)(approval="never")
    base = all_models(EngineOptions(), "scripted").default

    async def connect():
        return LoopbackConnection(base)

    seen = []
    async with await open_session(
        "support", connect=connect, text_only=True, raw_events=True, record=False
    ) as talk:
        await talk.send_message("Hello")
        async with asyncio.timeout(20):
            async for event in talk:
                if event.type == "raw_model_event":
                    seen.append(event.data["data"]["type"])
                if "response.done" in seen:
                    break
    assert "mcp_list_tools.failed" in seen
    assert "mcp_list_failed" in caplog.text
