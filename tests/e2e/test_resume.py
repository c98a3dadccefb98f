"""The conversation survives: a network that breaks, a reload, another page, a deploy."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

import pytest

from realtime_widget.models import Conversation, Provider, Tool, ToolCall
from tests.app.rows import make_widget
from tests.e2e.demo_server import DemoServer
from tests.e2e.driving import PROBE, Visit
from tests.fakes.tcp_proxy import TcpProxy

WIDGET = "document.querySelector('realtime-widget')"
HOURS = "When are you open on Monday?"
LONG = (
    "Welcome to our shop by the river. We repair bicycles of every kind, we build wheels"
    " by hand, and we sell lights, bags and good rain clothes. On weekdays we are open"
    " from nine in the morning until half past five in the afternoon."
)
NOTE_STATES = """addEventListener("realtime-widget:state", ({ detail }) => {
  window.states = [...(window.states ?? []), detail.state];
});"""


@contextmanager
def network(server):
    """Run a network before the server that can break."""
    proxy = TcpProxy(server.port).start()
    try:
        yield proxy
    finally:
        proxy.stop()


@pytest.fixture
def visit_over(visit):
    """Return a function that opens a page over a network."""

    def open_page(proxy, slug="support"):
        page = visit(slug, address=f"http://127.0.0.1:{proxy.port}/page/{slug}/")
        page.context.add_init_script(NOTE_STATES)
        page.page.reload()
        return page

    return open_page


def states(page):
    """Return the states that the page was shown."""
    return page.page.evaluate("() => window.states ?? []")


def wait_started(page, *, count=1):
    """Wait for the sessions of this page and return what the last one began with."""
    return page.wait_received("session.started", count=count)


def ask_hours(page, *, count):
    """Ask something that needs a tool and wait for the answer."""
    page.write(HOURS)
    page.page.wait_for_function(
        "(count) => document.querySelector('realtime-widget').shadowRoot"
        ".querySelectorAll('.line.assistant[data-final=true]').length >= count",
        arg=count,
    )


def test_a_call_goes_on_after_the_network_broke_in_the_middle_of_an_answer(
    visit_over, asgi_server, signals_seen, upstreams
):
    make_widget(greeting=LONG, tools=["opening_hours"])
    with network(asgi_server) as proxy:
        page = visit_over(proxy)
        page.start(state="speaking")
        proxy.cut()
        page.wait_for_state("reconnecting")
        page.page.get_by_role("status").get_by_text("Reconnecting").wait_for()
        page.write(HOURS)
        proxy.resume()
        again = wait_started(page, count=2)
        assert again["resumed"] is True
        assert again["session_id"] == page.received("session.started")[0]["session_id"]
        page.wait_for_answer("9|17")
        assert page.sent("message", text=HOURS) != []
        assert len(page.received("session.started")) == 2
        assert "Welcome" in page.log.inner_text()
        assert page.alert.count() == 0
        page.stop()
    assert states(page).count("reconnecting") == 1
    signals_seen.wait_for("session_stopped")
    conversation = Conversation.objects.get()
    assert conversation.items.filter(role="user", text=HOURS).count() == 1
    greeting = conversation.items.filter(role="assistant").first()
    assert greeting.status == "interrupted"
    assert LONG.startswith(greeting.text)
    # The model is the same: it was told what was heard, and nothing of the talk again.
    (model,) = upstreams
    (cut,) = model.events_sent("conversation.item.truncate")
    assert cut["audio_end_ms"] == greeting.heard_ms
    told = model.events_sent("conversation.item.create")[0]["item"]
    assert told["content"][0]["text"] == HOURS


def test_a_call_whose_visitor_comes_back_too_late_goes_on_from_its_record(
    visit_over, asgi_server, signals_seen, upstreams, settings
):
    settings.REALTIME_WIDGET = {"KEEP_UPSTREAM_S": 0.5}
    make_widget(text_only=True, tools=["opening_hours"])
    with network(asgi_server) as proxy:
        page = visit_over(proxy)
        ask_hours(page, count=1)
        proxy.cut()
        page.wait_for_state("reconnecting")
        signals_seen.wait_for("session_stopped")
        proxy.resume()
        again = wait_started(page, count=2)
        assert again["resumed"] is True
        assert again["session_id"] != page.received("session.started")[0]["session_id"]
        ask_hours(page, count=2)
        page.stop()
    assert [one.closed for one in upstreams] == [True, True]
    told = upstreams[1].events_sent("conversation.item.create")
    assert told[0]["item"]["content"][0]["text"] == HOURS


def test_a_question_to_the_visitor_is_asked_again_after_a_cut(
    visit_over, asgi_server, signals_seen
):
    provider = Provider.objects.create(name="S", kind="local", model="scripted")
    make_widget(text_only=True, tools=["order_status"], provider=provider)
    Tool.objects.update(approval="always", approval_text="Look up {order_number}?")
    with network(asgi_server) as proxy:
        page = visit_over(proxy)
        page.write('order_status {"order_number": "1042"}')
        question = page.page.get_by_role("alertdialog", name="Look up 1042?")
        question.wait_for()
        proxy.cut()
        page.wait_for_state("reconnecting")
        question.wait_for(state="detached")
        proxy.resume()
        question.wait_for()
        page.button("Allow").click()
        page.wait_for_answer("shipped")
        started = page.received("session.started")
        assert started[0]["session_id"] == started[1]["session_id"]
        page.stop()
    signals_seen.wait_for("session_stopped")
    assert ToolCall.objects.get().status == "completed"


def test_what_is_said_while_the_network_is_away_is_heard(visit_over, asgi_server):
    make_widget()
    with network(asgi_server) as proxy:
        page = visit_over(proxy)
        page.start()
        proxy.cut()
        page.wait_for_state("reconnecting")
        page.page.wait_for_function(
            f"(before) => {WIDGET}.getStats().capturedFrames > before + 50",
            arg=page.stats()["capturedFrames"],
        )
        proxy.resume()
        wait_started(page, count=2)
        page.wait_for_state("listening")
        # Two seconds were kept and go out at once.
        page.page.wait_for_function(f"() => {WIDGET}.getStats().sentFrames >= 50")
        assert page.stats()["droppedFrames"] == 0
        assert not page.received("error")
        page.stop()


def test_a_call_that_was_stopped_while_the_network_was_away_stays_stopped(
    visit_over, asgi_server, signals_seen, settings
):
    settings.REALTIME_WIDGET = {"KEEP_UPSTREAM_S": 1}
    make_widget(text_only=True, tools=["opening_hours"])
    with network(asgi_server) as proxy:
        page = visit_over(proxy)
        ask_hours(page, count=1)
        proxy.cut()
        page.wait_for_state("reconnecting")
        page.button("End conversation").click()
        page.wait_for_state("idle")
        proxy.resume()
        page.page.evaluate("() => dispatchEvent(new Event('online'))")
        page.page.reload()
        page.page.locator("realtime-widget[state=idle]").wait_for()
        signals_seen.wait_for("session_stopped")
        assert page.received("session.started") == []
        assert signals_seen.count("session_started") == 1


def test_a_conversation_goes_on_after_a_reload(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    ask_hours(page, count=1)
    page.page.reload()
    again = wait_started(page)
    assert again["resumed"] is True
    assert again["history"][0] == {"role": "user", "text": HOURS}
    page.wait_for_answer("9|17")
    assert page.log.get_by_text(HOURS).count() == 1
    ask_hours(page, count=2)
    page.stop()
    page.page.reload()
    page.page.locator("realtime-widget[state=idle]").wait_for()
    assert page.received("session.started") == []


def test_a_talk_goes_on_after_a_reload_muted_as_it_was(visit):
    make_widget()
    page = visit("support")
    page.start()
    page.button("Mute microphone").click()
    page.page.reload()
    wait_started(page)
    page.button("Unmute microphone").wait_for()
    assert page.received("session.started")[0]["resumed"] is True
    assert page.sent("microphone", muted=True)
    page.stop()


def test_a_conversation_goes_on_on_another_page_of_the_site(visit, asgi_server):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    ask_hours(page, count=1)
    page.page.goto(f"{asgi_server.url}/jinja/support/")
    assert wait_started(page)["resumed"] is True
    page.wait_for_answer("9|17")
    ask_hours(page, count=2)
    page.stop()


def test_another_widget_of_the_site_begins_anew(visit, asgi_server):
    make_widget(text_only=True, tools=["opening_hours"])
    make_widget("other", text_only=True)
    page = visit("support")
    ask_hours(page, count=1)
    page.page.goto(f"{asgi_server.url}/page/other/")
    page.page.locator("realtime-widget[state=idle]").wait_for()
    assert page.received("session.started") == []


def test_a_widget_may_end_with_its_page(visit, signals_seen):
    make_widget(text_only=True, tools=["opening_hours"], resume_across_pages=False)
    page = visit("support")
    ask_hours(page, count=1)
    page.page.reload()
    page.page.locator("realtime-widget[state=idle]").wait_for()
    signals_seen.wait_for("session_stopped")
    assert page.received("session.started") == []
    assert page.page.evaluate("() => sessionStorage.length") == 0


def test_a_widget_that_a_script_puts_in_place_of_the_first_goes_on(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    ask_hours(page, count=1)
    page.page.evaluate(
        f"""() => {{
          const old = {WIDGET};
          old.replaceWith(old.cloneNode(true));
        }}"""
    )
    assert wait_started(page, count=2)["resumed"] is True
    page.wait_for_answer("9|17")
    page.stop()


def test_a_newer_tab_takes_the_conversation_over(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    ask_hours(page, count=1)
    # A window that a page opens begins with a copy of what its tab holds.
    with page.context.expect_page() as opened:
        page.page.evaluate("() => { window.open(location.href); }")
    newer = opened.value
    newer.wait_for_function(
        "() => __probe.received.some(({ type }) => type === 'session.started')"
    )
    page.alert.get_by_text("goes on in another tab").wait_for()
    assert page.widget.get_attribute("state") == "error"
    assert page.received("session.stopped")[-1]["reason"] == "replaced"
    newer.get_by_role("log").get_by_text(HOURS).wait_for()
    assert len(page.received("session.started")) == 1


def test_a_page_that_comes_back_from_the_browsers_memory_goes_on(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    ask_hours(page, count=1)
    # What the browser does with a page that it puts to sleep and wakes up again.
    page.page.evaluate(
        """() => {
          dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
        }"""
    )
    page.wait_for_state("idle")
    page.page.evaluate(
        """() => {
          dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        }"""
    )
    assert wait_started(page, count=2)["resumed"] is True
    page.wait_for_answer("9|17")
    page.stop()


def test_a_server_that_stops_hands_its_calls_to_the_next(chromium, tmp_path):
    servers = [DemoServer(tmp_path) for _ in range(2)]
    servers[0].plant()
    context = chromium.new_context()
    context.add_init_script(path=PROBE)
    with ExitStack() as last, network(servers[0]) as proxy:
        with servers[0].running():
            page = Visit(context, f"http://127.0.0.1:{proxy.port}/chat/")
            ask_hours(page, count=1)
            last.enter_context(servers[1].running())
            proxy.point_at(servers[1].port)
        again = wait_started(page, count=2)
        assert again["resumed"] is True
        assert again["history"][0]["text"] == HOURS
        assert page.alert.count() == 0
        ask_hours(page, count=2)
        page.stop()
        page.finish()


def test_a_page_older_than_its_server_is_told_to_reload(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    page.page.route(
        "**/protocol.js",
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            body=answer.text().replace("VERSION = ", "VERSION = '0.0' + "),
        ),
    )
    page.page.reload()
    page.write(HOURS)
    page.alert.get_by_text("has been updated").wait_for()
    page.wait_for_answer("9|17")
    page.stop()
