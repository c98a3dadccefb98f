"""A visitor allows a call that the model's provider wants to make, in a real browser."""

from __future__ import annotations

import pytest

from realtime_widget import connectors
from realtime_widget.models import McpServer, Provider, ToolCall
from tests.app.rows import make_widget
from tests.fakes.model import AnsweringModel

TOKEN = "mcp-token-0123456789abcdef"
CALL = {
    "server_label": "docs",
    "name": "search",
    "arguments": '{"query": "brakes"}',
}


class SearchingModel(AnsweringModel):
    """Wants to search when ``search`` is typed, and says what was found."""

    def _take(self, item):
        super()._take(item)
        if item["type"] == "mcp_approval_response":
            self._last = "It is not allowed."
            if item["approve"]:
                self._last = "Found 3 pages."
                call = {**CALL, "id": "mcp_1", "type": "mcp_call"}
                call["approval_request_id"] = item["approval_request_id"]
                call["output"] = "SECRET-PAGES"
                self.emit("conversation.item.done", item=call, previous_item_id=None)

    def _answer(self):
        if self._last != "search":
            super()._answer()
            return
        response = {"id": "resp_search"}
        self.emit("response.created", response=response)
        request = {**CALL, "id": "req_1", "type": "mcp_approval_request"}
        self.emit("conversation.item.done", item=request, previous_item_id=None)
        self.emit("response.done", response={**response, "status": "completed"})


@pytest.fixture
def searching(transactional_db, monkeypatch):
    """Return a widget whose model has an MCP server."""

    def make(_provider, _caller):
        async def connect():
            return SearchingModel()

        return connect

    monkeypatch.setitem(connectors.CONNECTORS, Provider.Kind.COMPATIBLE, make)
    provider = Provider.objects.create(
        name="P", kind="compatible", base_url="http://model.example/v1"
    )
    row = McpServer(
        name="docs",
        url="https://docs.example.org/mcp",
        approval_text="Search the manuals for {query}?",
    )
    row.store_token(TOKEN)
    row.save()
    widget = make_widget(text_only=True, provider=provider)
    widget.agent.mcp_servers.add(row)
    return widget


@pytest.mark.parametrize(
    ("button", "answer", "status"),
    [
        ("Allow", "Found 3 pages", "completed"),
        ("Do not allow", "not allowed", "rejected"),
    ],
)
def test_the_visitor_decides_by_a_button(visit, searching, button, answer, status):
    page = visit("support")
    page.write("search")
    question = page.page.get_by_role(
        "alertdialog", name="Search the manuals for brakes?"
    )
    question.wait_for()
    page.button(button).click()
    page.wait_for_answer(answer)
    assert question.count() == 0
    assert "SECRET" not in page.page.content()
    assert TOKEN not in page.page.content()
    page.stop()
    call = ToolCall.objects.get()
    assert (call.name, call.status) == ("docs.search", status)
