"""Every state in every look, light and dark, as somebody has seen and liked it.

``make snapshots`` renews the pictures; look at each before you commit it.
"""

from __future__ import annotations

import os

import pytest
from PIL import Image

from realtime_widget.models import Widget
from realtime_widget.protocol.browser import CloseCode
from tests.app.rows import make_widget
from tests.e2e.snapshots import (
    CELL,
    FOLDER,
    SCHEMES,
    cell_of,
    cell_on,
    differs,
    sheet_of,
)
from tests.e2e.stage import ANSWER, QUESTION, Stage

RENEW = os.environ.get("RENEW_SNAPSHOTS") == "1"
CALM = {"reduced_motion": "reduce", "viewport": {"width": 420, "height": 640}}
WIDGET = "document.querySelector('realtime-widget')"
# The element itself waits for the same module.
WEAR = f"""async (look) => {{
  {WIDGET}.setAttribute("look", look);
  await import("/static/realtime_widget/views/looks.js");
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}}"""


class Photographer:
    """Takes one page after the other, in every look and scheme."""

    def __init__(self):
        self.cells = {look: {} for look in Widget.Look.values}

    def take(self, visit, state):
        """Photograph a state."""
        visit.page.mouse.move(0, 0)
        for look in Widget.Look.values:
            visit.page.evaluate(WEAR, look)
            for scheme in SCHEMES:
                visit.page.emulate_media(color_scheme=scheme)
                self.cells[look][state, scheme] = cell_of(shot(visit), scheme)


def shot(visit):
    """Return a picture of the widget at rest."""
    return visit.widget.screenshot(
        animations="disabled", caret="hide", omit_background=True
    )


def spoken(visit, photographer):
    """Lead a conversation by voice through its states."""
    stage = Stage(visit)
    photographer.take(visit, "idle")
    stage.press()
    visit.wait_for_state("connecting")
    photographer.take(visit, "connecting")
    stage.say_started()
    visit.wait_for_state("listening")
    visit.page.locator("realtime-widget .sound-button").wait_for()
    photographer.take(visit, "listening")
    stage.state("hearing")
    stage.said("user", "Do you have lights for", item="u1", final=False)
    photographer.take(visit, "hearing")
    stage.said("user", QUESTION, item="u1")
    stage.state("thinking")
    stage.say("tool.started", call_id="c1", name="find_product", status="running")
    visit.page.get_by_text("find product").wait_for()
    photographer.take(visit, "thinking")
    stage.say("tool.finished", call_id="c1", name="find_product", status="completed")
    stage.said("assistant", ANSWER, item="a1", after="u1")
    stage.state("speaking")
    photographer.take(visit, "speaking")
    stage.lose()
    photographer.take(visit, "reconnecting")


def refused(visit, photographer):
    """End a conversation by a fault."""
    stage = Stage(visit)
    stage.start()
    visit.wait_for_state("listening")
    stage.said("user", QUESTION, item="u1")
    visit.log.get_by_text(QUESTION).wait_for()
    stage.fail(CloseCode.UPSTREAM)
    photographer.take(visit, "error")


def finished(visit, photographer):
    """End a conversation as visitors do."""
    stage = Stage(visit)
    stage.start()
    visit.wait_for_state("listening")
    stage.said("user", QUESTION, item="u1")
    stage.said("assistant", ANSWER, item="a1", after="u1")
    visit.log.get_by_text("three kinds").wait_for()
    visit.button("End conversation").click()
    stage.say("session.stopped", reason="user", duration_s=24)
    visit.page.get_by_text("How was it?").wait_for()
    photographer.take(visit, "ended")


def asked(visit, photographer):
    """Ask for consent."""
    visit.button("Start conversation").click()
    visit.button("Agree and start").wait_for()
    photographer.take(visit, "consent")


def written(visit, photographer):
    """Talk in writing; a tool asks whether it may run."""
    stage = Stage(visit)
    visit.write(QUESTION)
    stage.wait_for_wish()
    stage.say_started()
    visit.wait_for_state("listening")
    stage.said("user", QUESTION, item="u1")
    stage.said("assistant", ANSWER, item="a1", after="u1")
    stage.say(
        "tool.approval_required",
        call_id="c1",
        name="reserve",
        summary="Reserve one bicycle light",
    )
    visit.page.get_by_text("Reserve one bicycle light").wait_for()
    photographer.take(visit, "text")


def held(visit, photographer):
    """Talk by a key."""
    stage = Stage(visit)
    stage.start(turn_detection="none")
    visit.page.locator("realtime-widget .talk-key:not([hidden])").wait_for()
    photographer.take(visit, "push to talk")


def test_every_state_looks_as_it_was_seen_and_liked(visit, tmp_path):
    make_widget("spoken", title="Riverside Bikes")
    make_widget("ends", title="Riverside Bikes", feedback=True)
    make_widget(
        "asks",
        title="Riverside Bikes",
        consent_text="We keep what is said for a week, to get better at answering.",
    )
    make_widget(
        "writes",
        title="Riverside Bikes",
        text_only=True,
        transcript_tools=True,
        feedback=True,
    )
    photographer = Photographer()
    for slug, lead in (
        ("spoken", spoken),
        ("spoken", refused),
        ("ends", finished),
        ("asks", asked),
        ("writes", written),
        ("spoken", held),
    ):
        page = visit(slug, **CALM)
        page.page.locator("realtime-widget[state=idle]").wait_for()
        lead(page, photographer)
    changed = []
    for look, cells in photographer.cells.items():
        sheet = sheet_of(cells)
        kept = FOLDER / f"{look}.png"
        if RENEW:
            kept.parent.mkdir(exist_ok=True)
            sheet.save(kept, optimize=True)
        sheet.save(tmp_path / kept.name)
        states = list(dict.fromkeys(state for state, _ in cells))
        with Image.open(kept) as before:
            changed += [
                f"{look}, {state}, {scheme}"
                for state, scheme in cells
                if differs(
                    cell_on(sheet, state, scheme, states),
                    cell_on(before, state, scheme, states),
                )
            ]
    assert changed == [], f"see {tmp_path} beside {FOLDER}"


@pytest.mark.parametrize(
    ("css", "seen"),
    [
        (":host { --rw-accent: #7b2a86; }", True),
        (".microphone { visibility: hidden; }", True),
        (".send { visibility: hidden; }", True),
        (".buttons { order: -1; }", True),
        (".microphone svg { visibility: hidden; }", True),
        (".title { display: none; }", True),
        (".panel { transform: translate(.4px, .4px); }", False),
        (".panel { letter-spacing: .01em; }", False),
        (":host { text-rendering: geometricPrecision; }", False),
        (":host { font-size: 16.2px; }", False),
    ],
)
def test_what_people_see_is_a_change_and_what_they_do_not_is_none(visit, css, seen):
    make_widget(title="Riverside Bikes")
    page = visit("support", **CALM)
    page.button("Start conversation").wait_for()
    before = cell_of(shot(page))
    page.page.evaluate(f"(css) => {{ {WIDGET}.auxiliaryStyle = css; }}", css)
    after = cell_of(shot(page))
    assert before.size == CELL
    assert differs(before, after) is seen


@pytest.mark.parametrize("look", Widget.Look.values)
def test_pictures_are_kept_small(look):
    assert (FOLDER / f"{look}.png").stat().st_size <= 75_000
