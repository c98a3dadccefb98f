"""The demo, as ``make demo`` serves it, with its own database and its own policy."""

from __future__ import annotations

import sqlite3

import pytest
from axe_playwright_python.sync_playwright import Axe

from demo_site import gallery
from realtime_widget.models import Widget
from tests.e2e.conftest import TIMEOUT_MS
from tests.e2e.demo_server import DemoServer
from tests.e2e.driving import PROBE, Visit

PUBLIC_PAGES = ["/", "/hours/", "/chat/", "/ar/", "/demo-login/", "/gallery/"]
CUSTOMER_PAGES = ["/orders/", "/appointments/"]
WITH_WIDGET = ["/", "/hours/", "/chat/", "/ar/", "/orders/", "/appointments/"]


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """Serve the demo with fresh seeds, once."""
    server = DemoServer(tmp_path_factory.mktemp("demo"))
    server.plant()
    with server.running():
        yield server


@pytest.fixture
def demo_page(chromium, demo, microphone):
    """Return a function that opens a page of the demo, signed in if that is asked."""
    visits = []

    def open_page(path, *, signed_in=False, **options):
        context = chromium.new_context(**options)
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(path=PROBE)
        first = "/demo-login/" if signed_in else path
        visits.append(Visit(context, demo.url + first))
        if signed_in:
            visits[-1].button("Sign in as Mira (demo)").click()
            visits[-1].page.goto(demo.url + path)
        return visits[-1]

    yield open_page
    for one in visits:
        one.finish()


@pytest.mark.parametrize("path", PUBLIC_PAGES)
@pytest.mark.parametrize("look", ["light", "dark"])
def test_public_page_is_accessible_in_every_look(demo_page, path, look):
    page = demo_page(path, color_scheme=look)
    results = Axe().run(page.page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("path", CUSTOMER_PAGES)
@pytest.mark.parametrize("look", ["light", "dark"])
def test_page_of_a_customer_is_accessible_in_every_look(demo_page, path, look):
    page = demo_page(path, signed_in=True, color_scheme=look)
    results = Axe().run(page.page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("path", PUBLIC_PAGES + CUSTOMER_PAGES)
def test_page_fits_a_narrow_phone(demo_page, path):
    page = demo_page(
        path,
        signed_in=path in CUSTOMER_PAGES,
        viewport={"width": 320, "height": 640},
        is_mobile=True,
    )
    wider_px = page.page.evaluate(
        "() => document.documentElement.scrollWidth - window.innerWidth"
    )
    assert wider_px <= 0


@pytest.mark.parametrize("path", WITH_WIDGET)
def test_page_works_without_javascript(chromium, demo, path):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    if path in CUSTOMER_PAGES:
        page.goto(f"{demo.url}/demo-login/")
        page.get_by_role("button", name="Sign in as Mira (demo)").click()
    page.goto(demo.url + path)
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.locator("realtime-widget p").is_visible()
    context.close()


def test_pages_forbid_everything_that_is_not_their_own(demo_page):
    page = demo_page("/")
    policy = page.page.request.get(page.url).headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "unsafe" not in policy


@pytest.mark.speech
def test_customer_asks_for_an_order_and_hears_the_answer(demo_page):
    page = demo_page("/orders/", signed_in=True)
    page.start()
    page.write("Where is my order 1042?")
    page.wait_for_answer("on its way")
    page.wait_received("audio.end")
    page.stop()


def test_stranger_is_asked_to_sign_in(demo_page):
    page = demo_page("/chat/")
    page.write("Where is my order 1042?")
    page.wait_for_answer("sign in")


def test_customer_books_and_cancels_an_appointment_in_writing(demo_page):
    page = demo_page("/appointments/", signed_in=True)
    cards = page.page.locator(".cards li")
    before = cards.count()
    page.page.goto(page.page.url.replace("/appointments/", "/chat/"))
    page.write("Book a wheel truing on Wednesday at eleven.")
    page.wait_for_answer("booked")
    page.page.goto(page.page.url.replace("/chat/", "/appointments/"))
    assert cards.count() == before + 1
    assert page.page.get_by_role("heading", name="Wheel truing").count() == 1

    page.page.goto(page.page.url.replace("/appointments/", "/chat/"))
    page.write("Cancel my appointment on Wednesday.")
    page.wait_for_answer("cancelled")
    page.page.goto(page.page.url.replace("/chat/", "/appointments/"))
    assert cards.count() == before


def test_closed_day_is_refused_with_the_nearest_free_time(demo_page):
    page = demo_page("/chat/", signed_in=True)
    page.write("Book a tune-up on Sunday at eleven.")
    answer = page.wait_for_answer("closed on Sundays")
    assert "I could offer you a place" in answer


def test_arabic_page_answers_in_arabic_from_right_to_left(demo_page):
    page = demo_page("/ar/")
    assert page.widget.evaluate("(element) => getComputedStyle(element).direction") == (
        "rtl"
    )
    page.page.get_by_role("textbox").fill("ما هي ساعات العمل؟")
    page.page.get_by_role("textbox").press("Enter")
    page.wait_for_answer("الاثنين")
    results = Axe().run(page.page)
    assert results.violations_count == 0, results.generate_report()


def test_seeds_run_again_and_keep_what_an_editor_changed(tmp_path):
    demo = DemoServer(tmp_path)
    demo.plant()
    before = _rows(demo.database)
    with sqlite3.connect(demo.database) as connection:
        connection.execute(
            "UPDATE realtime_widget_widget SET title='Mine' WHERE slug='support'"
        )
        connection.execute("DELETE FROM realtime_widget_agent_tools")
    connection.close()
    demo.manage("realtime_demo")
    after = _rows(demo.database)
    assert after["titles"] == {**before["titles"], "support": "Mine"}
    assert after["agent_tools"] == 0
    assert after["counts"] == before["counts"]

    demo.manage("realtime_demo", "--reset")
    assert _rows(demo.database) == before


def _rows(database):
    connection = sqlite3.connect(database)
    tables = (
        "realtime_widget_widget",
        "realtime_widget_agent",
        "realtime_widget_tool",
        "realtime_widget_provider",
        "realtime_widget_functionhandler",
        "demo_site_order",
        "demo_site_openinghours",
        "demo_site_appointment",
        "auth_user",
    )

    def count(table):
        query = f"SELECT COUNT(*) FROM {table}"
        return connection.execute(query).fetchone()[0]

    rows = {
        "counts": {table: count(table) for table in tables},
        "agent_tools": count("realtime_widget_agent_tools"),
        "titles": dict(
            connection.execute("SELECT slug, title FROM realtime_widget_widget")
        ),
    }
    connection.close()
    return rows


# --- the gallery


def test_gallery_shows_every_look_by_light_and_by_dark(demo_page):
    page = demo_page("/gallery/", color_scheme="light")
    for look in Widget.Look.values:
        section = page.page.locator(f"section[aria-labelledby=look-{look}]")
        cards = section.locator("realtime-widget .panel")
        cards.nth(2).wait_for()
        grounds = [
            cards.nth(n).evaluate("(card) => getComputedStyle(card).backgroundColor")
            for n in range(3)
        ]
        assert grounds[0] == grounds[2] != grounds[1]
        assert section.locator(".orb").count() == 1


@pytest.mark.parametrize("name", gallery.FORMS)
def test_form_of_the_gallery_works_in_its_frame(demo_page, name):
    page = demo_page("/gallery/")
    item = page.page.locator("li").filter(
        has=page.page.locator(f"iframe[src$='/{name}/']")
    )
    item.scroll_into_view_if_needed()
    inside = item.frame_locator("iframe")
    inside.locator("realtime-widget[state=idle]").wait_for(state="attached")
    label, changes = gallery.FORMS[name]
    form = inside.locator("realtime-widget").get_attribute("form")
    assert form in {None, changes.get("form", "inline")}
    assert item.get_by_role("heading").inner_text() == label


def test_page_with_its_own_button_talks(demo_page):
    page = demo_page("/gallery/headless/")
    button = page.button("Talk to Robin")
    page.page.locator("realtime-widget[state=idle]").wait_for(state="attached")
    button.click()
    # The first call of the server waits for its models, and hears a greeting.
    page.wait_for_state("listening", timeout_ms=60_000)
    assert button.get_attribute("aria-pressed") == "true"
    assert not page.page.locator("realtime-widget").is_visible()
    button.click()
    page.wait_for_state("idle")
    assert button.get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize("name", gallery.FORMS)
def test_every_form_is_accessible(demo_page, name):
    page = demo_page(f"/gallery/{name}/")
    page.page.locator("realtime-widget[state=idle]").wait_for(state="attached")
    results = Axe().run(page.page)
    assert results.violations_count == 0, results.generate_report()
