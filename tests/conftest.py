"""Fixtures and rules of the whole suite.

What a machine lacks (a browser, Redis, PostgreSQL) skips its tests by name;
with ``CI=true`` it fails them, so that nothing is silently left out there.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asgiref.sync import SyncToAsync
from django.db import connections

from tests.browsers import ENGINES, missing_for
from tests.chromium import find_chromium
from tests.fakes import official
from tests.servers import RunningServer, run_daphne, run_uvicorn

# The official clients have an environment and settings of their own: make test-clients.
collect_ignore = ["clients"]

HERE = Path(__file__).parent
WHOLE_MACHINE = ("e2e", "faults")
MUST_RUN = os.environ.get("CI", "").lower() in ("1", "true")


def _chromium() -> str:
    if find_chromium():
        return ""
    return "needs Chromium (apt-get install chromium, or playwright install chromium)"


def _engine(name: str) -> str:
    missing = missing_for(name)
    packages = " ".join(ENGINES[name].packages)
    if not missing:
        return ""
    return f"needs {', '.join(missing)} (apt-get install {packages})"


def _redis() -> str:
    return "" if shutil.which("redis-server") else "needs redis-server"


def _postgres() -> str:
    if os.environ.get("TEST_DATABASE") == "postgres":
        return ""
    return "needs PostgreSQL: set TEST_DATABASE=postgres and PGHOST, PGUSER"


def _speech() -> str:
    parts = ("numpy", "onnxruntime", "faster_whisper", "hibari")
    missing = [name for name in parts if importlib.util.find_spec(name) is None]
    return f"needs the [local] extra: {', '.join(missing)}" if missing else ""


# Marker -> what is missing in words, "" when nothing is.
REQUIREMENTS: dict[str, Callable[[], str]] = {
    "chromium": _chromium,
    "firefox": lambda: _engine("firefox"),
    "webkit": lambda: _engine("webkit"),
    "redis": _redis,
    "speech": _speech,
    "postgres": _postgres,
}


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers that this file gives a meaning."""
    config.addinivalue_line("markers", "redis: needs a Redis server program")
    config.addinivalue_line("markers", "postgres: needs a PostgreSQL server")
    config.addinivalue_line("markers", "chromium: needs Chromium")
    config.addinivalue_line("markers", "firefox: needs Firefox and a sound server")
    config.addinivalue_line("markers", "webkit: needs WebKitGTK and a sound server")


def pytest_unconfigure() -> None:
    """Remove the side files of the test database; other threads had it open."""
    from tests.settings import DATABASES

    name = DATABASES["default"].get("TEST", {}).get("NAME", "")
    for suffix in ("-wal", "-shm"):
        Path(f"{name}{suffix}").unlink(missing_ok=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that need a whole machine to themselves try once more.

    A browser or a server that was killed may miss a deadline while something else has
    the processor. The summary names each such test: one that is named twice is a fault.
    """
    for item in items:
        if any(HERE / folder in item.path.parents for folder in WHOLE_MACHINE):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail where everything must run, what the machine cannot do."""
    for marker, missing in REQUIREMENTS.items():
        if item.get_closest_marker(marker) is None:
            continue
        reason = missing()
        if reason and MUST_RUN and marker != "postgres":
            pytest.fail(f"{marker} test: {reason}", pytrace=False)
        if reason:
            pytest.skip(reason)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Close what asgiref's thread has open, or PostgreSQL keeps the test database."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture(scope="session")
def watched_engines() -> Iterator[list[str]]:
    """Watch the events of every embedded engine in this process."""
    with official.watching() as wrong:
        yield wrong


@pytest.fixture(autouse=True)
def _engine_speaks_the_protocol(watched_engines: list[str]) -> Iterator[None]:
    """Fail a test whose engine sent what the official client does not know."""
    yield
    wrong, watched_engines[:] = list(watched_engines), []
    assert not wrong, wrong[0]


@pytest.fixture(scope="session")
def asgi_server() -> Iterator[RunningServer]:
    """Run the test site on a real Daphne, once for the whole run.

    A test that uses it marks itself ``django_db(transaction=True)``: the server's
    threads have connections of their own and see only what is committed.
    """
    yield from run_daphne()


@pytest.fixture(scope="session")
def uvicorn_server() -> Iterator[RunningServer]:
    """Run the test site on a real uvicorn, once for the whole run."""
    yield from run_uvicorn()


@pytest.fixture
def no_sessions_left(transactional_db: None) -> Iterator[None]:
    """Wait for what the test began; fail when a session keeps its place.

    The database is emptied behind the test, so nobody may still write to it.
    """
    # What it looks at needs Django, which is not set up when this file is read.
    from tests.settling import wait_until_settled

    yield
    wait_until_settled()
