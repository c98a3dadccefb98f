"""What goes wrong in Firefox: no microphone, a network that breaks."""

from __future__ import annotations

import pytest

from tests.app.rows import make_widget
from tests.e2e.engines.engines import in_firefox
from tests.fakes.tcp_proxy import TcpProxy

pytestmark = [pytest.mark.speech]

HOURS = "When are you open on Monday?"
LONG = (
    "Welcome to our shop by the river. We repair bicycles of every kind, we build wheels"
    " by hand, and we sell lights, bags and good rain clothes. On weekdays we are open"
    " from nine in the morning until half past five in the afternoon."
)
DENIED = {
    "media.navigator.permission.disabled": False,
    "permissions.default.microphone": 2,
}


@pytest.fixture
def network(asgi_server):
    """Run a network before the server that can break."""
    proxy = TcpProxy(asgi_server.port).start()
    yield proxy
    proxy.stop()


@in_firefox
def test_a_call_goes_on_after_the_network_broke_in_the_middle_of_an_answer(
    visit, network
):
    make_widget(greeting=LONG, tools=["opening_hours"])
    page = visit("support", address=f"http://127.0.0.1:{network.port}/page/support/")
    page.start(state="speaking")
    network.cut()
    page.wait_for_state("reconnecting")
    page.write(HOURS)
    network.resume()
    again = page.wait_received("session.started", count=2)
    assert again["resumed"] is True
    page.wait_for_answer("9|17")
    assert "Welcome" in page.log.inner_text()
    assert page.alert.count() == 0
    page.stop()


@in_firefox
def test_denied_microphone_is_explained_and_typing_goes_on(visit, mira):
    make_widget(tools=["order_status"])
    page = visit("support", user=mira, preferences=DENIED)
    page.press("Start conversation")
    page.page.get_by_text("The microphone is blocked.").first.wait_for()
    page.write("Where is my order 1042?")
    page.wait_for_answer("shipped")
    page.stop()
