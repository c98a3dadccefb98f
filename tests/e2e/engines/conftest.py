"""Firefox and WebKitGTK, each in a room where it is heard and spoken to.

A test names its browsers: ``@in_firefox`` or ``@in_every_engine`` of `engines`.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.e2e.conftest import cookie_of, page_address
from tests.e2e.engines.firefox import FirefoxProgram
from tests.e2e.engines.room import Room
from tests.e2e.engines.webkit import WebKitProgram

PROGRAMS = {"firefox": FirefoxProgram, "webkit": WebKitProgram}


@pytest.fixture
def room():
    """Run a sound server with a loudspeaker and a microphone."""
    # Not pytest's folder: a socket's path may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="room-"))
    room = Room(folder)
    try:
        yield room.open()
    finally:
        room.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def visit(
    request,
    engine,
    room,
    playwright_driver,
    asgi_server,
    no_sessions_left,
    wait_written,
):
    """Return a function that opens the one page of this test and watches it.

    Each test has a browser of its own. ``preferences`` are the browser's; ``address``
    is that of a page of the same site.
    """
    opened = []

    def open_page(slug, *, user=None, preferences=None, address="", headers=None):
        program = PROGRAMS[engine](room, playwright_driver, preferences or {})
        opened.append(program)
        cookies = [cookie_of(user, asgi_server.url)] if user else []
        own = page_address(asgi_server.url, slug, headers)
        return program.visit(address or own, cookies, wait_written)

    yield open_page
    for program in opened:
        program.finish()
