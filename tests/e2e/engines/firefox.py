"""The distribution's own Firefox, driven by Playwright (WebDriver BiDi)."""

from __future__ import annotations

from tests.browsers import find_firefox
from tests.e2e.driving import PROBE, Visit

TIMEOUT_MS = 20_000
PREFERENCES = {
    # Nobody is there to answer the question for the microphone.
    "media.navigator.permission.disabled": True,
    # A press is a gesture here as well; a page that begins by itself is another test.
    "media.autoplay.default": 0,
    # One page needs no processes kept ready for the next.
    "dom.ipc.processPrelaunch.enabled": False,
}


class FirefoxVisit(Visit):
    """A page in Firefox, which tells of every lost connection as if it were a fault."""

    def note_fault(self, message):
        """Take what a script of the page failed with."""
        # "... interrupted while the page was loading", "can't establish a connection".
        if "ws://" not in message:
            super().note_fault(message)


class FirefoxProgram:
    """One Firefox with one page.

    Args:
        room: Where it is heard and spoken to.
        driver: Playwright.
        preferences: Of the browser, besides those that every test has.
    """

    def __init__(self, room, driver, preferences):
        self._visit = None
        self._program = driver.firefox.launch(
            channel="moz-firefox",
            executable_path=find_firefox(),
            env=room.environment,
            firefox_user_prefs={**PREFERENCES, **preferences},
        )

    def visit(self, address, cookies, wait_written):
        """Open a page, with the probe in it."""
        context = self._program.new_context()
        context.set_default_timeout(TIMEOUT_MS)
        if cookies:
            context.add_cookies(cookies)
        context.add_init_script(path=PROBE)
        self._visit = FirefoxVisit(context, address, wait_written)
        return self._visit

    def finish(self):
        """Close it; no script may have failed, no policy may have been broken."""
        try:
            if self._visit is not None:
                self._visit.finish()
        finally:
            self._program.close()
