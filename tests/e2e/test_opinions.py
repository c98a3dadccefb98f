"""A visitor agrees before the start, and says what the answers were worth."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from realtime_widget.models import Consent, Feedback
from tests.app.rows import make_widget

WORDS = "We record what you say. See https://shop.example/privacy."
LOOKS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 320, "height": 640}, "is_mobile": True},
    "forced-colors": {"forced_colors": "active"},
}


def assert_accessible(page):
    """Fail with axe's own words where the page breaks a rule or a button is small."""
    results = Axe().run(page.page)
    assert results.violations_count == 0, results.generate_report()
    small = page.page.locator("realtime-widget button:visible").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect())"
        ".filter(({ width, height }) => width < 44 || height < 44).length"
    )
    assert small == 0


@pytest.mark.parametrize("look", LOOKS)
def test_notice_is_read_and_agreed_to_before_anything_is_sent(visit, look):
    make_widget(text_only=True, consent_text=WORDS, tools=["opening_hours"])
    page = visit("support", **LOOKS[look])
    page.write("When are you open on Monday?")
    notice = page.page.get_by_role("group", name="Before you start")
    notice.get_by_text("We record what you say.").wait_for()
    assert (
        notice.get_by_role("link").get_attribute("href")
        == "https://shop.example/privacy"
    )
    assert page.button("Agree and start").evaluate(
        "(button) => button.matches(':focus')"
    )
    assert page.sent("session.start") == []
    assert_accessible(page)
    page.page.keyboard.press("Enter")
    page.wait_for_answer("9|17")
    consent = Consent.objects.get()
    assert consent.words == WORDS
    assert notice.count() == 0


def test_who_does_not_agree_starts_nothing_and_may_think_again(visit):
    make_widget(consent_text=WORDS)
    page = visit("support")
    page.button("Start conversation").click()
    page.button("Not now").click()
    assert page.widget.get_attribute("state") == "idle"
    assert not Consent.objects.exists()
    page.button("Start conversation").click()
    page.button("Agree and start").click()
    page.wait_for_state("listening")
    assert Consent.objects.count() == 1


def test_agreement_holds_in_the_tab_until_the_words_change(visit):
    widget = make_widget(text_only=True, consent_text=WORDS, tools=["opening_hours"])
    page = visit("support")
    page.write("When are you open on Monday?")
    page.button("Agree and start").click()
    page.wait_for_answer("9|17")
    page.page.reload()
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    assert Consent.objects.count() == 2
    widget.consent_text = "Other words"
    widget.save()
    page.page.reload()
    page.write("When are you open on Friday?")
    page.button("Agree and start").wait_for()


def test_words_that_changed_under_the_page_are_told(visit):
    widget = make_widget(text_only=True, consent_text=WORDS)
    page = visit("support")
    widget.consent_text = "Other words"
    widget.save()
    page.write("Hello?")
    page.button("Agree and start").click()
    page.alert.get_by_text("Please read the notice").wait_for()
    assert not Consent.objects.exists()


@pytest.mark.parametrize("look", LOOKS)
def test_answer_gets_a_thumb_and_the_end_a_comment(visit, look):
    make_widget(text_only=True, feedback=True, tools=["opening_hours"])
    page = visit("support", **LOOKS[look])
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    up = page.log.get_by_role("button", name="Good answer")
    up.click()
    page.page.wait_for_function(
        "() => document.querySelector('realtime-widget').shadowRoot"
        ".querySelector('.thumb.up').getAttribute('aria-pressed') === 'true'"
    )
    answer = Feedback.objects.get()
    assert answer.rating == "up"
    assert (
        answer.item_id == page.received("transcript", role="assistant")[-1]["item_id"]
    )
    assert_accessible(page)
    page.page.evaluate("() => document.querySelector('realtime-widget').stop()")
    page.page.get_by_role("textbox", name="Your comment").fill("Quick & kind <b>")
    assert_accessible(page)
    page.page.locator("realtime-widget .opinion").get_by_role(
        "button", name="Send", exact=True
    ).click()
    page.page.get_by_text("Thank you for your opinion.").wait_for()
    whole = Feedback.objects.get(item_id="")
    assert (whole.rating, whole.comment) == ("", "Quick & kind <b>")


def test_opinion_of_an_answer_goes_to_the_session_that_gave_it(visit, settings):
    settings.REALTIME_WIDGET = {"KEEP_UPSTREAM_S": 0}
    make_widget(text_only=True, feedback=True, tools=["opening_hours"])
    page = visit("support")
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    (first,) = page.received("session.started")
    answer = page.received("transcript", role="assistant")[-1]
    page.page.reload()
    again = page.wait_received("session.started")
    assert again["session_id"] != first["session_id"]
    up = page.log.get_by_role("button", name="Good answer")
    up.click()
    page.page.wait_for_function(
        "() => document.querySelector('realtime-widget').shadowRoot"
        ".querySelector('.thumb.up').getAttribute('aria-pressed') === 'true'"
    )
    feedback = Feedback.objects.get()
    assert str(feedback.conversation_id) == first["session_id"]
    assert feedback.item_id == answer["item_id"]


def test_widget_that_does_not_ask_has_no_thumbs(visit):
    make_widget(text_only=True, suggestions=["Hello?"], tools=["opening_hours"])
    page = visit("support")
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    assert page.log.get_by_role("button").count() == 0


def test_a_thumb_alone_is_an_opinion_and_nothing_at_all_is_none(visit):
    make_widget(text_only=True, feedback=True, tools=["opening_hours"])
    page = visit("support")
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.stop()
    opinion = page.page.locator("realtime-widget .opinion")
    send = opinion.get_by_role("button", name="Send", exact=True)
    send.click()
    comment = page.page.get_by_role("textbox", name="Your comment")
    assert comment.evaluate("(box) => box.matches(':focus')")
    assert not Feedback.objects.exists()
    opinion.locator(".thumb.down").click()
    send.click()
    page.page.get_by_text("Thank you for your opinion.").wait_for()
    whole = Feedback.objects.get()
    assert (whole.item_id, whole.rating, whole.comment) == ("", "down", "")
