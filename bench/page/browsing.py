"""A real Chromium with a microphone, and what the benchmark adds to its pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import sync_playwright

from tests.chromium import find_chromium

TIMEOUT_MS = 30_000
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A microphone that beeps once a second, and a visitor who lets the page have it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
WIDGET = "document.querySelector('realtime-widget')"


@contextmanager
def chromium() -> Iterator[Any]:
    """Run the browser until the block ends."""
    with sync_playwright() as driver:
        program = driver.chromium.launch(
            executable_path=find_chromium(), args=ARGUMENTS
        )
        try:
            yield program
        finally:
            program.close()


@contextmanager
def new_page(program: Any) -> Iterator[Any]:
    """Return a page of a visitor who has never been here: nothing is cached."""
    context = program.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


def start_button(page: Any) -> Any:
    """Return the button that begins a conversation."""
    return page.get_by_role("button", name="Start conversation", exact=True)
