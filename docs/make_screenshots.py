"""Take the pictures in ``docs/images`` from the real demo: ``python -m docs.make_screenshots``.

Starts the demo with a database of its own, talks to it, and photographs it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium import find_chromium
from tests.e2e.demo_server import DemoServer

IMAGES = Path(__file__).parent / "images"
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # A missing file is a silent microphone.
    "--use-file-for-fake-audio-capture=/nonexistent.wav",
]
TIMEOUT_MS = 30_000


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        demo = DemoServer(Path(folder))
        demo.plant()
        browser = driver.chromium.launch(
            executable_path=find_chromium(), args=ARGUMENTS
        )
        with demo.running():
            _customer(browser, demo, "widget", "Where is my order 1042?", **DESKTOP)
            _customer(
                browser,
                demo,
                "dark",
                "When are you open on Saturday?",
                color_scheme="dark",
                **DESKTOP,
            )
            _phone(browser, demo)
            _arabic(browser, demo)
            _gallery(browser, demo)
            _admin(browser, demo)
        browser.close()
    for path in IMAGES.glob("*.png"):
        _keep_small(path)


def _keep_small(path: Path) -> None:
    """Write a picture anew with 256 colours, a third of its size."""
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def _open(browser: Browser, **options: object) -> Page:
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(TIMEOUT_MS)
    return context.new_page()


def _sign_in(page: Page, demo: DemoServer) -> None:
    page.goto(f"{demo.url}/demo-login/")
    page.get_by_role("button", name="Sign in as Mira (demo)").click()


def _talk(page: Page, message: str) -> None:
    """Write a message in a spoken session and wait until the answer was spoken."""
    page.get_by_role("button", name="Start conversation").click()
    state = page.locator("realtime-widget[state=listening]")
    state.wait_for()
    page.get_by_role("textbox").fill(message)
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator("realtime-widget[state=speaking]").wait_for()
    state.wait_for()


def _customer(
    browser: Browser, demo: DemoServer, name: str, asked: str, **options: object
) -> None:
    """Photograph the start page with a customer in conversation."""
    page = _open(browser, **options)
    _sign_in(page, demo)
    page.goto(f"{demo.url}/")
    _talk(page, asked)
    page.screenshot(path=IMAGES / f"{name}.png")
    page.context.close()


def _phone(browser: Browser, demo: DemoServer) -> None:
    """Photograph the widget on a phone."""
    page = _open(browser, **PHONE)
    _sign_in(page, demo)
    page.goto(f"{demo.url}/hours/")
    _talk(page, "Book a tune-up on Tuesday at ten.")
    page.locator("realtime-widget").scroll_into_view_if_needed()
    page.screenshot(path=IMAGES / "phone.png")
    page.context.close()


def _arabic(browser: Browser, demo: DemoServer) -> None:
    """Photograph the page that runs from right to left."""
    page = _open(browser, **DESKTOP)
    page.goto(f"{demo.url}/ar/")
    page.get_by_role("textbox").fill("ما هي ساعات العمل؟")
    page.get_by_role("textbox").press("Enter")
    page.get_by_role("log").get_by_text("الاثنين").wait_for()
    page.screenshot(path=IMAGES / "rtl.png")
    page.context.close()


def _gallery(browser: Browser, demo: DemoServer) -> None:
    """Photograph the looks, and the forms."""
    page = _open(browser, viewport={"width": 1280, "height": 2000})
    page.goto(f"{demo.url}/gallery/")
    page.locator("realtime-widget .orb").last.wait_for()
    page.locator(".looks").nth(3).scroll_into_view_if_needed()
    page.evaluate("() => scrollTo(0, 0)")
    page.screenshot(path=IMAGES / "gallery.png")
    forms = page.locator(".forms")
    forms.scroll_into_view_if_needed()
    for frame in forms.locator("iframe").all():
        frame.scroll_into_view_if_needed()
        shown = frame.content_frame.locator("realtime-widget[state=idle]")
        shown.wait_for(state="attached")
    forms.screenshot(path=IMAGES / "forms.png")
    page.context.close()


def _admin(browser: Browser, demo: DemoServer) -> None:
    """Photograph a conversation in the admin, and a widget's looks."""
    page = _open(browser, **DESKTOP)
    page.goto(f"{demo.url}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(demo.admin_password)
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{demo.url}/admin/realtime_widget/widget/")
    page.get_by_role("link", name="support", exact=True).click()
    page.get_by_role("heading", name="What visitors see").scroll_into_view_if_needed()
    page.evaluate(
        "() => document.querySelector('.field-theme').closest('fieldset').scrollIntoView()"
    )
    page.screenshot(path=IMAGES / "admin-looks.png")
    page.goto(f"{demo.url}/admin/realtime_widget/conversation/")
    page.locator("#result_list tbody tr").last.locator("th a").click()
    page.get_by_text("Order 1042").first.scroll_into_view_if_needed()
    page.screenshot(path=IMAGES / "admin.png")
    page.context.close()


if __name__ == "__main__":
    main()
