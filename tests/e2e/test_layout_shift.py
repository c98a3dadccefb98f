"""The page stands still while the widget comes, and its words stand well without it."""

from __future__ import annotations

import pytest

from tests.app.rows import make_widget

SHIFTS = """
window.shifts = [];
const note = (entries) => window.shifts.push(...entries.map(({ value }) => value));
const watching = new PerformanceObserver((list) => note(list.getEntries()));
watching.observe({ type: "layout-shift", buffered: true });
window.shifted = () => {
  note(watching.takeRecords());
  return window.shifts.reduce((sum, value) => sum + value, 0);
};
"""
PAINTED = """() => performance.getEntriesByName("first-contentful-paint").length > 0"""
BUILT = "() => document.querySelector('realtime-widget')?.shadowRoot"
# What was laid out last is drawn, and its shift is reported.
DRAWN = """() => new Promise((done) => requestAnimationFrame(() =>
  requestAnimationFrame(() => setTimeout(done, 0))))"""
MODULE = "**/realtime-widget.js"
STYLES = "**/realtime-widget.css"
LATE_MS = 500
STILL = 0.001
FORMS = {
    "inline": {},
    "inline-with-extras": {"feedback": True, "suggestions": ["When are you open?"]},
    "classic": {"skin": "classic"},
    "text": {"text_only": True},
    "look": {"look": "paper", "figure": "orb"},
    "bubble": {"form": "floating"},
    "full": {"form": "floating", "launcher": "full"},
    "page": {"form": "page"},
    "headless": {"form": "headless"},
}


def shift(page):
    """Return how far the page moved while its widget came half a second late."""
    late = []
    page.context.add_init_script(SHIFTS)
    page.page.route(MODULE, lambda route: late.append(route))
    page.page.reload(wait_until="commit")
    page.page.wait_for_function(PAINTED)
    page.page.wait_for_timeout(LATE_MS)
    before = page.page.locator("footer").bounding_box()
    for route in late:
        route.continue_()
    page.page.wait_for_function(BUILT)
    page.page.evaluate(DRAWN)
    assert late
    after = page.page.locator("footer").bounding_box()
    return page.page.evaluate("() => shifted()"), after["y"] - before["y"]


@pytest.mark.parametrize("form", FORMS)
def test_nothing_moves_when_the_widget_comes_late(visit, form):
    make_widget(**FORMS[form])
    moved, footer_px = shift(visit("support"))
    assert moved < STILL
    assert footer_px == 0


def test_nothing_moves_on_a_narrow_phone_where_the_page_gives_the_height(visit):
    make_widget()
    page = visit("support", viewport={"width": 320, "height": 640})
    page.context.add_init_script(
        "document.addEventListener('readystatechange', () =>"
        " document.documentElement.style.setProperty('--rw-height', '430px'),"
        " { once: true });"
    )
    moved, footer_px = shift(page)
    assert moved < STILL
    assert footer_px == 0
    assert page.widget.bounding_box()["height"] == 430


def test_a_page_that_refuses_the_style_sheet_has_its_widget_all_the_same(visit):
    make_widget()
    page = visit("support")
    page.page.route(STYLES, lambda route: route.abort())
    moved, footer_px = shift(page)
    # What the style sheet is for; and that a shift would be seen.
    assert moved > STILL
    assert footer_px > 100
    page.button("Start conversation").wait_for()


@pytest.mark.parametrize("form", ["inline", "bubble", "page"])
def test_words_stand_as_a_paragraph_without_scripts(
    chromium, asgi_server, transactional_db, form
):
    make_widget(**FORMS[form])
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{asgi_server.url}/page/support/")
    words = page.get_by_text("Please turn on JavaScript")
    assert words.is_visible()
    box = words.bounding_box()
    below = page.locator("footer p").bounding_box()
    assert 0 < below["y"] - box["y"] - box["height"] < 60
    context.close()


def test_words_are_not_seen_while_scripts_come_and_are_when_they_do_not(visit):
    make_widget()
    page = visit("support")
    page.page.route(MODULE, lambda route: route.abort())
    page.page.reload()
    words = page.page.get_by_text("Please turn on JavaScript")
    assert not words.is_visible()
    words.wait_for(timeout=10_000)
