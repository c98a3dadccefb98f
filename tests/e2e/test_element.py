"""The element for the pages it stands on: methods, events, looks, moves and removals."""

from __future__ import annotations

import pytest

from realtime_widget.models import Conversation
from tests.app.rows import make_widget

WIDGET = "document.querySelector('realtime-widget')"
EVENTS = (
    "sts-session-started",
    "sts-session-stopped",
    "realtime-widget:message",
    "realtime-widget:state",
    "realtime-widget:tool",
    "realtime-widget:transcript",
)
DOM = "/static/realtime_widget/views/dom.js"
HOSTILE_ICONS = (
    '<svg xmlns="http://www.w3.org/2000/svg"><script>__xss = 1</script></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0" onload="__xss = 1"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><foreignObject><b/></foreignObject></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><image href="https://far.example/"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><use href="#x"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><animate attributeName="d"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><a href="javascript:1"><path/></a></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><rect fill="url(https://far.example/)"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><rect style="fill: url(//far.example)"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg" id="clobber"><rect id="title"/></svg>',
)
HOSTILE_MARKUP = (
    "<script>__xss = 1</script>",
    '<img src="/missing" onerror="__xss = 1">',
    '<iframe src="https://far.example/"></iframe>',
    '<a href="javascript:__xss = 1">x</a>',
    '<form action="https://far.example/"><input></form>',
    '<p style="background: url(https://far.example/)">x</p>',
    '<img src="//far.example/x.png">',
    '<img src="https://far.example/x.png">',
    '<template shadowrootmode="open"><script>__xss = 1</script></template>',
    '<math><mtext><style><img src=x onerror="__xss = 1"></style></mtext></math>',
)
FORBIDDEN = ("script", "on", "far.example", "javascript", "foreignobject", "url(")


def import_and_call(page, expression, argument):
    """Call functions of the page's own module for markup."""
    return page.page.evaluate(
        "async ([module, argument]) => { const dom = await import(module);"
        f" return ({expression})(dom, argument); }}",
        [DOM, argument],
    )


@pytest.fixture
def page(visit):
    """Return a page with a text widget that has a tool."""
    make_widget(text_only=True, tools=["opening_hours"])
    return visit("support")


@pytest.mark.parametrize("icon", HOSTILE_ICONS)
def test_icon_keeps_only_what_draws(page, icon):
    page.allowed_violations = 3  # the parser itself says what it did not run
    drawn = import_and_call(
        page, "(dom, icon) => dom.parseIcon(icon)?.outerHTML ?? ''", icon
    )
    low = drawn.lower().replace("http://www.w3.org/2000/svg", "")
    assert not [word for word in (*FORBIDDEN, "<use", "<a", " id=") if word in low]
    assert page.page.evaluate("() => window.__xss") is None


@pytest.mark.parametrize("markup", HOSTILE_MARKUP)
def test_markup_of_the_loading_look_keeps_only_words_and_boxes(page, markup):
    page.allowed_violations = 3
    made = import_and_call(
        page,
        "(dom, markup) => { const box = document.createElement('div');"
        " box.append(...dom.parseMarkup(markup)); document.body.append(box);"
        " return box.innerHTML; }",
        markup,
    )
    low = made.lower()
    bad = ("<script", "onerror", "far.example", "javascript", "<iframe", "<form", "<a")
    assert not [word for word in bad if word in low]
    assert page.page.evaluate("() => window.__xss") is None


def test_icon_of_an_editor_is_drawn(page):
    icon = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
        '<g fill="none"><path d="M2 2h20" stroke="red"/></g></svg>'
    )
    drawn = import_and_call(page, "(dom, icon) => dom.parseIcon(icon).outerHTML", icon)
    assert '<path d="M2 2h20" stroke="red">' in drawn
    assert 'viewBox="0 0 24 24"' in drawn


def test_what_is_no_icon_is_none(page):
    page.allowed_violations = 8  # the parser styles its own complaint
    for text in ("", "<svg", "<div></div>", "hello"):
        assert import_and_call(page, "(dom, text) => dom.parseIcon(text)", text) is None


def test_styles_are_set_and_cannot_load_anything(page):
    styled = import_and_call(
        page,
        "(dom, styles) => { const box = document.createElement('div');"
        " dom.applyStyles(box, styles); return box.style.cssText; }",
        {
            "backgroundColor": "red",
            "paddingInlineStart": "5px",
            "backgroundImage": "url(https://far.example/x)",
            "width": "expression(alert(1))",
        },
    )
    assert styled == "background-color: red; padding-inline-start: 5px;"


def toggle_with(page, looks):
    """Give the toggle looks through the element's method and return the button."""
    page.page.evaluate(
        f"(looks) => {WIDGET}.updateConfig({{buttons: {{toggle: {{default: looks}}}}}})",
        looks,
    )
    return page.page.locator("realtime-widget .toggle")


@pytest.fixture
def voice_page(visit):
    """Return a page with a widget that talks."""
    make_widget()
    return visit("support")


@pytest.mark.parametrize(
    ("looks", "icons", "words"),
    [
        ({}, 1, ""),
        ({"text": {"content": "Talk"}}, 1, "Talk"),
        ({"text": {"content": "Talk"}, "svg": {"content": ""}}, 0, "Talk"),
        ({"svg": {"content": ""}}, 1, ""),
    ],
)
def test_button_shows_icon_and_text_by_the_known_rules(voice_page, looks, icons, words):
    toggle = toggle_with(voice_page, looks)
    assert toggle.locator("svg").count() == icons
    assert toggle.inner_text() == words
    assert toggle.get_attribute("aria-label") == "Start conversation"


def test_button_wears_the_style_of_the_mouse(voice_page):
    styles = {
        "default": {"backgroundColor": "rgb(1, 2, 3)"},
        "hover": {"backgroundColor": "rgb(4, 5, 6)"},
        "click": {"backgroundColor": "rgb(7, 8, 9)"},
    }
    toggle = toggle_with(voice_page, {"container": styles})
    colour = "(button) => button.style.backgroundColor"
    seen = [toggle.evaluate(colour)]
    toggle.hover()
    seen.append(toggle.evaluate(colour))
    voice_page.page.mouse.down()
    seen.append(toggle.evaluate(colour))
    voice_page.page.mouse.move(1, 1)
    seen.append(toggle.evaluate(colour))
    voice_page.page.mouse.up()
    assert seen == ["rgb(1, 2, 3)", "rgb(4, 5, 6)", "rgb(7, 8, 9)", "rgb(1, 2, 3)"]


def test_changed_words_and_looks_show_at_once(voice_page):
    voice_page.page.evaluate(
        f"() => {WIDGET}.updateConfig({{title: 'Ada', theme: 'dark',"
        " texts: {start: 'Talk to Ada'}}, )"
    )
    voice_page.button("Talk to Ada").wait_for()
    assert voice_page.page.get_by_role("region", name="Ada").count() == 1
    assert voice_page.widget.get_attribute("theme") == "dark"


def collect_events(page):
    """Write down the element's events as a page would hear them."""
    page.page.evaluate(
        """(names) => {
          window.seenEvents = [];
          for (const name of names) {
            document.addEventListener(name, ({ type, detail, composed }) => {
              window.seenEvents.push({ type, detail, composed });
            });
          }
        }""",
        EVENTS,
    )


def test_page_hears_the_whole_conversation(page):
    collect_events(page)
    page.page.evaluate(f"() => {WIDGET}.sendMessage('When are you open on Monday?')")
    page.wait_for_answer("9|17")
    page.stop()
    page.page.wait_for_function(
        "() => seenEvents.some(({ type }) => type === 'sts-session-stopped')"
    )
    seen = page.page.evaluate("() => seenEvents")
    assert {event["type"] for event in seen} == set(EVENTS)
    assert all(event["composed"] for event in seen)
    messages = [
        event["detail"] for event in seen if event["type"] == "realtime-widget:message"
    ]
    assert [message["message"]["role"] for message in messages] == ["user", "ai"]
    assert messages[0] == {
        "message": {"role": "user", "text": "When are you open on Monday?"},
        "isHistory": False,
        "isInitial": False,
    }
    (stopped,) = [e["detail"] for e in seen if e["type"] == "sts-session-stopped"]
    assert stopped["reason"] == "user"
    assert stopped["duration_s"] > 0
    tools = [e["detail"] for e in seen if e["type"] == "realtime-widget:tool"]
    assert [tool["name"] for tool in tools] == ["opening_hours"] * len(tools)
    assert not any("arguments" in tool or "output" in tool for tool in tools)


def test_functions_of_the_page_are_called_at_start_and_end(page):
    page.page.evaluate(
        f"() => {{ window.calls = []; {WIDGET}.events = {{"
        " started: () => calls.push('started'), stopped: () => calls.push('stopped') } }"
    )
    page.page.evaluate(f"() => {WIDGET}.start()")
    page.wait_for_state("listening")
    page.page.evaluate(f"() => {WIDGET}.stop()")
    page.page.wait_for_function("() => calls.length === 2")
    assert page.page.evaluate("() => calls") == ["started", "stopped"]


def test_element_that_is_moved_goes_on_and_removed_ends(page):
    page.page.evaluate(f"() => {WIDGET}.start()")
    page.wait_for_state("listening")
    page.page.evaluate(
        f"() => {{ const place = document.createElement('section');"
        f" document.body.append(place); place.append({WIDGET}); }}"
    )
    page.write("When are you open on Monday?")
    page.wait_for_answer("9|17")
    page.page.evaluate(
        f"() => {{ window.gone = {WIDGET}; window.ends = [];"
        " gone.addEventListener('sts-session-stopped', (e) => ends.push(e.detail));"
        " gone.remove(); }"
    )
    page.page.wait_for_function("() => ends.length === 1")
    assert page.page.evaluate("() => gone.state") == "idle"


def test_button_that_is_pressed_again_and_again_ends_in_one_session(voice_page):
    toggle = voice_page.page.locator("realtime-widget .toggle")
    for _ in range(7):
        toggle.click()
    voice_page.wait_for_state("listening")
    voice_page.stop()
    assert Conversation.objects.filter(status="open").count() == 0


def test_microphone_that_was_muted_before_the_start_stays_muted(voice_page):
    voice_page.button("Mute microphone").click()
    assert voice_page.widget.get_attribute("muted") == ""
    voice_page.start()
    voice_page.page.wait_for_function(
        "() => __probe.sent.some(({ type, muted }) => type === 'microphone' && muted)"
    )
    voice_page.button("Unmute microphone").click()
    voice_page.button("Mute microphone").wait_for()
    assert [one["muted"] for one in voice_page.sent("microphone")] == [True, False]
    voice_page.stop()


def test_session_without_microphone_makes_its_button_unavailable(
    visit, chromium_without_microphone
):
    make_widget()
    page = visit("support", browser_program=chromium_without_microphone)
    page.button("Start conversation").click()
    page.wait_for_state("listening")
    microphone = page.button("Mute microphone")
    assert microphone.is_disabled()
    assert microphone.get_attribute("data-look") == "unavailable"


def test_last_line_stays_in_view_until_the_visitor_scrolls_back(visit):
    make_widget(text_only=True)
    page = visit("support", viewport={"width": 320, "height": 640})
    log = page.page.locator("realtime-widget .transcript")
    for number in range(4):
        page.write(f"Please tell me something about {number} " + "words " * 12)
        page.wait_received("state", state="listening", count=number + 2)
    assert log.evaluate("(box) => box.scrollHeight > box.clientHeight")
    page.page.wait_for_function(
        "(box) => box.scrollHeight - box.scrollTop - box.clientHeight < 2",
        arg=log.element_handle(),
    )
    log.evaluate("(box) => { box.scrollTop = 0; }")
    page.write("And one more")
    page.wait_received("state", state="listening", count=6)
    assert log.evaluate("(box) => box.scrollTop") == 0
