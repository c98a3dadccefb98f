"""The engine's server on a real port."""

from __future__ import annotations

from contextlib import asynccontextmanager

from realtime_widget.engine.server import serve
from tests.fakes.engine import make_parts


@asynccontextmanager
async def running(parts=None, **options):
    """Run a server; yield ``127.0.0.1:<port>``."""
    async with await serve("127.0.0.1", 0, parts or make_parts(), **options) as server:
        yield address_of(server)


def address_of(server):
    """Return ``host:port`` of a server."""
    host, port = next(iter(server.sockets)).getsockname()
    return f"{host}:{port}"
