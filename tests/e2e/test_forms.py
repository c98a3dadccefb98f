"""Where a widget stands, and what visitors may do beside talking."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.app.rows import make_widget

WIDGET = "document.querySelector('realtime-widget')"
PHONE = {
    "viewport": {"width": 320, "height": 640},
    "is_mobile": True,
    "has_touch": True,
}
DESKTOP = {"viewport": {"width": 1000, "height": 700}}
MARGIN = 16


def floating(**fields):
    """Return a saved widget that floats."""
    return make_widget(
        form="floating", text_only=True, tools=["opening_hours"], **fields
    )


def opened(page):
    """Open the widget by its launcher."""
    page.page.get_by_role("button", name=re.compile("Open the assistant")).click()
    page.page.locator("realtime-widget .panel").wait_for()


def launcher(page):
    """Return the button that opens the widget."""
    return page.page.locator("realtime-widget .launcher")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize(
    "corner",
    [
        f"{row}-{side}"
        for row in ("top", "middle", "bottom")
        for side in ("start", "end")
    ],
)
def test_it_floats_in_its_corner(visit, corner, direction):
    floating(corner=corner)
    page = visit("support", **DESKTOP)
    page.page.evaluate(
        f"(dir) => {{ document.documentElement.dir = dir; {WIDGET}.dir = dir; }}",
        direction,
    )
    for opens in (False, True):
        if opens:
            opened(page)
        part = ".panel" if opens else ".launcher"
        box = page.page.locator(f"realtime-widget {part}").bounding_box()
        row, side = corner.split("-")
        at_left = (side == "start") == (direction == "ltr")
        x = MARGIN if at_left else 1000 - MARGIN - box["width"]
        y = {
            "top": MARGIN,
            "middle": (700 - box["height"]) / 2,
            "bottom": 700 - MARGIN - box["height"],
        }[row]
        assert (box["x"], box["y"]) == pytest.approx((x, y), abs=1)


def test_it_is_opened_and_put_back_by_keyboard_and_the_focus_goes_along(visit):
    floating()
    page = visit("support", **DESKTOP)
    launcher(page).focus()
    assert launcher(page).get_attribute("aria-expanded") == "false"
    page.page.keyboard.press("Enter")
    assert page.page.get_by_role("textbox").evaluate("(box) => box.matches(':focus')")
    page.page.keyboard.press("Escape")
    assert not page.page.locator("realtime-widget .panel").is_visible()
    assert launcher(page).evaluate("(button) => button.matches(':focus')")


def test_put_back_it_goes_on_talking(visit):
    floating()
    page = visit("support", **DESKTOP)
    opened(page)
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.button("Minimize").click()
    assert launcher(page).get_attribute("data-talks") == "true"
    assert "Listening" in launcher(page).get_attribute("aria-label")
    page.page.evaluate(f"() => {WIDGET}.sendMessage('When are you open on Friday?')")
    opened(page)
    page.wait_received("transcript", role="assistant", final=True, count=2)
    assert page.received("session.stopped") == []


def test_it_remembers_that_it_was_open(visit):
    floating()
    page = visit("support", **DESKTOP)
    opened(page)
    page.page.reload()
    page.page.locator("realtime-widget .panel").wait_for()
    page.button("Minimize").click()
    page.page.reload()
    launcher(page).wait_for()
    assert not page.page.locator("realtime-widget .panel").is_visible()


def test_it_can_be_put_away_until_the_tab_is_closed(visit):
    floating(dismissible=True)
    page = visit("support", **DESKTOP)
    opened(page)
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.button("Close").click()
    assert not page.widget.is_visible()
    page.wait_received("session.stopped")
    page.page.reload()
    page.page.wait_for_function(f"() => {WIDGET}.shadowRoot")
    assert not page.widget.is_visible()


def test_storage_that_is_forbidden_is_lived_with(visit):
    floating()
    page = visit("support", **DESKTOP)
    page.page.evaluate(
        "() => Object.defineProperty(window, 'sessionStorage',"
        " { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    opened(page)
    page.button("Minimize").click()
    assert launcher(page).is_visible()


def test_full_one_is_open_from_the_start_and_bar_shows_its_title(visit):
    floating(launcher="full", slug="support")
    make_widget("bar", form="floating", launcher="compact", title="Ask Ada")
    page = visit("support", **DESKTOP)
    page.page.locator("realtime-widget .panel").wait_for()
    bar = visit("bar", **DESKTOP)
    assert launcher(bar).inner_text() == "Ask Ada"


def test_whole_page_is_filled(visit):
    make_widget(form="page", text_only=True)
    page = visit("support", **DESKTOP)
    box = page.page.locator("realtime-widget .panel").bounding_box()
    assert (box["width"], box["height"]) == (1000, 700)


def test_unseen_one_works_by_its_methods(visit):
    make_widget(form="headless", text_only=True, tools=["opening_hours"])
    page = visit("support")
    page.page.wait_for_function(f"() => {WIDGET}.shadowRoot")
    assert not page.widget.is_visible()
    page.page.evaluate(f"() => {WIDGET}.sendMessage('When are you open on Monday?')")
    page.wait_received("transcript", role="assistant", final=True)


def test_page_chooses_form_and_corner_on_the_tag(visit):
    make_widget()
    page = visit("support", **DESKTOP)
    page.page.evaluate(
        f"""() => {{
          const element = {WIDGET};
          element.setAttribute("form", "floating");
          element.setAttribute("corner", "top-end");
          element.config = {{ ...element.config }};
        }}"""
    )
    launcher(page).wait_for()
    assert launcher(page).bounding_box()["y"] == MARGIN


@pytest.mark.parametrize("opens", [False, True])
@pytest.mark.parametrize("skin", ["panel", "classic"])
@pytest.mark.parametrize(
    "look", [DESKTOP, PHONE, {"color_scheme": "dark"}, {"forced_colors": "active"}]
)
def test_floating_widget_has_no_violation_and_large_targets(visit, look, skin, opens):
    floating(
        skin=skin,
        dismissible=True,
        launcher="compact",
        suggestions=["When are you open?", "Where are you?"],
        transcript_tools=True,
    )
    page = visit("support", **look)
    launcher(page).wait_for()
    if opens:
        opened(page)
    results = Axe().run(page.page)
    assert results.violations_count == 0, results.generate_report()
    small = page.page.locator("realtime-widget button:visible").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect())"
        ".filter(({ width, height }) => width < 44 || height < 44).length"
    )
    assert small == 0
    wide = page.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    assert not wide


# --- beside talking ------------------------------------------------------------------


def test_suggestion_is_asked_and_gone(visit):
    make_widget(
        text_only=True,
        suggestions=["When are you open on Monday?"],
        tools=["opening_hours"],
    )
    page = visit("support")
    page.button("When are you open on Monday?").click()
    page.wait_for_answer("9|17")
    assert page.sent("message")[0]["text"] == "When are you open on Monday?"
    assert page.button("When are you open on Monday?").count() == 0


def test_transcript_is_copied_and_downloaded(visit):
    make_widget(text_only=True, transcript_tools=True, tools=["opening_hours"])
    page = visit("support", permissions=["clipboard-read", "clipboard-write"])
    assert page.button("Copy").count() == 0
    page.write("When are you open on Monday?")
    answer = page.wait_for_answer("9|17")
    page.wait_for_state("listening")
    page.button("Copy").click()
    page.button("Copied").wait_for()
    copied = page.page.evaluate("() => navigator.clipboard.readText()")
    assert copied.splitlines()[0] == "You: When are you open on Monday?"
    assert f"Assistant: {answer}" in copied
    with page.page.expect_download() as download:
        page.button("Download").click()
    assert download.value.suggested_filename == "Help.txt"
    assert Path(download.value.path()).read_text() == copied


def test_copy_that_the_page_forbids_becomes_a_file(visit):
    make_widget(text_only=True, transcript_tools=True, tools=["opening_hours"])
    page = visit("support")
    page.page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(1); }"
    )
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    with page.page.expect_download() as download:
        page.button("Copy").click()
    assert download.value.suggested_filename == "Help.txt"


def test_button_silences_the_answer(visit):
    make_widget(tools=["opening_hours"])
    page = visit("support")
    page.start()
    assert page.button("Stop talking").count() == 0
    page.write("When are you open on Monday?")
    page.button("Stop talking").click()
    page.page.wait_for_function(
        "() => __probe.sent.some((message) => message.type === 'interrupt')"
    )
    page.wait_for_state("listening")
    assert page.button("Stop talking").count() == 0


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("See https://a.example/x.", ["https://a.example/x"]),
        ("(https://a.example/x), http://b.example/?q=1#z!", ["https://a.example/x", "http://b.example/?q=1#z"]),
        ("https://a.example/x_(y)", ["https://a.example/x_(y)"]),
        ("javascript:alert(1) data:text/html,x ftp://a.example", []),
        ("https://user:pass@a.example/", []),
        ("https://localhost/", []),
        ('https://a.example/"onclick="1 <b>x</b>', ["https://a.example/"]),
    ],
)  # fmt: skip
def test_links_in_words_are_safe(visit, text, links):
    make_widget(text_only=True)
    page = visit("support")
    found = page.page.evaluate(
        """async (text) => {
          const { withLinks } = await import("/static/realtime_widget/views/links.js");
          const box = document.createElement("p");
          box.append(...withLinks(text));
          return [box.textContent, [...box.querySelectorAll("*")].map((a) =>
            [a.localName, a.getAttribute("href"), a.rel, a.target])];
        }""",
        text,
    )
    rel = "noopener noreferrer nofollow ugc"
    assert found == [text, [["a", link, rel, "_blank"] for link in links]]


def test_address_that_was_written_is_a_link_in_the_log(visit):
    make_widget(text_only=True)
    page = visit("support")
    page.write("Look at https://shop.example/bikes please")
    link = page.log.get_by_role("link", name="https://shop.example/bikes")
    link.wait_for()
    assert link.get_attribute("rel") == "noopener noreferrer nofollow ugc"
