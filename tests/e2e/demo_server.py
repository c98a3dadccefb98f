"""The demo site in processes of its own, as ``make demo`` runs it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from threading import Event

ROOT = Path(__file__).parent.parent.parent
START_S = 60


class DemoServer:
    """A demo with a database of its own.

    Args:
        folder: For its database and its log.
    """

    def __init__(self, folder):
        self.folder = folder
        self.database = folder / "demo.sqlite3"
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "demo_site.settings",
            "DEMO_DATABASE": str(self.database),
            "DEMO_SECRET_KEY": "for-one-run",
            "PYTHONUNBUFFERED": "1",
        }
        self.environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_password = ""

    def manage(self, *arguments):
        """Run a management command and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def plant(self):
        """Make the database and the seeds."""
        self.manage("migrate", "--verbosity", "0")
        printed = self.manage("realtime_demo")
        self.admin_password = re.search(r"password (\S+)", printed)[1]

    @contextmanager
    def running(self):
        """Serve the site until the block ends."""
        with (self.folder / "server.log").open("w") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "runserver",
                    "--noreload",
                    str(self.port),
                ],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait(process)
            yield self
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _wait(self, process):
        waiting = Event()
        for _ in range(START_S * 10):
            if process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/", timeout=5):
                    return
            except urllib.error.HTTPError:
                break
            except OSError:
                waiting.wait(0.1)
        raise RuntimeError((self.folder / "server.log").read_text())
