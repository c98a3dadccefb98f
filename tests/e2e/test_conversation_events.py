"""The names that pages of the realtime client library listen to."""

from __future__ import annotations

from tests.app.rows import make_widget

LISTEN = """() => {
  window.heard = [];
  for (const name of ["conversation.updated", "conversation.item.completed",
                      "conversation.interrupted", "realtime-widget:warning"]) {
    // On the document: all of them bubble.
    document.addEventListener(name, ({ type, detail }) => heard.push([type, detail]));
  }
}"""


def test_page_hears_every_change_and_every_complete_item(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    page.page.evaluate(LISTEN)
    page.write("When are you open on Monday?")
    page.wait_received("transcript", role="assistant", final=True)
    page.wait_for_answer("9|17")
    heard = page.page.evaluate("() => heard")
    completed = [
        detail["item"]
        for name, detail in heard
        if name == "conversation.item.completed"
    ]
    assert [item["role"] for item in completed] == ["user", "assistant"]
    assert completed[0]["text"] == "When are you open on Monday?"
    assert all(item["completed"] and item["item_id"] for item in completed)
    updates = [detail for name, detail in heard if name == "conversation.updated"]
    answer = [one for one in updates if one["item"]["role"] == "assistant"]
    assert "".join(one["delta"] for one in answer) in {"", completed[1]["text"]}
    assert answer[-1]["item"]["text"] == completed[1]["text"]


def test_page_hears_that_the_visitor_cuts_in(visit):
    make_widget()
    page = visit("support")
    page.page.evaluate(LISTEN)
    page.start()
    page.page.evaluate(
        "() => __probe.socket.dispatchEvent(new MessageEvent('message',"
        " { data: JSON.stringify({ type: 'speech.started', at_ms: 40 }) }))"
    )
    assert ["conversation.interrupted", {"at_ms": 40}] in page.page.evaluate(
        "() => heard"
    )
