"""The widget for people who zoom, space their text, force colours, tab, or listen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.app.rows import make_widget

WIDGET = "document.querySelector('realtime-widget')"
QUESTION = "When are you open on Monday?"
# 1280 by 1024 at 400 %.
ZOOMED = {"viewport": {"width": 320, "height": 256}}
# What WCAG 1.4.12 lets a reader set.
SPACING = """* { line-height: 1.5 !important; letter-spacing: .12em !important;
  word-spacing: .16em !important; } p { margin-block-end: 2em !important; }"""
SPACE_OUT = f"""(css) => {{
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  const root = {WIDGET}.shadowRoot;
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}}"""
# Every element that hides a part of its words; what is there for screen readers only
# and the stage, where the picture may grow, are meant to.
CUT_OFF = f"""() => [...{WIDGET}.shadowRoot.querySelectorAll("*")].filter((one) => {{
  const style = getComputedStyle(one);
  if (!one.offsetParent || style.clipPath !== "none") return false;
  if (one.matches(".stage, .stage *, input, select, canvas, svg, svg *")) return false;
  const hides = style.overflowX === "hidden" || style.overflowX === "clip";
  const wide = one.scrollWidth > one.clientWidth + 1;
  const inside = one.matches(".panel, .transcript");
  return (hides && (wide || one.scrollHeight > one.clientHeight + 1)) || (inside && wide);
}}).map((one) => one.className)"""
SMALL = f"""() => [...{WIDGET}.shadowRoot.querySelectorAll("button, input, select")]
  .filter((one) => one.offsetParent)
  .map((one) => [one.className || one.type, one.getBoundingClientRect()])
  .filter(([, {{ width, height }}]) => width < 43.5 || height < 43.5)
  .map(([name, {{ width, height }}]) => `${{name}}: ${{width}} by ${{height}}`)"""
BORDERLESS = f"""() => [...{WIDGET}.shadowRoot.querySelectorAll(
    "button, input:not([type=range]), select, .panel, .line")]
  .filter((one) => one.offsetParent)
  .filter((one) => {{
    const style = getComputedStyle(one);
    return style.borderTopStyle === "none" || parseFloat(style.borderTopWidth) < 1;
  }}).map((one) => one.className)"""
FOCUSED = """() => {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active?.getAttribute("aria-label") ?? active?.innerText ?? "";
}"""


def rich(**fields):
    """Return a saved widget that has everything a widget may have."""
    return make_widget(
        **{
            "tools": ["opening_hours"],
            "suggestions": [QUESTION],
            "transcript_tools": True,
            "feedback": True,
            "pictures": True,
            **fields,
        }
    )


def in_conversation(page):
    """Talk, and open what can be opened."""
    page.start()
    page.button(QUESTION).click()
    page.wait_for_answer("9|17")
    page.button("Volume and devices").click()


def reachable(page, role, name):
    """Bring a control into view and see that nothing lies over it."""
    page.page.get_by_role(role, name=name, exact=True).click(trial=True)


@pytest.mark.parametrize("form", ["inline", "floating", "page"])
def test_nothing_is_lost_at_400_percent(visit, form):
    rich(form=form, launcher="full")
    page = visit("support", **ZOOMED)
    reachable(page, "button", QUESTION)
    reachable(page, "button", "Start conversation")
    in_conversation(page)
    for role, name in [
        ("button", "Mute microphone"),
        ("button", "End conversation"),
        ("slider", "Volume"),
        ("combobox", "Microphone"),
        ("button", "Show a picture"),
        ("button", "Copy"),
        ("button", "Download"),
        ("textbox", "Type a message"),
        ("button", "Send"),
    ]:
        reachable(page, role, name)
    assert page.page.evaluate(CUT_OFF) == []
    wider_px = page.page.evaluate(
        "() => document.documentElement.scrollWidth - window.innerWidth"
    )
    assert wider_px <= 0


@pytest.mark.parametrize("width", [320, 1280])
def test_spaced_text_is_not_cut_off(visit, width):
    rich(consent_text="We keep what is said for a week. " * 5)
    page = visit("support", viewport={"width": width, "height": 800})
    page.button("Start conversation").wait_for()
    page.page.evaluate(SPACE_OUT, SPACING)
    assert page.page.evaluate(CUT_OFF) == []
    page.button(QUESTION).click()
    page.button("Agree and start").wait_for()
    assert page.page.evaluate(CUT_OFF) == []
    page.button("Agree and start").click()
    page.wait_for_answer("9|17")
    assert page.page.evaluate(CUT_OFF) == []
    page.stop()
    page.page.get_by_text("How was it?").wait_for()
    assert page.page.evaluate(CUT_OFF) == []


def test_forced_colours_leave_every_control_its_edge(visit):
    rich()
    page = visit("support", forced_colors="active")
    page.button("Start conversation").wait_for()
    assert page.page.evaluate(BORDERLESS) == []
    in_conversation(page)
    assert page.page.evaluate(BORDERLESS) == []


def test_everything_to_press_is_large_enough(visit):
    rich()
    page = visit("support", viewport={"width": 320, "height": 900}, is_mobile=True)
    page.button("Start conversation").wait_for()
    assert page.page.evaluate(SMALL) == []
    in_conversation(page)
    assert page.page.evaluate(SMALL) == []


def test_keyboard_goes_through_everything_in_the_order_that_is_seen(visit):
    rich()
    page = visit("support")
    page.button("Start conversation").wait_for()
    order = []
    for _ in range(6):
        page.page.keyboard.press("Tab")
        order.append(page.page.evaluate(FOCUSED))
    assert order == [
        "Mute microphone",
        "Start conversation",
        QUESTION,
        "Type a message",
        "Show a picture",
        "Send",
    ]


def test_screen_reader_finds_names_states_and_words(visit):
    rich(text_only=True)
    page = visit("support")
    widget = page.page.locator("realtime-widget")
    page.button(QUESTION).wait_for()
    expect(widget).to_match_aria_snapshot(f"""
      - region "Help":
        - text: Help
        - status: Ready
        - list "Suggested questions":
          - listitem:
            - button "{QUESTION}"
        - textbox "Type a message"
        - button "Show a picture"
        - button "Send"
    """)
    page.button(QUESTION).click()
    page.wait_for_answer("9|17")
    page.wait_for_state("listening")
    expect(widget).to_match_aria_snapshot(f"""
      - region "Help":
        - text: Help
        - status: You can type your questions here.
        - log "Conversation":
          - list:
            - listitem: /You. {QUESTION.replace("?", ".")}/
            - listitem:
              - text: /Assistant. .+/
              - button "Good answer"
              - button "Bad answer"
        - button "End conversation"
        - button "Copy"
        - button "Download"
        - textbox "Type a message"
        - button "Show a picture"
        - button "Send"
    """)
    page.stop()
    expect(widget).to_match_aria_snapshot("""
      - region "Help":
        - status: Ready
        - log "Conversation"
        - status:
          - text: How was it?
          - button "Good answer"
          - button "Bad answer"
          - textbox "Your comment"
          - button "Send"
    """)


def test_screen_reader_hears_an_error_and_what_can_be_done(visit):
    widget = make_widget(text_only=True)
    page = visit("support")
    page.page.get_by_role("textbox").wait_for()
    widget.enabled = False
    widget.save()
    page.write("Hello?")
    expect(page.page.locator("realtime-widget")).to_match_aria_snapshot("""
      - region "Help":
        - status: Error
        - alert: The assistant is not available here.
        - textbox "Type a message"
    """)


def test_push_to_talk_needs_no_holding(visit):
    make_widget(turn_detection="none")
    page = visit("support")
    page.start()
    key = page.page.locator("realtime-widget .talk-key")
    key.wait_for()
    for pressed, sent in (("true", "turn.start"), ("false", "turn.commit")):
        key.press("Enter")
        page.page.wait_for_function(
            "(type) => __probe.sent.some((message) => message.type === type)", arg=sent
        )
        assert key.get_attribute("aria-pressed") == pressed
