"""The widget in a frame of another site, and by one line of script."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from realtime_widget.models import Conversation
from tests.app.rows import make_widget
from tests.e2e.foreign import ForeignSite

FRAMED = """<!doctype html>
<html lang="en">
  <title>Another site</title>
  <iframe src="{site}/realtime/widgets/support/frame" title="Assistant"
          allow="microphone; autoplay" width="380" height="560"></iframe>
</html>
"""
ONE_LINE = """<!doctype html>
<html lang="en">
  <title>Another site</title>
  <script type="module" src="{site}/realtime/embed.js?widget=support"></script>
</html>
"""


@pytest.fixture
def foreign(visit, asgi_server):
    """Return a function that opens a page of another site."""
    with ExitStack() as sites:

        def open_page(html, policy, *, allowed=True, user=None, **fields):
            page = html.format(site=asgi_server.url)
            policy = policy.format(site=asgi_server.url, socket=asgi_server.ws_url)
            files = {"/": ("text/html", page)}
            site = sites.enter_context(ForeignSite(files, policy))
            origin = site.origin("localhost")
            make_widget(allowed_origins=[origin] if allowed else [], **fields)
            return visit("support", user=user, address=f"{origin}/")

        yield open_page


def test_framed_widget_talks_and_acts_for_nobody(foreign, mira, signals_seen):
    page = foreign(
        FRAMED,
        "default-src 'none'; frame-src {site}",
        user=mira,
        tools=["opening_hours"],
    )
    frame = page.page.frame_locator("iframe")
    frame.get_by_role("button", name="Start conversation").click()
    frame.locator("realtime-widget[state=listening]").wait_for(timeout=25_000)
    frame.get_by_role("textbox").fill("When are you open on Monday?")
    frame.get_by_role("button", name="Send", exact=True).click()
    frame.get_by_role("log").get_by_text("9").last.wait_for(timeout=25_000)
    frame.get_by_role("button", name="End conversation").click()
    signals_seen.wait_for("session_stopped")
    conversation = Conversation.objects.get()
    assert conversation.user is None
    assert conversation.tool_calls.get().status == "completed"


def test_framed_widget_fills_its_frame(foreign):
    page = foreign(FRAMED, "default-src 'none'; frame-src {site}", form="floating")
    panel = page.page.frame_locator("iframe").locator("realtime-widget .panel")
    panel.wait_for()
    box = panel.bounding_box()
    assert (box["width"], box["height"]) == pytest.approx((380, 560), abs=1)


def test_page_that_is_not_allowed_may_not_frame_it(foreign):
    page = foreign(FRAMED, "default-src 'none'; frame-src {site}", allowed=False)
    page.page.locator("iframe").wait_for()
    page.page.wait_for_load_state("load")
    inside = page.page.frames[-1]
    assert inside.locator("realtime-widget").count() == 0


def test_one_line_adds_the_widget(foreign):
    page = foreign(
        ONE_LINE,
        "default-src 'none'; script-src {site}; connect-src {site} {socket};"
        " img-src {site}",
        form="floating",
        text_only=True,
        tools=["opening_hours"],
    )
    page.page.get_by_role("button", name="Open the assistant: Help").click()
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
