"""Real servers in a thread of the test process.

Tests and server share the process, so a test can hand the server its own
connector, catch signals and read the rows the server wrote.
"""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from channels.routing import get_default_application
from django.conf import settings
from django.contrib.staticfiles import finders

HOST = "127.0.0.1"
START_TIMEOUT_S = 10.0


class WithStaticFiles:
    """A site and its static files, sent as the page on embedding tells: for any site.

    Each file is sent at once: a page that is closed while it loads leaves no open file
    behind in this process, as a streamed answer would.

    Args:
        application: The whole site.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer; a static file with ``Access-Control-Allow-Origin: *``."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(settings.STATIC_URL):
            await self._application(scope, receive, send)
            return
        status, kind, body = _static_file(path.removeprefix(settings.STATIC_URL))
        headers = [
            (b"content-type", kind.encode()),
            (b"access-control-allow-origin", b"*"),
        ]
        await send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": body})


def _static_file(name: str) -> tuple[int, str, bytes]:
    found = finders.find(name)
    if not found:
        return 404, "text/plain", b""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return 200, kind, Path(found).read_bytes()


def _site() -> Any:
    return WithStaticFiles(get_default_application())


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
