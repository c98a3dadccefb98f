"""Starting, pinning and reading the processes of a run."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

BRIDGE_CORE = 0
LOAD_CORE = 1
START_S = 30.0


def free_port() -> int:
    """Return a TCP port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class Bridge:
    """One way to carry a call, as a process.

    Attributes:
        name: Its name in the table.
        target: What the load client speaks: widget or proxy.
        arguments: Of the interpreter that runs it; may name ``{port}`` and ``{model}``.
        path: Path the load client opens.
        scheme: http for a widget's session address, ws otherwise.
        driver: The library that talks to the model.
    """

    name: str
    target: str
    arguments: Sequence[str]
    path: str
    scheme: str
    driver: str = "websockets"


@contextlib.contextmanager
def running(
    arguments: Sequence[str], *, core: int, port: int, environment: dict[str, str]
) -> Iterator[psutil.Process]:
    """Run a Python module pinned to a core until the block ends."""
    affinity = {core % os.cpu_count()} if os.cpu_count() else {0}  # type: ignore[operator]
    process = subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, affinity),
    )
    try:
        wait_for_port(port, process)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when somebody listens.

    Raises:
        RuntimeError: If the process ended or nobody listened in time.
    """
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with socket.socket() as sock:
            sock.settimeout(0.2)
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not listen in {START_S} s")


def cpu_s(process: psutil.Process) -> float:
    """Return user and system seconds of a process and its children."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        total += times.user + times.system
    return total


def unique_bytes(process: psutil.Process) -> int:
    """Return the memory only this process holds (USS)."""
    return int(process.memory_full_info().uss)


@dataclass
class Measured:
    """What one leg of one round gave."""

    cpu_s_per_call_minute: float
    core_share: float
    memory_bytes_per_call: float
    report: dict[str, Any]


def load(
    bridge: Bridge,
    process: psutil.Process | None,
    *,
    port: int,
    model_port: int,
    calls: int,
    measure_s: float,
    block: bool = False,
) -> Measured:
    """Put the load on a bridge and read its counters over the measured time."""
    before_bytes = unique_bytes(process) if process else 0
    command = [
        sys.executable,
        *("-m", "bench.load_client", "--target", bridge.target),
        *("--url", f"{bridge.scheme}://127.0.0.1:{port}{bridge.path}"),
        *("--model-port", str(model_port), "--calls", str(calls)),
        *("--measure-s", str(measure_s)),
        *(["--block"] if block else []),
    ]
    client = subprocess.Popen(  # noqa: S603 - our own module
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)}),
    )
    marks: dict[str, tuple[float, float, int]] = {}
    report: dict[str, Any] = {}
    assert client.stdout is not None
    for line in client.stdout:
        message = json.loads(line)
        if "phase" not in message:
            report = message
        elif process is not None:
            marks[message["phase"]] = (
                time.monotonic(),
                cpu_s(process),
                unique_bytes(process) if message["phase"] == "measured" else 0,
            )
    if client.wait() != 0 or not report:
        raise RuntimeError(f"the load client failed against {bridge.name}")
    if process is None:
        return Measured(0.0, 0.0, 0.0, report)
    began, ended = marks["measure"], marks["measured"]
    took_s = ended[0] - began[0]
    used_s = ended[1] - began[1]
    return Measured(
        cpu_s_per_call_minute=used_s / (calls * took_s / 60),
        core_share=used_s / took_s,
        memory_bytes_per_call=(ended[2] - before_bytes) / calls,
        report=report,
    )


def seed(directory: Path, model_port: int) -> dict[str, str]:
    """Make the benchmark site's database; return its environment."""
    environment = {
        "REALTIME_WIDGET_BENCH_DIR": str(directory),
        "REALTIME_WIDGET_BENCH_MODEL": f"127.0.0.1:{model_port}",
        "DJANGO_SETTINGS_MODULE": "bench.site.settings",
    }
    subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "bench.site.seed", str(model_port)],
        env={**os.environ, **environment},
        check=True,
    )
    return environment
