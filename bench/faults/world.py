"""The site of the fault benchmarks: its own PostgreSQL and Redis, and server processes."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import django

from tests.fakes.tcp_proxy import TcpProxy
from tests.faults.machines import HOST, Missing, OwnPostgres, OwnRedis
from tests.faults.parts import ENGINE
from tests.faults.processes import ServerProcess, Surroundings

SLUG: Final = "support"
WAIT_S: Final = 30.0


class World:
    """Everything the legs share; made by ``world``."""

    def __init__(self, stack: ExitStack, surroundings: Surroundings) -> None:
        self._stack = stack
        self._surroundings = surroundings

    def servers(self, *kinds: str) -> list[ServerProcess]:
        """Start server processes, all at the same time; they end with the world."""
        servers = [ServerProcess(kind, self._surroundings) for kind in kinds]
        for server in servers:
            self._stack.callback(server.close)
        for server in servers:
            server.wait_until_healthy()
        return servers

    def network(self, server: ServerProcess) -> TcpProxy:
        """Return a network of ours before a server."""
        proxy = TcpProxy(server.port).start()
        self._stack.callback(proxy.stop)
        return proxy


@contextmanager
def world() -> Iterator[World]:
    """Make the machines, the tables and one widget of the embedded engine.

    Raises:
        Missing: If this machine lacks Redis or PostgreSQL.
    """
    with ExitStack() as stack:
        redis, postgres = OwnRedis(), OwnPostgres()
        stack.callback(postgres.remove)
        redis.start()
        stack.callback(redis.kill)
        postgres.start()
        surroundings = Surroundings(
            database=_database(postgres.port),
            cache=f"redis://{HOST}:{redis.port}/0",
            layer=f"redis://{HOST}:{redis.port}/1",
            widget={
                "ENGINE": {**ENGINE, "DIALOGUE": "bench.faults.remembering.dialogue"}
            },
        )
        os.environ.update(surroundings.environment())
        django.setup()
        from django.db import connections

        stack.callback(connections.close_all)
        _seed()
        yield World(stack, surroundings)


def until(condition: Callable[[], Any], what: str, *, within_s: float = WAIT_S) -> Any:
    """Return what the condition gives once it is true.

    Raises:
        RuntimeError: If it does not come true in time.
    """
    until_s = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > until_s:
            raise RuntimeError(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.05)
    return value


def full_jitter_s(tries: int, first_s: float, most_s: float) -> float:
    """Return how long to wait before another try: anything up to a doubling bound."""
    return random.uniform(0.0, min(most_s, first_s * 2**tries))


def _database(port: int) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": HOST,
        "PORT": str(port),
    }


def _seed() -> None:
    from django.core.management import call_command

    from realtime_widget.models import Widget
    from tests.app.rows import make_widget

    call_command("migrate", verbosity=0)
    if not Widget.objects.filter(slug=SLUG).exists():
        make_widget(SLUG, text_only=True, text_box=True)


__all__ = ["HOST", "SLUG", "Missing", "World", "full_jitter_s", "until", "world"]
