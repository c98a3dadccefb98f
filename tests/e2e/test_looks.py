"""The ready looks and the orb: readable in every state, movable by the page, calm on wish."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from realtime_widget.models import Widget
from tests.app.rows import make_widget

WIDGET = "document.querySelector('realtime-widget')"
ACCENT = (
    f"() => getComputedStyle({WIDGET}.shadowRoot.querySelector('.toggle'))"
    ".backgroundColor"
)
EDGE = f"() => {WIDGET}.shadowRoot.querySelector('.orb path').getAttribute('d')"
QUESTION = "When are you open on Monday?"


def assert_accessible(page, state):
    """Fail with axe's own words where the page breaks a rule."""
    results = Axe().run(page.page)
    assert results.violations_count == 0, f"{state}\n{results.generate_report()}"


def accent(page):
    """Return the colour of the start button, once it rests."""
    page.page.wait_for_function(
        f"() => {WIDGET}.shadowRoot?.querySelector('.toggle')"
        "?.getAnimations().every((one) => one.playState === 'finished')"
    )
    return page.page.evaluate(ACCENT)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("look", Widget.Look.values)
def test_every_look_is_readable_in_every_state(visit, look, scheme):
    widget = make_widget(
        look=look,
        text_only=True,
        feedback=True,
        transcript_tools=True,
        suggestions=[QUESTION],
        consent_text="We keep what is said for a week.",
        tools=["opening_hours"],
    )
    page = visit("support", color_scheme=scheme, reduced_motion="reduce")
    page.button(QUESTION).wait_for()
    assert_accessible(page, "idle")
    page.button(QUESTION).click()
    page.button("Agree and start").wait_for()
    assert_accessible(page, "consent")
    page.button("Agree and start").click()
    page.wait_for_answer("9|17")
    assert_accessible(page, "conversation")
    page.stop()
    page.page.get_by_text("How was it?").wait_for()
    assert_accessible(page, "opinion")
    widget.enabled = False
    widget.save()
    page.page.get_by_role("textbox", name="Type a message").fill("Hello?")
    page.page.keyboard.press("Enter")
    page.alert.get_by_text("not available here").wait_for()
    assert_accessible(page, "error")


def test_looks_differ_and_the_page_goes_over_them(visit):
    make_widget(look="ocean")
    page = visit("support", color_scheme="light")
    page.button("Start conversation").wait_for()
    assert accent(page) == "rgb(11, 92, 173)"
    page.page.evaluate(f"() => {WIDGET}.style.setProperty('--rw-accent', '#123456')")
    assert accent(page) == "rgb(18, 52, 86)"


def test_page_changes_the_look_and_the_call_goes_on(visit):
    make_widget(look="ocean", text_only=True, tools=["opening_hours"])
    page = visit("support", color_scheme="light")
    page.write(QUESTION)
    page.wait_for_answer("9|17")
    for change in (
        f"() => {WIDGET}.setAttribute('look', 'berry')",
        f"() => {WIDGET}.updateConfig({{ look: 'ink' }})",
        f"() => {WIDGET}.setAttribute('look', 'plain')",
    ):
        before = page.page.evaluate(
            f"() => getComputedStyle({WIDGET}.shadowRoot.querySelector('.send')).color"
        )
        page.page.evaluate(change)
        page.page.wait_for_function(
            f"(before) => getComputedStyle({WIDGET}.shadowRoot.querySelector('.send'))"
            ".color !== before",
            arg=before,
        )
    assert page.received("session.stopped") == []


def test_orb_moves_with_the_answer_and_rests_after_it(visit):
    make_widget(figure="orb", tools=["opening_hours"])
    page = visit("support")
    page.button("Start conversation").wait_for()
    rest = page.page.evaluate(EDGE)
    page.start()
    page.write(QUESTION)
    page.page.wait_for_function(f"(rest) => ({EDGE})() !== rest", arg=rest)
    assert page.page.locator("realtime-widget img").count() == 0
    page.stop()
    page.page.wait_for_function(f"(rest) => ({EDGE})() === rest", arg=rest)


def test_orb_stays_calm_for_who_asked_for_it(visit):
    make_widget(figure="orb", tools=["opening_hours"])
    page = visit("support", reduced_motion="reduce")
    page.button("Start conversation").wait_for()
    rest = page.page.evaluate(EDGE)
    page.start()
    page.write(QUESTION)
    page.wait_for_state("speaking")
    assert page.page.evaluate(EDGE) == rest
    page.wait_for_answer("9|17")
    assert page.page.evaluate(EDGE) == rest
    assert_accessible(page, "conversation with an orb")
