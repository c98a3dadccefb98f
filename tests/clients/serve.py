"""The engine in a process of its own, in the environment of the package.

``python -m tests.clients.serve COMMAND ...`` runs a command beside it, which finds the
engine's address in ``REALTIME_URL``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The clients live in another environment than the engine.
ENGINE_PYTHON = ROOT / ".venv" / "bin" / "python"
STOP_TIMEOUT_S = 10


@contextmanager
def engine(
    start: Sequence[str] = ("manage.py",), options: Sequence[str] = ("--drain-s", "0")
) -> Iterator[str]:
    """Run ``realtime_engine --model scripted``.

    Args:
        start: How Python gets to Django's commands.
        options: Further options of the command.

    Yields:
        Its address, for example ``ws://127.0.0.1:41373/v1/realtime``.

    Raises:
        RuntimeError: If it did not start.
    """
    command = ["realtime_engine", "--model", "scripted", "--port", "0", *options]
    process = subprocess.Popen(
        [str(ENGINE_PYTHON), *start, *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        if not ready.startswith("ws://"):
            raise RuntimeError(f"the engine did not start: {ready!r}")
        yield ready.split(" ", 1)[0]
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def main() -> int:
    """Run the command of the arguments beside an engine; return its status."""
    with engine() as url:
        environment = {**os.environ, "REALTIME_URL": url}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
