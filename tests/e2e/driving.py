"""One visitor's page, driven and watched the way a person would, by Playwright."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.coverage import PageCoverage
from tests.e2e.watching import ANSWERED_MS, Watched

PROBE = Path(__file__).parents[1] / "site" / "static" / "site" / "probe.js"


class Visit(Watched):
    """A browser context with one page of the test site.

    Args:
        context: Playwright's browser context, with the probe installed.
        url: Of the page.
        wait_written: As `Watched` has it.
    """

    def __init__(self, context, url, wait_written=None):
        super().__init__(wait_written)
        self.context = context
        self.url = url
        self.faults = []
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.note_fault(str(error)))
        self._coverage = PageCoverage(self.page)
        self.page.goto(url)

    # --- what a person does

    @property
    def widget(self):
        """The element."""
        return self.page.locator("realtime-widget")

    def button(self, name):
        """Return the button of this name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, name):
        """Press the button of this name."""
        self.button(name).click()

    def hold(self, name):
        """Press the button of this name and keep it."""
        self.button(name).hover()
        self.page.mouse.down()

    def let_go(self):
        """End what `hold` began."""
        self.page.mouse.up()

    def write(self, text):
        """Type a message and send it."""
        self.page.get_by_role("textbox").fill(text)
        self.press("Send")

    @property
    def log(self):
        """Where both sides' words are written."""
        return self.page.get_by_role("log")

    @property
    def alert(self):
        """Where the widget says what went wrong."""
        return self.page.get_by_role("alert")

    # --- what happened

    def evaluate(self, function, argument=None):
        """Call a JavaScript function in the page."""
        return self.page.evaluate(function, argument)

    def wait_until(self, function, argument=None, *, timeout_ms=None):
        """Wait until a JavaScript function returns something true."""
        self.page.wait_for_function(function, arg=argument, timeout=timeout_ms)

    def wait_for_answer(self, pattern, *, timeout_ms=ANSWERED_MS):
        """Wait until the agent's words in the page match, and return them."""
        words = self.log.get_by_text(re.compile(pattern, re.IGNORECASE)).last
        words.wait_for(timeout=timeout_ms)
        return words.inner_text()

    def wait_for_alert(self, words):
        """Wait until the widget says what went wrong in these words."""
        self.alert.get_by_text(words).wait_for()

    def note_fault(self, message):
        """Take what a script of the page failed with."""
        self.faults.append(message)

    # --- the end

    def finish(self):
        """Close it; no script may have failed, no policy may have been broken."""
        violations = []
        if not self.page.is_closed():
            violations = self.probe("violations")
            self._coverage.take()
        self.context.close()
        assert not self.faults, self.faults
        assert len(violations) <= self.allowed_violations, violations
