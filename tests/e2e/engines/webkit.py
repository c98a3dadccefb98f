"""WebKitGTK's own small browser, driven by Selenium through its WebDriver."""

from __future__ import annotations

import re
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from tests.browsers import LIBRARIES
from tests.e2e.engines.screen import Screen
from tests.e2e.watching import ANSWERED_MS, WIDGET, Watched

TIMEOUT_MS = 20_000
POLL_S = 0.05
ARGUMENTS = ["--automation", "--autoplay-policy=allow", "--enable-media-stream=true"]
ENVIRONMENT = {
    # Inside a container there is neither bubblewrap nor a graphics card.
    "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
    "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
}
# What a person would find by its name, in an open shadow root.
NAMED = f"""(name) => [...{WIDGET}.shadowRoot.querySelectorAll("button")].find((one) =>
  (one.getAttribute("aria-label") ?? one.textContent).trim() === name &&
  one.checkVisibility())"""
LAST_ANSWER = f"""() => [...{WIDGET}.shadowRoot
  .querySelectorAll("[role=log] .line.assistant")].at(-1)?.innerText ?? \"\""""


class WebKitVisit(Watched):
    """One page in WebKitGTK. Its driver hangs at real clicks: scripts press instead."""

    def __init__(self, driver, wait_written):
        super().__init__(wait_written)
        self._driver = driver

    # --- what a person does

    def press(self, name):
        """Press the button of this name."""
        self.wait_until(f"(name) => Boolean(({NAMED})(name))", name)
        self.evaluate(f"(name) => ({NAMED})(name).click()", name)

    def write(self, text):
        """Type a message and send it."""
        self.evaluate(
            f"""(text) => {{
              const box = {WIDGET}.shadowRoot.querySelector("textarea, input[type=text]");
              box.focus();
              document.execCommand("insertText", false, text);
            }}""",
            text,
        )
        self.press("Send")

    # --- what happened

    def evaluate(self, function, argument=None):
        """Call a JavaScript function in the page."""
        return self._driver.execute_script(
            f"return ({function})(arguments[0])", argument
        )

    def wait_until(self, function, argument=None, *, timeout_ms=None):
        """Wait until a JavaScript function returns something true."""
        until_s = time.monotonic() + (timeout_ms or TIMEOUT_MS) / 1000
        while not self.evaluate(function, argument):
            assert time.monotonic() < until_s, f"never: {function} {argument}"
            time.sleep(POLL_S)

    def wait_for_answer(self, pattern, *, timeout_ms=ANSWERED_MS):
        """Wait until the agent's last words in the page match, and return them."""
        self.wait_until(
            f"(pattern) => new RegExp(pattern, 'i').test(({LAST_ANSWER})())",
            pattern,
            timeout_ms=timeout_ms,
        )
        words = self.evaluate(LAST_ANSWER)
        assert re.search(pattern, words, re.IGNORECASE)
        return words

    def wait_for_alert(self, words):
        """Wait until the widget says what went wrong in these words."""
        self.wait_until(
            f"""(words) => [...{WIDGET}.shadowRoot.querySelectorAll("[role=alert]")]
              .some((one) => one.checkVisibility() && one.innerText.includes(words))""",
            words,
        )

    # --- the end

    def finish(self):
        """No policy may have been broken."""
        violations = self.probe("violations")
        assert len(violations) <= self.allowed_violations, violations


class WebKitProgram:
    """One browser with one page.

    Args:
        room: Where it is heard and spoken to.
    """

    def __init__(self, room, _driver, _preferences):
        self._visit = None
        self._screen = Screen()
        environment = {**room.environment, **ENVIRONMENT}
        environment["DISPLAY"] = self._screen.display
        options = Options()
        options.binary_location = _mini_browser()
        for argument in ARGUMENTS:
            options.add_argument(argument)
        self._service = Service(env=environment)
        try:
            self._service.start()
            answers = ClientConfig(self._service.service_url, timeout=TIMEOUT_MS / 1000)
            self._driver = webdriver.Remote(
                RemoteConnection(client_config=answers), options=options
            )
        except Exception:
            self._end()
            raise

    def visit(self, address, cookies, wait_written):
        """Open a page of the test site, which brings the probe: a driver cannot."""
        address += "&probe=1"
        self._driver.set_page_load_timeout(TIMEOUT_MS / 1000)
        self._driver.get(address)
        if cookies:
            for cookie in cookies:
                self._driver.add_cookie(
                    {"name": cookie["name"], "value": cookie["value"]}
                )
            self._driver.get(address)
        self._visit = WebKitVisit(self._driver, wait_written)
        self._visit.wait_until(
            "() => Boolean(customElements.get('realtime-widget')"
            " && document.querySelector('realtime-widget')?.shadowRoot)"
        )
        return self._visit

    def finish(self):
        """Close it."""
        try:
            if self._visit is not None:
                self._visit.finish()
        finally:
            self._driver.quit()
            self._end()

    def _end(self):
        self._service.stop()
        self._screen.close()


def _mini_browser():
    return str(
        next(
            path
            for folder in LIBRARIES
            for path in sorted(Path(folder).glob("*/webkit2gtk-4.*/MiniBrowser"))
        )
    )
