"""The widget on a page of another site, loaded and used across origins."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from realtime_widget.models import Conversation
from tests.app.rows import make_widget
from tests.e2e.foreign import ForeignSite

PAGE = """<!doctype html>
<html lang="{language}">
  <title>Another site</title>
  <script type="module" src="{site}/realtime/embed.js"></script>
  <script src="/refused.js"></script>
  <realtime-widget src="{site}/realtime/widgets/support/config">
    <p>Call us: 555 0100</p>
  </realtime-widget>
</html>
"""
LISTENER = """
addEventListener("realtime-widget:error", ({ detail }) => { window.refused = detail; });
"""


def policy_of(server):
    """Return the policy that docs/howto/embed.md tells such a page to have."""
    return (
        f"default-src 'self'; script-src 'self' {server.url};"
        f" connect-src {server.url} {server.ws_url}; img-src {server.url}"
    )


@pytest.fixture
def visit_foreign(visit, asgi_server):
    """Return a function that opens a page of another site which shows the widget."""
    with ExitStack() as sites:

        def open_page(*, host, allowed=True, user=None, language="en", **fields):
            html = PAGE.format(site=asgi_server.url, language=language)
            files = {
                "/": ("text/html", html),
                "/refused.js": ("text/javascript", LISTENER),
            }
            site = sites.enter_context(ForeignSite(files, policy_of(asgi_server)))
            origin = site.origin(host)
            make_widget(allowed_origins=[origin] if allowed else [], **fields)
            return visit("support", user=user, address=f"{origin}/")

        yield open_page


# A cookie knows no port: 127.0.0.1 is the same site by another port, and there the
# browser does send the visitor's cookie along with the socket.
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_page_of_another_site_completes_a_turn_for_nobody(
    visit_foreign, mira, signals_seen, host
):
    page = visit_foreign(host=host, user=mira, text_only=True, tools=["opening_hours"])
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.stop()
    # Told once the rows are written.
    signals_seen.wait_for("session_stopped")
    conversation = Conversation.objects.get()
    assert conversation.origin == page.url.rstrip("/")
    assert conversation.user is None
    assert conversation.tool_calls.get().status == "completed"
    assert page.page.get_by_text("Call us").is_hidden()


def test_page_of_another_site_has_the_microphone_and_the_worklets(
    visit_foreign, signals_seen
):
    page = visit_foreign(host="localhost", tools=["opening_hours"])
    page.start()
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.wait_received("audio.start")
    page.page.wait_for_function(
        "() => document.querySelector('realtime-widget').getStats().playedMs > 0"
    )
    assert page.stats()["sentFrames"] > 0
    page.stop()
    signals_seen.wait_for("session_stopped")


def test_widget_speaks_the_language_of_the_page(visit_foreign):
    page = visit_foreign(host="localhost", language="de")
    page.button("Gespräch beginnen").wait_for()


def test_page_that_is_not_allowed_keeps_its_own_words(visit_foreign):
    page = visit_foreign(host="localhost", allowed=False)
    page.page.wait_for_function("() => window.refused")
    assert page.page.evaluate("() => window.refused") == {
        "code": "connection_lost",
        "message": "",
        "retryable": True,
        "fatal": True,
    }
    assert page.page.get_by_text("Call us: 555 0100").is_visible()
    assert page.page.get_by_role("button").count() == 0
    assert Conversation.objects.count() == 0


ADD = """(src) => new Promise((resolve) => {
  const element = document.createElement("realtime-widget");
  element.id = "added";
  element.addEventListener("realtime-widget:error", ({ detail }) => resolve(detail));
  element.setAttribute("src", src);
  document.body.replaceChildren(element);
  setTimeout(() => resolve(null), 10_000);
})"""


def test_element_made_by_a_script_asks_again_at_a_right_address(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    refused = page.page.evaluate(ADD, "/realtime/widgets/no-such/config")
    assert (refused["code"], refused["fatal"]) == ("no_widget", True)
    assert refused["message"]
    page.page.evaluate(
        "() => added.setAttribute('src', '/realtime/widgets/support/config')"
    )
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")


def test_configuration_given_by_the_page_holds_over_one_that_comes_later(visit):
    make_widget(text_only=True, title="From the server")
    page = visit("support")
    title = page.page.evaluate(
        """async () => {
          const given = document.querySelector("realtime-widget").config;
          const later = { ok: true, json: async () => given };
          let answer;
          window.fetch = () => new Promise((resolve) => { answer = resolve; });
          const element = document.createElement("realtime-widget");
          element.setAttribute("src", "/realtime/widgets/support/config");
          document.body.append(element);
          element.config = { ...given, title: "From the page" };
          answer(later);
          // Whatever follows from the answer is done before the next task.
          await new Promise((resolve) => setTimeout(resolve, 0));
          return element.config.title;
        }"""
    )
    assert title == "From the page"
