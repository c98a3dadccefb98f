"""What a page loads: little with the page, the parts of a call when they are wanted."""

from __future__ import annotations

import pytest

from tests.app.rows import make_widget

CALL = ("/call.js", "/audio/sound.js", "/transports/websocket.js")
NO_REST = "window.requestIdleCallback = () => 0;"
LOADED = """() => performance.getEntriesByType("resource").map(({ name }) => name)"""
ALL_LOADED = f"""(names) => {{
  const loaded = ({LOADED})();
  return names.every((name) => loaded.some((one) => one.endsWith(name)));
}}"""
NONCE = "r4nd0m"


def loaded(page):
    """Return the parts of a call that a page has loaded."""
    names = page.page.evaluate(LOADED)
    return [name for name in names if name.endswith(CALL)]


def reloaded(page, *, script=NO_REST):
    """Load a page anew with a script that runs before all others."""
    page.context.add_init_script(script)
    page.page.reload(wait_until="load")
    page.page.locator("realtime-widget[state]").wait_for()
    return page


def test_nothing_of_a_call_is_loaded_before_the_visitor_comes_near(visit):
    make_widget()
    page = reloaded(visit("support"))
    assert loaded(page) == []
    page.button("Start conversation").hover()
    page.page.wait_for_function(ALL_LOADED, arg=list(CALL))


def test_the_keyboard_brings_them_too(visit):
    make_widget()
    page = reloaded(visit("support"))
    page.button("Start conversation").focus()
    page.page.wait_for_function(ALL_LOADED, arg=list(CALL))


def test_a_page_that_rests_loads_them_ahead(visit):
    make_widget()
    page = visit("support")
    page.page.wait_for_function(ALL_LOADED, arg=list(CALL))


def test_a_visitor_who_saves_data_is_not_sent_them_ahead(visit):
    make_widget()
    script = """Object.defineProperty(Navigator.prototype, "connection", {
      get: () => ({ saveData: true }) });
      window.requestIdleCallback = (work) => { window.rested = true; work(); };"""
    page = reloaded(visit("support"), script=script)
    page.page.evaluate("() => new Promise((done) => setTimeout(done, 0))")
    assert page.page.evaluate("() => window.rested") is None
    assert loaded(page) == []


def test_a_chat_by_text_never_loads_the_audio(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    assert not [name for name in loaded(page) if "/audio/" in name]
    page.stop()


@pytest.mark.parametrize(
    "policy",
    [
        f"default-src 'self'; script-src 'nonce-{NONCE}' 'strict-dynamic'",
        f"default-src 'self'; script-src 'nonce-{NONCE}'",
    ],
)
def test_parts_that_come_later_are_allowed_by_the_pages_nonce(visit, policy):
    make_widget(text_only=True, tools=["opening_hours"])
    headers = {"Content-Security-Policy": policy, "nonce": NONCE}
    page = visit("support", headers=headers)
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.stop()


def test_parts_that_did_not_come_are_asked_for_by_the_next_press(visit):
    make_widget()
    page = visit("support")
    page.page.route("**/call.js", lambda route: route.abort())
    page = reloaded(page)
    page.button("Start conversation").click()
    page.alert.get_by_text("The connection was lost.").wait_for()
    page.page.unroute("**/call.js")
    page.button("Try again").click()
    page.wait_for_state("listening")
    page.stop()


def test_a_visitor_who_stops_while_the_parts_load_has_no_call(visit, signals_seen):
    make_widget()
    page = visit("support")
    held = []
    page.page.route("**/call.js", lambda route: held.append(route))
    page = reloaded(page)
    page.button("Start conversation").click()
    page.wait_for_state("connecting")
    page.button("End conversation").click()
    page.wait_for_state("idle")
    for route in held:
        route.continue_()
    page.page.wait_for_function(ALL_LOADED, arg=["/call.js", "/session.js"])
    page.wait_for_state("idle")
    assert page.probe("sent") == []
    assert signals_seen.count("session_started") == 0
