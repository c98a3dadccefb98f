"""A Redis and a PostgreSQL of the suite's own, on free ports, from the installed programs.

They can be killed and started again on the same port; the machine's own servers are
never touched.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

HOST = "127.0.0.1"
START_TIMEOUT_S = 20.0


class Missing(Exception):
    """A program that the machine lacks, in words."""


def free_port():
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def wait_for(condition, what):
    """Wait until the condition holds."""
    until_s = time.monotonic() + START_TIMEOUT_S
    while not condition():
        if time.monotonic() > until_s:
            raise AssertionError(f"{what} in {START_TIMEOUT_S:.0f} s")
        time.sleep(0.02)


class OwnRedis:
    """A ``redis-server`` that keeps nothing on disk."""

    def __init__(self):
        self.program = shutil.which("redis-server")
        if self.program is None:
            raise Missing("needs redis-server (apt-get install redis-server)")
        self.port = free_port()
        self._process = None

    def start(self):
        """Start it and wait until it answers."""
        command = [self.program, "--port", str(self.port), "--bind", HOST]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no"],
            cwd=tempfile.gettempdir(),
            stdout=subprocess.DEVNULL,
        )
        wait_for(self._answers, "Redis did not start")

    def kill(self):
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()

    def _answers(self):
        try:
            with socket.create_connection((HOST, self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


class OwnPostgres:
    """A PostgreSQL cluster in a folder of its own.

    PostgreSQL refuses to run as root, so root gives it the account that the package
    made.
    """

    def __init__(self):
        self._programs = _postgres_programs()
        self._account = _account()
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="realtime-widget-pg-"))
        if self._account:
            shutil.chown(self._folder, self._account)
        self._data = self._folder / "data"
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-N")

    def start(self):
        """Start it and wait until it takes connections."""
        # Nothing here outlives the machine, so nothing waits for its disk.
        options = f"-p {self.port} -k {self._folder} -c listen_addresses={HOST}"
        options += " -c fsync=off -c full_page_writes=off"
        log = self._folder / "log"
        self._control("start", "-w", "-l", log, "-o", options)

    def stop(self):
        """End it as a crash does: every connection is cut."""
        self._control("stop", "-m", "immediate")

    def remove(self):
        """Stop it if it runs, and leave nothing behind."""
        if (self._data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self._folder)

    def _control(self, command, *options):
        self._run("pg_ctl", command, "-D", self._data, *options)

    def _run(self, program, *options):
        as_account = {}
        if self._account:
            as_account = {"user": self._account, "group": self._account}
            as_account["extra_groups"] = []
        done = subprocess.run(
            [self._programs / program, *map(str, options)],
            cwd=self._folder,
            # Not a pipe: the server keeps what it inherits.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            **as_account,
        )
        assert done.returncode == 0, f"{program} {options[0]} failed"


def _postgres_programs():
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise Missing("needs PostgreSQL's programs (apt-get install postgresql)")


def _account():
    if os.geteuid() != 0:
        return ""
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise Missing("needs the account postgres to run PostgreSQL as root") from None


def end_process(process, *, how=signal.SIGKILL):
    """Send a signal and wait for the end, whether or not it runs."""
    if process.poll() is None:
        process.send_signal(how)
    return process.wait(20)
