"""What pages do to a widget: start it untouched, swap it, copy it, put it to sleep."""

from __future__ import annotations

import json

import pytest

from realtime_widget.models import Conversation
from tests.app.rows import make_widget
from tests.chromium import find_chromium
from tests.e2e.conftest import ALLOWED, ARGUMENTS, DEVICE, launch
from tests.e2e.driving import PROBE
from tests.e2e.sound import plain_words, recognised

WIDGET = "document.querySelector('realtime-widget')"
HOURS = "When are you open on Monday?"
FRIDAY = "When are you open on Friday?"
TRACKS = """
window.tracks = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => {
  const stream = await ask(wish);
  tracks.push(...stream.getTracks());
  return stream;
};
"""
# As htmx and Turbo do it: the new page's words are parsed, its scripts made anew.
SWAP = """async (whole) => {
  const html = await (await fetch(location.href)).text();
  const next = new DOMParser().parseFromString(html, "text/html");
  for (const script of next.querySelectorAll("script[src]")) {
    const again = document.createElement("script");
    for (const { name, value } of script.attributes) again.setAttribute(name, value);
    script.replaceWith(again);
  }
  window.old = document.querySelector("realtime-widget");
  if (whole) document.body.replaceWith(next.body);
  else document.querySelector("main").replaceChildren(...next.querySelector("main").childNodes);
}"""
BUILT = f"() => {WIDGET} !== window.old && {WIDGET}.shadowRoot && {WIDGET}.state"


# Whatever Playwright evaluates in a page counts as the visitor's gesture there, so the
# page tells by itself, on its console, where it stands.
TELL = """
new MutationObserver(([{ target }]) => {
  if (target.localName !== "realtime-widget") return;
  const tap = target.shadowRoot.querySelector(".unlock").getBoundingClientRect();
  console.log(JSON.stringify({
    state: target.getAttribute("state"),
    touched: navigator.userActivation.hasBeenActive,
    context: __probe.context?.state,
    x: tap.x + tap.width / 2,
    y: tap.y + tap.height / 2,
  }));
}).observe(document, { subtree: true, attributeFilter: ["state"] });
"""
# A page that captures a real microphone may sound in Chromium, in others it may not.
NO_CAPTURE = """
navigator.mediaDevices.getUserMedia = async () =>
  new MediaStream([new MediaStreamTrackGenerator({ kind: "audio" })]);
"""


@pytest.fixture
def untouched(playwright_driver, microphone, microphone_file, asgi_server):
    """Return a page whose browser lets nothing sound before somebody touched it."""
    program = launch(
        playwright_driver,
        DEVICE,
        ALLOWED,
        f"--use-file-for-fake-audio-capture={microphone_file}%noloop",
        "--autoplay-policy=document-user-activation-required",
    )
    context = program.new_context()
    context.add_init_script(path=PROBE)
    context.add_init_script(TELL)
    context.add_init_script(NO_CAPTURE)
    yield context.new_page()
    program.close()


def told(page, state):
    """Wait until the page says that its widget is in a state, and return all it says."""

    def is_it(message):
        return (
            message.text.startswith("{") and json.loads(message.text)["state"] == state
        )

    return page.expect_console_message(is_it)


def test_a_page_that_starts_by_itself_asks_for_a_tap_and_then_sounds(
    untouched, asgi_server, no_sessions_left, signals_seen
):
    make_widget(auto_start=True, tools=["opening_hours"])
    page = untouched
    with told(page, "needs-gesture") as message:
        page.goto(f"{asgi_server.url}/page/support/")
    now = json.loads(message.value.text)
    assert (now["touched"], now["context"]) == (False, "suspended")
    with told(page, "listening") as message:
        page.mouse.click(now["x"], now["y"])
    now = json.loads(message.value.text)
    assert (now["touched"], now["context"]) == (True, "running")
    page.get_by_role("textbox").fill(HOURS)
    page.get_by_role("textbox").press("Enter")
    page.wait_for_function(
        "() => __probe.received.some(({ type }) => type === 'audio.end')"
    )
    page.locator("realtime-widget[state=listening]").wait_for()
    assert "open" in plain_words(recognised(page.evaluate("() => __probe.heard()")))
    page.get_by_role("button", name="End conversation").click()
    signals_seen.wait_for("session_stopped")


@pytest.mark.parametrize("whole", [False, True], ids=["a piece", "the whole body"])
def test_a_swap_hands_the_conversation_to_the_new_widget(visit, whole):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    page.write(HOURS)
    page.wait_for_answer("9|17")
    page.page.evaluate(SWAP, whole)
    goes_on(page)


@pytest.mark.parametrize("whole", [False, True], ids=["a piece", "the whole body"])
def test_a_swap_ends_a_conversation_that_stays_on_its_page(visit, signals_seen, whole):
    make_widget(text_only=True, resume_across_pages=False, tools=["opening_hours"])
    page = visit("support")
    page.write(HOURS)
    page.wait_for_answer("9|17")
    page.page.evaluate(SWAP, whole)
    assert signals_seen.wait_for("session_stopped")["reason"] == "user"
    page.page.wait_for_function(BUILT)
    assert page.page.evaluate("() => old.state") == "idle"
    page.write(FRIDAY)
    page.wait_for_answer("9|17")
    assert page.log.get_by_text(HOURS).count() == 0
    page.stop()


def test_a_copy_that_a_page_kept_of_a_talking_widget_goes_on(visit):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support")
    page.write(HOURS)
    page.wait_for_answer("9|17")
    state = page.page.evaluate(
        """() => {
          const kept = document.body.cloneNode(true);
          document.body.replaceWith(document.createElement("body"));
          document.body.replaceWith(kept);
          return document.querySelector("realtime-widget").getAttribute("state");
        }"""
    )
    assert state is None
    goes_on(page)


def goes_on(page):
    """Look at a conversation that a second widget of the page took over."""
    assert page.wait_received("session.started", count=2)["resumed"] is True
    page.log.get_by_text(HOURS).wait_for()
    page.write(FRIDAY)
    page.wait_received("state", state="thinking", count=2)
    page.wait_received("transcript", role="assistant", final=True, count=2)
    page.wait_for_state("listening")
    page.stop()


def test_an_element_taken_out_mid_call_gives_everything_back(visit, signals_seen):
    make_widget(tools=["opening_hours"])
    page = visit("support")
    page.context.add_init_script(TRACKS)
    page.page.reload()
    page.start()
    page.write(HOURS)
    page.wait_for_state("speaking")
    page.page.evaluate(f"() => {WIDGET}.remove()")
    page.page.wait_for_function(
        "() => tracks.length && tracks.every((one) => one.readyState === 'ended')"
    )
    page.page.wait_for_function("() => __probe.context.state === 'closed'")
    page.page.wait_for_function("() => __probe.socket.readyState === WebSocket.CLOSED")
    assert signals_seen.wait_for("session_stopped")["reason"] == "user"
    assert signals_seen.count("session_stopped") == 1
    assert Conversation.objects.get().status == "ended"


@pytest.fixture
def chromium_that_keeps_pages(playwright_driver):
    """Start a browser that keeps the pages one leaves; Playwright forbids it else."""
    program = playwright_driver.chromium.launch(
        executable_path=find_chromium(),
        args=ARGUMENTS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield program
    program.close()


def test_a_page_that_the_browser_kept_goes_on_when_one_comes_back(
    visit, chromium_that_keeps_pages
):
    make_widget(text_only=True, tools=["opening_hours"])
    page = visit("support", browser_program=chromium_that_keeps_pages)
    page.page.evaluate(
        "() => addEventListener('pageshow', (event) => (window.kept = event.persisted))"
    )
    page.write(HOURS)
    page.wait_for_answer("9|17")
    page.page.goto(page.url.replace("/page/", "/nothing/"), wait_until="commit")
    page.page.go_back(wait_until="commit")
    page.page.wait_for_function("() => window.kept === true")
    goes_on(page)
