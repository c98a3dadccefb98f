"""What of the browser code these tests reach, by Chromium's own count.

Only with ``JS_COVERAGE`` in the environment, the name of a file to add to; see
``tests/js_coverage.py``.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests import js_coverage

KEPT_AT = os.environ.get("JS_COVERAGE", "")

_reached: js_coverage.Reached = {}


class PageCoverage:
    """The count of one page, of all documents that it shows.

    Args:
        page: Playwright's, before anything is loaded.
    """

    def __init__(self, page):
        self._session = None
        if not KEPT_AT or page.context.browser.browser_type.name != "chromium":
            return
        self._session = page.context.new_cdp_session(page)
        self._session.send("Profiler.enable")
        wish = {"callCount": True, "detailed": True}
        self._session.send("Profiler.startPreciseCoverage", wish)

    def take(self):
        """Add what ran so far."""
        if self._session is not None:
            taken = self._session.send("Profiler.takePreciseCoverage")
            js_coverage.merge(_reached, taken["result"])


def keep():
    """Write down what all pages reached."""
    if KEPT_AT:
        js_coverage.write(Path(KEPT_AT), _reached)
