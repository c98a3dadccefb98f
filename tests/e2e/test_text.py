"""The same journey without voice, and what happens when voice is not to be had."""

from __future__ import annotations

import json

import pytest

from realtime_widget.models import Conversation, Provider
from tests.app.rows import make_widget
from tests.e2e.upstreams import RefusingServer


def test_text_only_session_answers_by_the_sites_own_function(
    visit, mira, upstreams, signals_seen
):
    make_widget(text_only=True, tools=["order_status"])
    page = visit("support", user=mira)
    page.write("Where is my order 1042?")
    page.wait_for_answer("shipped")
    page.stop()

    conversation = Conversation.objects.get()
    assert conversation.user == mira
    call = conversation.tool_calls.get()
    assert json.loads(call.arguments) == {"order_number": "1042"}
    assert [(i.role, i.source, i.status) for i in conversation.items.all()] == [
        ("user", "text", "completed"),
        ("assistant", "text", "completed"),
    ]
    assert page.received("audio.start") == []
    signals_seen.wait_for("session_stopped")
    assert signals_seen.count("session_started") == 1
    assert signals_seen.count("session_stopped") == 1


def test_question_of_a_stranger_is_answered_without_a_user(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.stop()
    assert Conversation.objects.get().user is None


def test_words_are_shown_as_text_and_never_as_markup(visit):
    make_widget(text_only=True)
    page = visit("support")
    page.write("<img src=x onerror=alert(1)><b>hello</b>")
    page.log.get_by_text("<b>hello</b>").wait_for()
    assert (
        page.page.evaluate(
            "() => document.querySelector('realtime-widget').shadowRoot"
            ".querySelectorAll('[role=log] img, [role=log] b').length"
        )
        == 0
    )


def assert_explained_and_typing_works(page, words):
    """Fail unless the page says why there is no voice and answers in writing."""
    page.button("Start conversation").click()
    page.page.get_by_text(words).first.wait_for()
    page.write("Where is my order 1042?")
    page.wait_for_answer("shipped")


def test_denied_microphone_is_explained_and_typing_goes_on(
    visit, mira, chromium_that_denies
):
    make_widget(tools=["order_status"])
    page = visit("support", user=mira, browser_program=chromium_that_denies)
    assert_explained_and_typing_works(page, "The microphone is blocked.")


def test_missing_microphone_is_explained_and_typing_goes_on(
    visit, mira, chromium_without_microphone
):
    make_widget(tools=["order_status"])
    page = visit("support", user=mira, browser_program=chromium_without_microphone)
    assert_explained_and_typing_works(page, "No microphone was found.")


def test_microphone_forbidden_by_the_page_is_explained_and_typing_goes_on(visit, mira):
    make_widget(tools=["order_status"])
    policy = {"permissions-policy": "microphone=()"}
    page = visit("support", user=mira, headers=policy)
    assert_explained_and_typing_works(page, "This page may not use the microphone.")


def test_provider_without_its_key_is_explained_and_can_be_tried_again(
    visit, monkeypatch
):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    provider = Provider.objects.create(
        name="Far", kind="openai", key_name="OPENAI_API_KEY"
    )
    widget = make_widget(text_only=True, tools=["opening_hours"], provider=provider)
    page = visit("support")
    page.write("When are you open on Monday?")
    page.alert.get_by_text("not set up").wait_for()
    provider.refresh_from_db()
    assert provider.health_state == "failing"
    assert "OPENAI_API_KEY" in provider.health_reason

    widget.provider = None
    widget.save()
    page.button("Try again").click()
    # What was typed before is not lost.
    page.wait_for_answer("09:00 to 17:30")


def test_provider_that_cannot_be_reached_is_explained(visit, settings):
    settings.REALTIME_WIDGET = {"UPSTREAM_HOSTS": ("127.0.0.1:9",)}
    provider = Provider.objects.create(
        name="Down", kind="compatible", base_url="ws://127.0.0.1:9/v1"
    )
    make_widget(text_only=True, provider=provider)
    page = visit("support")
    page.write("Hello?")
    page.alert.get_by_text("cannot be reached").wait_for()
    page.button("Try again").wait_for()


def test_provider_that_refuses_the_key_is_explained_and_staff_see_why(
    visit, settings, signals_seen
):
    with RefusingServer() as server:
        settings.REALTIME_WIDGET = {"UPSTREAM_HOSTS": (server.address,)}
        provider = Provider.objects.create(
            name="Strict", kind="compatible", base_url=f"ws://{server.address}/v1"
        )
        make_widget(text_only=True, provider=provider)
        page = visit("support")
        page.write("Hello?")
        page.alert.get_by_text("cannot be reached right now").wait_for()
        page.button("Try again").wait_for()
        page.wait_received("session.stopped", reason="upstream")
    provider.refresh_from_db()
    assert provider.health_state == "failing"
    assert provider.health_reason
    assert signals_seen.count("session_started") == 0


def test_model_lost_in_mid_call_is_replaced_and_the_visitor_goes_on(
    visit, mira, upstreams
):
    make_widget(text_only=True, tools=["order_status", "opening_hours"])
    page = visit("support", user=mira)
    page.write("Where is my order 1042?")
    page.wait_for_answer("shipped")
    upstreams[0].lose()
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.stop()
    assert len(upstreams) == 2
    assert len(page.received("session.started")) == 1
    assert Conversation.objects.get().items.count() == 4


def test_model_lost_in_mid_call_is_explained_and_nothing_said_is_lost(
    visit, mira, upstreams, signals_seen, settings
):
    settings.REALTIME_WIDGET = {"RECONNECT_S": 0.0}
    make_widget(text_only=True, tools=["order_status"])
    page = visit("support", user=mira)
    page.write("Where is my order 1042?")
    page.wait_for_answer("shipped")
    upstreams[0].lose()
    page.alert.get_by_text("was lost").wait_for()
    page.button("Try again").wait_for()

    stopped = signals_seen.wait_for("session_stopped")
    assert (stopped["reason"], stopped["error_code"]) == ("upstream", "upstream_lost")
    assert signals_seen.count("session_stopped") == 1
    assert Conversation.objects.get().items.count() == 2


@pytest.mark.parametrize(
    "options", [{"color_scheme": "light"}, {"color_scheme": "dark"}]
)
def test_two_widgets_on_one_page_keep_apart(visit, options):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support", **options)
    page.page.evaluate(
        """() => {
          const first = document.querySelector("realtime-widget");
          first.after(first.cloneNode(true));
        }"""
    )
    second = page.widget.nth(1)
    second.get_by_role("textbox").fill("When are you open on Monday?")
    second.get_by_role("button", name="Send", exact=True).click()
    second.get_by_text("17", exact=False).first.wait_for()
    assert page.widget.nth(0).get_by_text("17", exact=False).count() == 0
