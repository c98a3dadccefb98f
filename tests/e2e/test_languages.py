"""The visitor's own language: words, direction, the recogniser and the agent follow."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.app.rows import make_widget

WIDGET = "document.querySelector('realtime-widget')"
NINE = ["en", "de", "fr", "es", "pt", "ja", "zh-hans", "ar", "hi"]


def languages(page, name="Language"):
    """Return the list of languages, by its name in the language that is shown."""
    found = page.page.get_by_role("combobox", name=name)
    found.wait_for()
    return found


def test_visitor_chooses_a_language_and_it_is_kept(visit):
    make_widget(languages=["en", "de", "ar"])
    page = visit("support", locale="en-US")
    assert languages(page).locator("option").all_inner_texts() == [
        "English",
        "Deutsch",
        "العربيّة",
    ]
    languages(page).select_option("de")
    page.button("Gespräch beginnen").wait_for()
    assert page.widget.get_attribute("lang") == "de"
    chosen = languages(page, "Sprache")
    assert chosen.input_value() == "de"
    assert chosen.evaluate("(select) => select.matches(':focus')")
    page.page.reload()
    page.button("Gespräch beginnen").wait_for()
    assert page.page.evaluate(f"() => {WIDGET}.language") == "de"


def test_direction_follows_and_nothing_breaks_a_rule(visit):
    make_widget(languages=NINE)
    page = visit("support", viewport={"width": 320, "height": 640})
    languages(page).select_option("ar")
    page.button("بدء المحادثة").wait_for()
    assert page.widget.evaluate("(host) => getComputedStyle(host).direction") == "rtl"
    box = languages(page, "اللغة").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    assert box["height"] >= 44
    results = Axe().run(page.page)
    assert results.violations_count == 0, results.generate_report()


def test_recogniser_and_agent_follow_in_a_call_that_runs(visit, upstreams):
    make_widget(languages=["en", "de"])
    page = visit("support")
    page.start()
    languages(page).select_option("de")
    page.button("Gespräch beenden").wait_for()
    page.page.wait_for_function(
        "() => __probe.sent.filter(({ type }) => type === 'session.start').length === 2"
    )
    assert page.sent("session.start")[-1]["language"] == "de"
    page.wait_for_state("listening")
    sessions = [
        event["session"]
        for upstream in upstreams
        for event in upstream.events_sent("session.update")
    ]
    heard = [one["audio"]["input"]["transcription"]["language"] for one in sessions]
    assert heard[0] == "en"
    assert heard[-1] == "de"
    assert "The visitor has chosen German" in sessions[-1]["instructions"]


def test_page_chooses_by_property_and_attribute(visit):
    make_widget(languages=["en", "fr"])
    page = visit("support")
    page.page.evaluate(f"() => {{ {WIDGET}.language = 'fr' }}")
    page.button("Démarrer la conversation").wait_for()
    page.page.evaluate(f"() => {{ {WIDGET}.language = 'xx' }}")
    page.page.evaluate(f"() => {{ {WIDGET}.language = 'en' }}")
    page.button("Start conversation").wait_for()
    page.page.evaluate(
        f"""() => {{
          const twin = {WIDGET}.cloneNode(true);
          twin.setAttribute("language", "fr");
          {WIDGET}.replaceWith(twin);
        }}"""
    )
    page.button("Démarrer la conversation").wait_for()


def test_words_that_cannot_be_loaded_leave_the_widget_as_it_is(visit):
    make_widget(languages=["en", "de"])
    page = visit("support")
    page.page.route("**/config?lang=de", lambda route: route.abort())
    languages(page).select_option("de")
    page.page.wait_for_function(
        f"() => {WIDGET}.shadowRoot.querySelector('.languages select').value === 'en'"
    )
    assert page.button("Start conversation").is_visible()


@pytest.mark.parametrize("chosen", [[], ["de"]])
def test_widget_with_one_language_shows_no_list(visit, chosen):
    make_widget(languages=chosen)
    page = visit("support")
    page.button("Start conversation").wait_for()
    assert page.page.get_by_role("combobox").count() == 0
