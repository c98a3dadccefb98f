"""Where the browser of the browser tests is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Return the program to start, or None when the machine has none.

    ``CHROMIUM`` names one; then come those on the path, then Playwright's own
    (``playwright install chromium``).
    """
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    on_path = next((path for name in NAMES if (path := shutil.which(name))), None)
    return on_path or _playwrights_own()


def _playwrights_own() -> str | None:
    folder = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    root = Path(folder) if folder else Path.home() / ".cache" / "ms-playwright"
    programs = sorted(root.glob("chromium-*/chrome-linux*/chrome"))
    return str(programs[-1]) if programs else None
