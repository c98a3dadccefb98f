"""One Redis and one PostgreSQL for all modules; server processes for each."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

import pytest
from django.core.management import call_command
from django.db import connections, router

from tests.app.rows import make_widget
from tests.conftest import MUST_RUN
from tests.fakes.tcp_proxy import TcpProxy
from tests.faults.machines import HOST, Missing, OwnPostgres, OwnRedis
from tests.faults.processes import ServerProcess, Surroundings

ALIAS = "faults"


class EverythingInOurOwn:
    """A database router: the test reads and writes what the servers do."""

    def __init__(self, alias):
        self._alias = alias

    def db_for_read(self, model, **hints):
        return self._alias

    db_for_write = db_for_read


def made(machine):
    """Return a machine, or skip (fail where all must run) for what is missing."""
    try:
        return machine()
    except Missing as exc:
        if MUST_RUN:
            pytest.fail(str(exc), pytrace=False)
        pytest.skip(str(exc))


@pytest.fixture(scope="session")
def redis():
    """Run a Redis of our own; a test that kills it starts it again."""
    server = made(OwnRedis)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def postgres():
    """Run a PostgreSQL of our own; a test that stops it starts it again."""
    cluster = made(OwnPostgres)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


def database_on(port):
    """Return the settings of the own PostgreSQL behind this port."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": HOST,
        "PORT": str(port),
        # Bounded waits, as the page on deployment tells to set them.
        "OPTIONS": {"connect_timeout": 2, "options": "-c statement_timeout=5000"},
    }


@contextmanager
def everything_in(database, blocker, alias):
    """Make the tables of a database, and let this process see what the servers see."""
    settings = connections.configure_settings({"default": {}, alias: database})
    connections.settings[alias] = settings[alias]
    with blocker.unblock():
        call_command("migrate", database=alias, verbosity=0)
        routers, router.routers = router.routers, [EverythingInOurOwn(alias)]
        try:
            yield
        finally:
            router.routers = routers
            connections[alias].close()
    del connections.settings[alias]


@pytest.fixture(scope="session")
def rows(postgres, django_db_blocker):
    """Make the tables, and let this process see what the servers see."""
    with everything_in(database_on(postgres.port), django_db_blocker, ALIAS):
        yield


@pytest.fixture(scope="module")
def own_rows(rows):
    """Let a module make rows of its own, whatever became of the database before."""
    connections[ALIAS].close()


@pytest.fixture(scope="session")
def widget(rows):
    """Return a widget that answers in writing, from the embedded engine."""
    return make_widget(text_only=True, text_box=True, tools=["slow", "opening_hours"])


@pytest.fixture(scope="module")
def proxies():
    """Return a function that puts a network of ours before a port."""
    with ExitStack() as stack:

        def make(port):
            proxy = TcpProxy(port).start()
            stack.callback(proxy.stop)
            return proxy

        yield make


@pytest.fixture
def balancer():
    """Return an address that is every process's, as a site's own is."""
    proxy = TcpProxy(0).start()
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def surroundings(redis, postgres, widget):
    """Return what the servers of a module share; a module may change it."""
    return Surroundings(
        database=database_on(postgres.port),
        cache=f"redis://{HOST}:{redis.port}/0",
        layer=f"redis://{HOST}:{redis.port}/1",
    )


@pytest.fixture(scope="module")
def launch(surroundings):
    """Return a function that starts servers, all at the same time."""
    with ExitStack() as stack:

        def start(*kinds):
            servers = [ServerProcess(kind, surroundings) for kind in kinds]
            for server in servers:
                stack.callback(server.close)
            for server in servers:
                server.wait_until_healthy()
            return servers

        yield start


@pytest.fixture(scope="module")
def pair(launch):
    """Run one server of each kind: they fail in different ways.

    After all the faults of a module nothing of any call may be left in them.
    """
    servers = launch("daphne", "uvicorn")
    yield servers
    for server in servers:
        server.assert_nothing_left()
