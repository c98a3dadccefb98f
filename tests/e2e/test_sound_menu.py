"""Volume and devices, and the warning that a conversation ends soon."""

from __future__ import annotations

import json

from axe_playwright_python.sync_playwright import Axe

from tests.app.rows import make_widget

WIDGET = "document.querySelector('realtime-widget')"
PHONE = {"viewport": {"width": 320, "height": 640}, "is_mobile": True}


def menu_button(page):
    """Return the button that opens the menu."""
    return page.button("Volume and devices")


def menu(page):
    """Return the opened menu."""
    return page.page.get_by_role("group", name="Volume and devices")


def assert_accessible(page):
    """Fail with axe's own words where the page breaks a rule."""
    results = Axe().run(page.page)
    assert results.violations_count == 0, results.generate_report()


def test_visitor_sets_the_volume_and_it_is_kept(visit):
    make_widget()
    page = visit("support")
    assert menu_button(page).count() == 0
    page.start()
    menu_button(page).click()
    volume = page.page.get_by_role("slider", name="Volume")
    assert volume.evaluate("(slider) => slider.matches(':focus')")
    assert volume.get_attribute("aria-valuetext") == "100%"
    volume.fill("0.3")
    assert volume.get_attribute("aria-valuetext") == "30%"
    assert page.page.evaluate(f"() => {WIDGET}.volume") == 0.3
    page.page.reload()
    assert page.page.evaluate(f"() => {WIDGET}.volume") == 0.3


def test_visitor_chooses_a_microphone_and_the_call_goes_on(visit):
    make_widget()
    page = visit("support")
    page.start()
    menu_button(page).click()
    microphones = menu(page).get_by_role("combobox", name="Microphone")
    named = microphones.locator("option:not([value=''])")
    named.first.wait_for(state="attached")
    chosen = named.first.get_attribute("value")
    assert named.first.inner_text()
    before = page.stats()["sentFrames"]
    microphones.select_option(chosen)
    page.page.wait_for_function(
        "(before) => document.querySelector('realtime-widget').getStats().sentFrames"
        " > before + 10",
        arg=before,
    )
    devices = page.page.evaluate(f"() => {WIDGET}.devices()")
    assert devices["microphone"] == chosen
    assert page.received("session.stopped") == []


def test_menu_is_put_back_by_escape_and_gone_after_the_call(visit):
    make_widget(form="floating", launcher="full")
    page = visit("support")
    page.start()
    menu_button(page).click()
    assert menu_button(page).get_attribute("aria-expanded") == "true"
    assert_accessible(page)
    page.page.keyboard.press("Escape")
    assert not menu(page).is_visible()
    assert menu_button(page).evaluate("(button) => button.matches(':focus')")
    assert page.page.locator("realtime-widget .panel").is_visible()
    menu_button(page).click()
    page.stop()
    menu_button(page).wait_for(state="hidden")
    assert not menu(page).is_visible()


def test_menu_fits_a_narrow_phone(visit):
    make_widget()
    page = visit("support", **PHONE)
    page.start()
    menu_button(page).click()
    box = menu(page).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    assert_accessible(page)


def test_widget_without_the_menu_has_none(visit):
    make_widget(sound_menu=False)
    page = visit("support")
    page.start()
    page.write("Hello")
    page.wait_received("transcript", role="assistant", final=True)
    assert menu_button(page).count() == 0


def warned(page, **warning):
    """Let the server's side of the open socket say that the end is near."""
    page.page.evaluate(
        "(text) => __probe.socket"
        ".dispatchEvent(new MessageEvent('message', { data: text }))",
        json.dumps({"type": "warning", **warning}),
    )


def test_end_that_is_near_is_told_once_and_counted_down(visit):
    make_widget(text_only=True, tools=["opening_hours"], max_session_s=40)
    page = visit("support")
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.wait_received("warning", code="time_limit", timeout_ms=45_000)
    status = page.page.get_by_role("status").filter(has_text="ends soon")
    status.wait_for()
    assert status.inner_text() == "This conversation ends soon."
    clock = page.page.locator("realtime-widget .clock")
    assert clock.get_attribute("aria-hidden") == "true"
    first = clock.inner_text()
    page.page.wait_for_function(
        f"(first) => {WIDGET}.shadowRoot.querySelector('.clock').textContent !== first",
        arg=first,
    )
    assert status.inner_text() == "This conversation ends soon."
    assert_accessible(page)
    page.stop()
    assert not clock.is_visible()


def test_screen_reader_knows_the_region_before_its_words(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.page.evaluate(
        f"""() => {{
            const seen = window.__seen = [];
            const look = () => {{
                const region = {WIDGET}.shadowRoot.querySelector(".time-left span");
                const shown = region?.checkVisibility();
                if (shown && seen.at(-1) !== region.textContent)
                    seen.push(region.textContent);
            }};
            new MutationObserver(look).observe({WIDGET}.shadowRoot, {{
                subtree: true, childList: true, attributes: true, characterData: true,
            }});
        }}"""
    )
    warned(page, code="idle", left_s=20)
    page.page.wait_for_function("() => __seen.length === 2")
    words = "Are you still there? The conversation ends soon."
    assert page.page.evaluate("__seen") == ["", words]


def test_silence_that_ends_takes_its_warning_back(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    warned(page, code="idle", left_s=20)
    clock = page.page.locator("realtime-widget .clock")
    clock.wait_for()
    page.write("When are you open on Friday?")
    clock.wait_for(state="hidden")
    assert page.received("session.stopped") == []
