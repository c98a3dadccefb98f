"""Many sessions at once with an engine that has one core: how soon it answers."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
from websockets.asyncio.client import ClientConnection, connect

from bench.clips import Clip
from bench.processes import BRIDGE_CORE, LOAD_CORE, cpu_s, free_port, running
from bench.talk import Visitor, spread

SESSIONS = 20
PERIOD_MS = 8_000
SENTENCES = 4
SILENCE_MS = 500
MODEL = "local"


@dataclass(slots=True)
class Weight:
    """What the engine's process took.

    Attributes:
        loaded_bytes: Resident with all parts loaded and no session.
        most_bytes: The most resident that was seen.
        core_share: Of its core, over the time of the talk.
    """

    loaded_bytes: int = 0
    most_bytes: int = 0
    core_share: float = 0.0
    answers_ms: list[float] = field(default_factory=list)


def measure(clips: list[Clip]) -> list[str]:
    """Return the lines about sessions on one core and about memory."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        environment = {
            "REALTIME_WIDGET_BENCH_DIR": directory,
            "DJANGO_SETTINGS_MODULE": "bench.site.settings",
        }
        command = ["-m", "django", "realtime_engine", "--port", str(port)]
        with (
            running(
                command, core=BRIDGE_CORE, port=port, environment=environment
            ) as process,
            _pinned(LOAD_CORE),
        ):
            weight = asyncio.run(_talk(process, port, clips))
    return [
        f"engine on one core, {SESSIONS} sessions, a sentence each every "
        f"{PERIOD_MS // 1000} s: {spread(weight.answers_ms)}, "
        f"{100 * weight.core_share:.0f} % of the core",
        f"engine process with all parts loaded: {_mib(weight.loaded_bytes)} resident, "
        f"at most {_mib(weight.most_bytes)} with {SESSIONS} sessions talking",
    ]


@contextmanager
def _pinned(core: int) -> Iterator[None]:
    """Run on one core until the block ends."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _talk(process: psutil.Process, port: int, clips: list[Clip]) -> Weight:
    """Let all sessions talk, begun one after the other over one period."""
    weight = Weight(loaded_bytes=process.memory_info().rss)
    order = random.Random(7)
    began_s, used_s = time.monotonic(), cpu_s(process)

    async def visit(number: int) -> None:
        await asyncio.sleep(PERIOD_MS / 1000 * number / SESSIONS)
        said = [order.choice(clips) for _ in range(SENTENCES)]
        async with connect(
            f"ws://127.0.0.1:{port}/v1/realtime?model={MODEL}", proxy=None
        ) as socket:
            weight.answers_ms += await _visit(socket, said)
        weight.most_bytes = max(weight.most_bytes, process.memory_info().rss)

    async with asyncio.TaskGroup() as group:
        for number in range(SESSIONS):
            group.create_task(visit(number))
    weight.core_share = (cpu_s(process) - used_s) / (time.monotonic() - began_s)
    return weight


async def _visit(socket: ClientConnection, said: list[Clip]) -> list[float]:
    visitor = Visitor(_Socket(socket))
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(visitor.listen())
        await visitor.configure(SILENCE_MS)
        answers_ms = [await visitor.say(clip, period_ms=PERIOD_MS) for clip in said]
        listening.cancel()
    return answers_ms


class _Socket:
    """A WebSocket that takes and gives events as bytes."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, event: bytes) -> None:
        await self._socket.send(event, text=True)

    async def receive(self) -> bytes:
        return await self._socket.recv(decode=False)


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.0f} MiB"
