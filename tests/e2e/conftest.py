"""A real browser with a recording for a microphone, before the real server.

These tests run in a pytest call of their own (``pytest -m browser``): Playwright
keeps an event loop running in the main thread.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import sync_playwright

from realtime_widget import connectors, signals
from tests.chromium import find_chromium
from tests.e2e import coverage
from tests.e2e.driving import PROBE, Visit
from tests.e2e.sound import write_microphone
from tests.e2e.upstreams import RecordedUpstream

HERE = Path(__file__).parent
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DEVICE = "--use-fake-device-for-media-stream"
ALLOWED = "--use-fake-ui-for-media-stream"
POLICY = "default-src 'self'"
TIMEOUT_MS = 15_000
SIGNAL_S = 10.0


def pytest_collection_modifyitems(items):
    """Mark every test of this folder; those of `engines` name their browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if HERE / "engines" not in item.path.parents:
                item.add_marker(pytest.mark.chromium)


def pytest_sessionfinish():
    """Write down what of the browser code was reached, where that is asked for."""
    coverage.keep()


@pytest.fixture(scope="session", autouse=True)
def rows_beside_a_loop():
    """Let tests read rows although Playwright's loop runs in this thread."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def playwright_driver():
    """Run Playwright, once."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def microphone_file(tmp_path_factory):
    """Return the wav file that the browser's microphone plays from its start."""
    return tmp_path_factory.mktemp("microphone") / "microphone.wav"


def launch(driver, *arguments):
    """Start a browser."""
    return driver.chromium.launch(
        executable_path=find_chromium(), args=[*ARGUMENTS, *arguments]
    )


@pytest.fixture(scope="session")
def chromium(playwright_driver, microphone_file):
    """Start the browser, once: its microphone reads its file anew at every opening."""
    program = launch(
        playwright_driver,
        DEVICE,
        ALLOWED,
        f"--use-file-for-fake-audio-capture={microphone_file}%noloop",
    )
    yield program
    program.close()


@pytest.fixture
def chromium_that_denies(playwright_driver):
    """Start a browser whose visitor does not let the page have the microphone."""
    program = launch(playwright_driver, DEVICE)
    yield program
    program.close()


@pytest.fixture
def chromium_without_microphone(playwright_driver):
    """Start a browser on a machine without a microphone."""
    program = launch(playwright_driver, ALLOWED)
    yield program
    program.close()


@pytest.fixture
def microphone(microphone_file):
    """Return a function that puts samples before the microphone; silence until then."""
    write_microphone(microphone_file)

    def say(*parts):
        return write_microphone(microphone_file, *parts)

    return say


@pytest.fixture
def wait_written():
    """Return a function that waits until all rows of a session are written.

    The page is told of the end first; the signal is sent after the last row.
    """
    written = set()
    changed = threading.Condition()

    def ended(sender, *, conversation, **_):
        with changed:
            written.add(str(conversation.pk))
            changed.notify_all()

    def wait(session_id):
        with changed:
            assert changed.wait_for(lambda: session_id in written, SIGNAL_S)

    signals.session_stopped.connect(ended)
    yield wait
    signals.session_stopped.disconnect(ended)


@pytest.fixture
def visit(chromium, asgi_server, no_sessions_left, microphone, wait_written):
    """Return a function that opens a page of the test site and watches it.

    With ``address`` it is that page, of whatever site. The test site's policy is
    ``default-src 'self'``; a test that leaves a violation behind fails.
    """
    visits = []

    def open_page(
        slug, *, user=None, browser_program=None, headers=None, address="", **options
    ):
        context = (browser_program or chromium).new_context(**options)
        context.set_default_timeout(TIMEOUT_MS)
        if user is not None:
            context.add_cookies([cookie_of(user, asgi_server.url)])
        context.add_init_script(path=PROBE)
        own = page_address(asgi_server.url, slug, headers)
        visits.append(Visit(context, address or own, wait_written))
        return visits[-1]

    yield open_page
    for one in visits:
        one.finish()


def page_address(site, slug, headers=None):
    """Return the test site's page of a widget, under the policy of these tests."""
    wanted = urlencode({"Content-Security-Policy": POLICY, **(headers or {})})
    return f"{site}/page/{slug}/?{wanted}"


def cookie_of(user, url):
    """Return the cookie of somebody who has signed in, as Playwright takes it."""
    client = Client()
    client.force_login(user)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {"name": settings.SESSION_COOKIE_NAME, "value": value, "url": url}


@pytest.fixture
def mira(transactional_db):
    """Return a customer who can sign in."""
    return get_user_model().objects.create_user("mira", first_name="Mira")


@pytest.fixture
def upstreams(monkeypatch):
    """Return the model's ends of this test's sessions, recorded as they were used."""
    opened = []
    make = connectors.CONNECTORS["local"]

    def recorded(provider, caller):
        connect = make(provider, caller)

        async def connect_and_record():
            opened.append(RecordedUpstream(await connect()))
            return opened[-1]

        return connect_and_record

    monkeypatch.setitem(connectors.CONNECTORS, "local", recorded)
    return opened


class SeenSignals:
    """The signals that the server sent, from whatever thread."""

    names = ("session_started", "session_stopped", "transcript_added", "tool_called")

    def __init__(self):
        self.sent = []
        self._changed = threading.Condition()
        self._receivers = {name: self._receiver(name) for name in self.names}
        for name, receive in self._receivers.items():
            getattr(signals, name).connect(receive)

    def _receiver(self, name):
        def receive(sender, *, signal, **arguments):
            with self._changed:
                self.sent.append((name, arguments))
                self._changed.notify_all()

        return receive

    def count(self, name):
        """Return how often a signal was sent."""
        return sum(sent == name for sent, _ in self.sent)

    def wait_for(self, name):
        """Wait until a signal was sent and return its arguments."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.count(name), SIGNAL_S), name
        return next(arguments for sent, arguments in self.sent if sent == name)

    def disconnect(self):
        """Listen no longer."""
        for name, receive in self._receivers.items():
            getattr(signals, name).disconnect(receive)


@pytest.fixture
def signals_seen():
    """Return the signals that this test's sessions send."""
    seen = SeenSignals()
    yield seen
    seen.disconnect()
