"""Real servers in a thread of the test process.

Tests and server share the process, so a test can hand the server its own
connector, catch signals and read the rows the server wrote.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from channels.routing import get_default_application
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

HOST = "127.0.0.1"
START_TIMEOUT_S = 10.0


class FilesForEverySite:
    """Static files as the page on embedding tells to send them: readable anywhere.

    Args:
        application: The whole site.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer; a static file with ``Access-Control-Allow-Origin: *``."""

        async def send_allowed(message: Any) -> None:
            if message["type"] == "http.response.start":
                allowed = (b"access-control-allow-origin", b"*")
                message = {**message, "headers": [*message["headers"], allowed]}
            await send(message)

        is_file = scope["type"] == "http" and scope["path"].startswith("/static/")
        await self._application(scope, receive, send_allowed if is_file else send)


def _site() -> Any:
    files = ASGIStaticFilesHandler(get_default_application())
    return FilesForEverySite(files)


@dataclass(frozen=True)
class RunningServer:
    """Where a server of the test process listens."""

    name: str
    port: int
    host: str = HOST

    @property
    def url(self) -> str:
        """Return the address of its pages, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Return the address of its sockets, without a slash at the end."""
        return f"ws://{self.host}:{self.port}"


def run_daphne() -> Iterator[RunningServer]:
    """Run Daphne until the generator ends; once a process, its reactor ends with it."""
    from daphne.endpoints import build_endpoint_description_strings
    from daphne.server import Server, reactor

    ready = threading.Event()
    server = Server(
        application=_site(),
        endpoints=build_endpoint_description_strings(host=HOST, port=0),
        signal_handlers=False,
        ready_callable=ready.set,
        verbosity=0,
    )
    thread = threading.Thread(target=server.run, name="daphne", daemon=True)
    thread.start()
    if not ready.wait(START_TIMEOUT_S):
        raise RuntimeError("Daphne did not start")
    yield RunningServer("daphne", server.listening_addresses[0][1])
    reactor.callFromThread(reactor.stop)
    thread.join(START_TIMEOUT_S)


def run_uvicorn() -> Iterator[RunningServer]:
    """Run uvicorn as the deployment pages say: own ws implementation, no deflate."""
    import uvicorn

    config = uvicorn.Config(
        _site(),
        host=HOST,
        port=0,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=256 * 1024,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="uvicorn", daemon=True)
    thread.start()
    waiting = threading.Event()
    for _ in range(int(START_TIMEOUT_S * 100)):
        if server.started:
            break
        waiting.wait(0.01)
    else:
        raise RuntimeError("uvicorn did not start")
    yield RunningServer("uvicorn", server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join(START_TIMEOUT_S)
