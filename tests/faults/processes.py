"""Real servers in processes of their own, on databases and caches that a test names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.faults.machines import HOST, free_port
from tests.servers import RunningServer

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 30.0
# A call may be kept a while for a visitor who comes back.
LEFT_TIMEOUT_S = 45.0
COMMANDS = {
    "daphne": ["daphne", "-v", "0", "-b", HOST, "-p", "{port}"],
    # As the page on deployment says.
    "uvicorn": ["uvicorn", "--host", HOST, "--port", "{port}", "--lifespan", "off"]
    + ["--loop", "uvloop", "--ws", "websockets-sansio", "--ws-max-size", "262144"]
    + ["--ws-per-message-deflate", "false", "--no-access-log"],
}
COMMANDS["daphne, quick pings"] = [
    *COMMANDS["daphne"],
    *("--ping-interval", "1", "--ping-timeout", "3"),
]
COMMANDS["uvicorn, quick pings"] = [
    *COMMANDS["uvicorn"],
    *("--ws-ping-interval", "1", "--ws-ping-timeout", "3"),
]
COMMANDS["two workers"] = [*COMMANDS["uvicorn"], "--workers", "2"]


@dataclass
class Surroundings:
    """Where a server process finds what it shares with others.

    Attributes:
        database: As in ``settings.DATABASES``.
        cache: URL of a Redis.
        layer: URL of a Redis.
        widget: As in ``settings.REALTIME_WIDGET``.
    """

    database: dict[str, Any]
    cache: str
    layer: str
    widget: dict[str, Any] = field(default_factory=dict)

    def environment(self):
        """Return the variables that tests.faults.settings reads."""
        # Every page of a test comes from one address.
        widget = {"SESSIONS_PER_IP": 0, "OPENS_PER_MINUTE_PER_IP": 0, **self.widget}
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "FAULTS_DATABASE": json.dumps(self.database),
            "FAULTS_CACHE": self.cache,
            "FAULTS_LAYER": self.layer,
            "FAULTS_WIDGET": json.dumps(widget),
        }


class ServerProcess:
    """One server process; ``kill`` and ``terminate`` are the real signals.

    Args:
        kind: ``daphne``, ``uvicorn``, ``two workers`` of uvicorn's supervisor, or one
            that finds a silent network soon.
        surroundings: What it shares with others.
    """

    def __init__(self, kind, surroundings):
        self.name = kind
        self.port = free_port()
        server = RunningServer(kind, self.port)
        self.url, self.ws_url = server.url, server.ws_url
        command = [part.format(port=self.port) for part in COMMANDS[kind]]
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command, "tests.asgi:application"],
            cwd=ROOT,
            env=surroundings.environment(),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            # A group of its own, so that a supervisor's workers end with it.
            start_new_session=True,
        )

    def wait_until_healthy(self):
        """Wait for the first good answer of its health address."""
        until_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until_s:
            assert self.process.poll() is None, self.said()
            try:
                if self.health().status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{self.name} did not start: {self.said()}")

    def health(self):
        """Return the answer of the health address."""
        return httpx.get(f"{self.url}/realtime/health", trust_env=False, timeout=10)

    def assert_nothing_left(self):
        """Wait until no call has a task or a place in the process."""
        until_s = time.monotonic() + LEFT_TIMEOUT_S
        while True:
            left = httpx.get(f"{self.url}/left/", trust_env=False, timeout=10).json()
            if left == {"sessions": 0, "tasks": []}:
                return
            assert time.monotonic() < until_s, f"{self.name} still holds {left}"
            time.sleep(0.1)

    def said(self):
        """Return what the process wrote to its log."""
        self._log.seek(0)
        return self._log.read()

    def terminate(self):
        """Ask it to stop, as a deploy does."""
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        """End it at once, as the kernel does when memory is short."""
        self.process.kill()
        self.process.wait()

    def wait(self, timeout_s=20):
        """Return the exit code, once it is gone."""
        return self.process.wait(timeout_s)

    def close(self):
        """End it and all its workers, if they still run."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._log.close()
