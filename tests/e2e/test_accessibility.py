"""No violation that axe can find, in any state and look."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.app.rows import make_widget

LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 320, "height": 640}, "is_mobile": True},
    "forced-colors": {"forced_colors": "active"},
}


def assert_accessible(page):
    """Fail with axe's own words where the page breaks a rule."""
    results = Axe().run(page.page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("look", LOOKS)
def test_idle_widget_has_no_violation(visit, look):
    make_widget()
    assert_accessible(visit("support", **LOOKS[look]))


@pytest.mark.parametrize("look", LOOKS)
def test_widget_in_conversation_has_no_violation(visit, look):
    make_widget(tools=["opening_hours"])
    page = visit("support", **LOOKS[look])
    page.start()
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    assert_accessible(page)


@pytest.mark.parametrize("look", LOOKS)
def test_text_only_widget_has_no_violation(visit, look):
    make_widget(text_only=True)
    assert_accessible(visit("support", **LOOKS[look]))


@pytest.mark.parametrize("look", LOOKS)
def test_widget_with_an_error_has_no_violation(visit, look):
    widget = make_widget(text_only=True)
    page = visit("support", **LOOKS[look])
    widget.enabled = False
    widget.save()
    page.write("Hello?")
    page.alert.get_by_text("not available here").wait_for()
    assert_accessible(page)
