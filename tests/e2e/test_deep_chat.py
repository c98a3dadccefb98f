"""A page that used deep-chat's realtime element, with nothing but its tag changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.app.rows import make_widget

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "deep_chat"
WIDGET = "document.querySelector('realtime-widget')"
CONFIG = "/realtime/widgets/support/config"
MUTED_RED = "rgb(255, 212, 212)"


def sample(name):
    """Return an attribute's text as a page has it."""
    return (SAMPLES / f"{name}.json").read_text()


@pytest.fixture
def moved(visit):
    """Return a function that opens a page with the element and this attribute."""

    def open_page(direct_connection, *, auxiliary="", **options):
        page = visit("support", **options)
        page.console = []
        page.page.on("console", lambda line: page.console.append(line.text))
        page.page.evaluate(
            """([src, json, css]) => {
              const element = document.createElement("realtime-widget");
              element.setAttribute("src", src);
              element.setAttribute("directConnection", json);
              if (css) element.setAttribute("auxiliaryStyle", css);
              element.style.cssText = "border-radius: 8px; --rw-width: 320px; --rw-height: 350px";
              document.querySelector("realtime-widget").replaceWith(element);
            }""",
            [CONFIG, direct_connection, auxiliary],
        )
        page.page.locator("realtime-widget .panel.classic").wait_for()
        return page

    return open_page


def style(page, selector, name):
    """Return a computed style of something inside the element."""
    return page.page.locator(f"realtime-widget {selector}").evaluate(
        "(element, name) => getComputedStyle(element)[name]", name
    )


def box(page, selector):
    """Return where something inside the element is."""
    return page.page.locator(f"realtime-widget {selector}").bounding_box()


@pytest.mark.parametrize("text", ['{"openAI": {"realtime": true}}', sample("plain")])
def test_true_means_all_defaults(moved, text):
    make_widget()
    page = moved(text)
    assert box(page, ".avatar")["width"] == pytest.approx(110, abs=1)
    assert page.page.locator("realtime-widget .round:visible svg").count() == 2
    assert style(page, ".panel", "borderTopLeftRadius") == "8px"


def test_key_in_the_page_is_not_used_and_told(moved):
    make_widget()
    page = moved(sample("plain"))
    (told,) = [line for line in page.console if '"key"' in line]
    assert "revoke" in told
    assert "placeholder key" not in told


def test_ways_to_fetch_a_key_are_not_called_and_told(moved):
    make_widget(text_only=True, tools=["opening_hours"])
    page = moved(sample("plain"))
    page.page.evaluate(
        """() => {
          const element = document.querySelector("realtime-widget");
          element.directConnection = {openAI: {realtime: {
            ephemeralKey: "ek_1",
            autoFetchEphemeralKey: true,
            fetchEphemeralKey: () => { window.fetched = true; return "ek_2"; },
          }}};
        }"""
    )
    page.page.evaluate(
        f"() => {WIDGET}.methods.sendMessage('When are you open on Monday?')"
    )
    page.wait_for_answer("9")
    assert page.page.evaluate("() => window.fetched") is None
    assert any('"ephemeralKey", "fetchEphemeralKey"' in line for line in page.console)


def test_message_in_the_moment_of_a_change_is_said(moved):
    make_widget(text_only=True, tools=["opening_hours"])
    page = moved(sample("plain"))
    page.page.evaluate(
        f"""() => {{
          {WIDGET}.directConnection = {{openAI: {{realtime: {{}}}}}};
          {WIDGET}.methods.sendMessage("When are you open on Monday?");
        }}"""
    )
    page.wait_for_answer("9")


def test_geometry_is_the_known_one(moved):
    make_widget()
    page = moved(sample("plain"))
    panel, stage, buttons = (
        box(page, name) for name in (".panel", ".stage", ".buttons")
    )
    inner = panel["height"] - 2
    assert stage["height"] == pytest.approx(inner * 0.6, abs=1)
    assert buttons["height"] == pytest.approx(inner * 0.4, abs=1)
    middles = []
    for name in (".microphone", ".toggle"):
        button = box(page, name)
        assert (button["width"], button["height"]) == (70, 70)
        assert style(page, name, "backgroundColor") == "rgb(227, 227, 227)"
        middles.append((button["x"] + 35 - panel["x"]) / panel["width"])
    assert middles == pytest.approx([0.25, 0.75], abs=0.03)
    assert box(page, ".microphone svg")["width"] == 30
    assert box(page, ".toggle svg")["width"] == 32


def test_order_is_microphone_toggle_loading(moved):
    make_widget()
    page = moved(sample("plain"))
    classes = page.page.locator("realtime-widget .buttons > *").evaluate_all(
        "(all) => all.map((one) => one.classList[one.classList.length > 1 ? 1 : 0])"
    )
    assert classes[:3] == ["microphone", "toggle", "loading"]


def test_mouse_and_muted_colours_are_the_known_ones(moved):
    make_widget()
    page = moved(sample("plain"), reduced_motion="reduce")
    toggle = page.page.locator("realtime-widget .toggle")
    toggle.hover()
    assert style(page, ".toggle", "backgroundColor") == "rgb(212, 212, 212)"
    page.page.mouse.down()
    assert style(page, ".toggle", "backgroundColor") == "rgb(197, 197, 197)"
    page.page.mouse.move(1, 1)
    page.page.mouse.up()
    page.button("Mute microphone").click()
    page.page.mouse.move(1, 1)
    assert style(page, ".microphone", "backgroundColor") == MUTED_RED
    assert page.button("Unmute microphone").count() == 1


def test_avatar_takes_picture_size_and_styles(moved):
    make_widget()
    page = moved(
        sample("avatar").replace(
            "path-to-file.png", "/static/realtime_widget/avatar.svg?own"
        )
    )
    assert (
        page.page.locator("realtime-widget .avatar")
        .get_attribute("src")
        .endswith("?own")
    )
    assert style(page, ".avatar", "paddingTop") == "5px"
    assert (
        page.page.locator("realtime-widget .stage").evaluate(
            "(stage) => stage.style.height"
        )
        == "60%"
    )
    assert page.page.evaluate(f"() => {WIDGET}.config.avatar.maxScale") == 3.5


def test_buttons_take_icons_filters_and_the_areas_style(moved):
    make_widget()
    page = moved(sample("buttons"))
    assert style(page, ".buttons", "backgroundColor") == "rgb(247, 247, 247)"
    assert page.page.locator("realtime-widget .microphone svg path").count() == 3
    assert page.page.locator("realtime-widget .toggle svg path").count() == 1
    assert style(page, ".toggle svg", "filter").startswith("brightness(0) saturate(1)")


def test_texts_and_states_of_buttons_are_worn(moved):
    make_widget()
    page = moved(sample("everything"))
    microphone = page.page.locator("realtime-widget .microphone")
    assert microphone.inner_text() == "Mute"
    assert microphone.locator("svg").count() == 0
    microphone.click()
    assert microphone.inner_text() == "Unmute"
    assert microphone.locator("svg").count() == 1
    toggle = page.page.locator("realtime-widget .toggle")
    toggle.hover()
    assert toggle.evaluate("(b) => b.style.backgroundColor") == "rgb(201, 233, 219)"


@pytest.mark.parametrize(
    ("given", "words", "shown"),
    [
        ({}, "Loading", True),
        ({"text": "One moment"}, "One moment", True),
        ({"display": False}, "Loading", False),
    ],
)
def test_words_while_connecting_are_the_pages(moved, given, words, shown):
    make_widget()
    page = moved(json.dumps({"openAI": {"realtime": {"loading": given}}}))
    # The answer that would end the loading is held back.
    page.page.route("**/session", lambda route: None)
    page.button("Start conversation").click()
    page.wait_for_state("connecting")
    loading = page.page.locator("realtime-widget .loading")
    assert loading.text_content() == words
    assert loading.is_visible() is shown
    assert page.button("End conversation").get_attribute("aria-busy") == "true"


def test_own_loading_element_moves_by_the_auxiliary_style(moved):
    make_widget()
    page = moved(sample("loading"), auxiliary=(SAMPLES / "ripple.css").read_text())
    page.page.route("**/session", lambda route: None)
    page.button("Start conversation").click()
    ring = page.page.locator("realtime-widget .loading .lds-ripple div").first
    ring.wait_for(state="attached")
    assert (
        ring.evaluate("(ring) => getComputedStyle(ring).animationName") == "lds-ripple"
    )
    assert style(page, ".loading", "top") == "20px"


def test_auxiliary_style_can_be_set_as_a_property(moved):
    make_widget()
    page = moved(sample("plain"))
    page.page.evaluate(
        f"() => {{ {WIDGET}.auxiliaryStyle = '.round {{ opacity: .5 }}'; }}"
    )
    assert style(page, ".toggle", "opacity") == "0.5"


def test_own_error_words_are_shown_and_it_can_be_tried_again(moved):
    widget = make_widget()
    page = moved(sample("error"))
    widget.enabled = False
    widget.save()
    page.button("Start conversation").click()
    page.alert.get_by_text("Custom Error!").wait_for()
    assert style(page, ".problem", "color") == "rgb(255, 165, 0)"
    assert style(page, ".problems", "position") == "absolute"
    assert page.button("Start conversation").is_enabled()


def test_config_of_the_session_is_ignored_with_an_explanation(moved):
    make_widget(text_only=True, tools=["opening_hours"])
    page = moved(sample("config"))
    (told,) = [line for line in page.console if "config:" in line]
    assert '"instructions", "voice"' in told
    assert "admin" in told
    page.page.evaluate(f"() => {WIDGET}.sendMessage('When are you open on Monday?')")
    page.wait_for_answer("9|17")


def test_events_of_the_page_are_called_and_dispatched(moved):
    make_widget(text_only=True)
    page = moved('{"openAI": {"realtime": {}}}')
    page.page.evaluate(
        f"""() => {{
          window.heard = [];
          const element = {WIDGET};
          element.directConnection.openAI.realtime.events = {{
            started: () => heard.push("started"),
            stopped: (detail) => heard.push("stopped " + detail.reason),
          }};
          for (const name of ["sts-session-started", "sts-session-stopped"]) {{
            element.addEventListener(name, () => heard.push(name));
          }}
          element.start();
        }}"""
    )
    page.wait_received("session.started")
    page.page.evaluate(f"() => {WIDGET}.stop()")
    page.page.wait_for_function("() => heard.includes('sts-session-stopped')")
    assert page.page.evaluate("() => heard") == [
        "started",
        "sts-session-started",
        "stopped user",
        "sts-session-stopped",
    ]


def test_methods_are_given_to_the_page(moved):
    make_widget(text_only=True, tools=["opening_hours"])
    page = moved('{"openAI": {"realtime": {}}}')
    page.page.evaluate(
        f"""() => {{
          const {{ methods }} = {WIDGET}.directConnection.openAI.realtime;
          methods.updateConfig({{ instructions: "Say yes" }});
          methods.sendMessage("When are you open on Monday?", "user");
        }}"""
    )
    page.wait_for_answer("9|17")
    assert any('"instructions" is set on the server' in line for line in page.console)


@pytest.mark.parametrize(
    ("allowed", "role"), [(["user"], "user"), (["user", "system"], "system")]
)
def test_role_of_a_message_without_one_is_system_where_allowed(moved, allowed, role):
    make_widget(text_only=True, message_roles=allowed)
    page = moved('{"openAI": {"realtime": {}}}')
    page.page.evaluate(
        f"() => {WIDGET}.directConnection.openAI.realtime.methods"
        ".sendMessage('When are you open on Monday?')"
    )
    page.wait_received("transcript", role="assistant")
    assert [message["role"] for message in page.sent("message")] == [role]


def test_every_complete_message_is_dispatched_under_the_older_name(moved):
    make_widget(text_only=True, tools=["opening_hours"])
    page = moved('{"openAI": {"realtime": {}}}')
    page.page.evaluate(
        f"""() => {{
          window.messages = [];
          window.outside = 0;
          {WIDGET}.addEventListener("message", ({{ detail }}) => messages.push(detail));
          {WIDGET}.onMessage = (body) => messages.push(body);
          document.addEventListener("message", () => {{ window.outside += 1; }});
          {WIDGET}.sendMessage("When are you open on Monday?");
        }}"""
    )
    page.wait_for_answer("9|17")
    page.page.wait_for_function("() => messages.length >= 4")
    messages = page.page.evaluate("() => messages")
    assert messages[0] == messages[1]
    assert messages[0]["message"] == {
        "role": "user",
        "text": "When are you open on Monday?",
    }
    assert messages[2]["message"]["role"] == "ai"
    assert not messages[2]["isHistory"]
    assert not messages[2]["isInitial"]
    assert page.page.evaluate("() => window.outside") == 0


def test_it_starts_by_itself_when_told(moved):
    make_widget()
    page = moved('{"openAI": {"realtime": {"autoStart": true}}}')
    page.wait_received("session.started")


def test_denied_microphone_leaves_words_and_a_text_box(moved, chromium_that_denies):
    make_widget(tools=["opening_hours"])
    page = moved(sample("plain"), browser_program=chromium_that_denies)
    assert page.page.get_by_role("textbox").count() == 0
    page.button("Start conversation").click()
    page.page.get_by_role("textbox").wait_for()
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")


def test_attribute_that_is_no_json_is_told_and_the_widget_stands(visit):
    make_widget()
    page = visit("support")
    told = []
    page.page.on("console", lambda line: told.append(line.text))
    page.page.evaluate(f"() => {WIDGET}.setAttribute('directConnection', '{{')")
    page.button("Start conversation").wait_for()
    assert any("no valid JSON" in line for line in told)


def test_property_set_before_the_element_is_known_is_taken(visit):
    make_widget()
    page = visit("support")
    page.page.evaluate(
        """async (src) => {
          const { RealtimeWidgetElement } = await import(
            "/static/realtime_widget/realtime-widget-element.js");
          const early = document.createElement("early-widget");
          early.directConnection = {openAI: {realtime: {loading: {text: "Early"}}}};
          early.setAttribute("src", src);
          document.body.append(early);
          customElements.define("early-widget", class extends RealtimeWidgetElement {});
        }""",
        CONFIG,
    )
    page.page.locator("early-widget .classic").wait_for()
    assert (
        page.page.evaluate(
            "() => document.querySelector('early-widget').config.loading.text"
        )
        == "Early"
    )
