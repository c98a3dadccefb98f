"""The widget in a real browser: what it weighs and how quick it is (``--only-page``)."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.bridge import Bench
from bench.processes import LOAD_CORE, free_port, running

SERVER = (
    *("-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}"),
    *("--loop", "uvloop", "--ws", "websockets-sansio", "--log-level", "error"),
    *("--ws-per-message-deflate", "false", "--lifespan", "off"),
    "bench.site.page_asgi:application",
)


def measure(options: argparse.Namespace) -> list[str]:
    """Return the lines about the page, or why it could not be measured.

    Args:
        options: ``page_visits``, how many pages are opened for each figure.
    """
    from tests.chromium import find_chromium

    if find_chromium() is None:
        return ["page: not measured, needs Chromium (apt-get install chromium)"]
    from bench.page import first_paint, talking

    lines = []
    with tempfile.TemporaryDirectory(prefix="realtime-widget-bench-") as name:
        bench, port = Bench(options, Path(name)), free_port()
        arguments = [part.format(port=port) for part in SERVER]
        with (
            bench.model(),
            running(
                arguments, core=LOAD_CORE, port=port, environment=bench.environment
            ),
        ):
            url = f"http://127.0.0.1:{port}"
            lines += first_paint.measure(url, options.page_visits)
            lines += talking.measure(url, options.page_visits)
    return lines
