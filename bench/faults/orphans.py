"""kill -9 under live calls: what stays open in the record, and for how long."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from bench.faults.records import all_there, open_among
from bench.faults.visitor import Visitor
from bench.faults.world import World, until
from tests.faults.processes import ServerProcess
from tests.servers import RunningServer

# The promise; the settings are the defaults (a sign of life every 15 s).
CLOSED_WITHIN_S: Final = 60.0


async def _calls(server: ServerProcess, calls: int) -> list[Visitor]:
    visitors = [Visitor(RunningServer("site", server.port)) for _ in range(calls)]
    for number, visitor in enumerate(visitors):
        await visitor.arrive()
        await visitor.tell(f"last{number}")
    return visitors


@dataclass(frozen=True)
class Seen:
    """What became of the calls whose process died."""

    calls: int
    still_open: int
    took_s: float
    canary_unmoved: bool


async def _killed(
    dying: list[ServerProcess], living: ServerProcess, calls: int
) -> Seen:
    visitors = []
    for server in dying:
        visitors += await _calls(server, calls // len(dying))
    (canary,) = await _calls(living, 1)
    sessions = [session for visitor in visitors for session in visitor.sessions]
    await asyncio.to_thread(until, lambda: all_there(sessions), "the records")
    for server in dying:
        server.kill()
    died_s = time.monotonic()
    for visitor in visitors:
        await visitor.cut_off()
        await visitor.leave()
    # A site on which nothing happens: nobody asks the living process for anything.
    while still_open := await asyncio.to_thread(open_among, sessions):
        if time.monotonic() > died_s + CLOSED_WITHIN_S:
            break
        await asyncio.sleep(0.5)
    took_s = time.monotonic() - died_s
    unmoved = await canary.knows_all()
    unmoved = unmoved and await asyncio.to_thread(open_among, canary.sessions) == 1
    await canary.leave()
    return Seen(len(sessions), still_open, took_s, unmoved)


def measure(world: World, calls: int) -> list[str]:
    """Kill one process of each kind; the line of the table.

    Args:
        world: Where the servers run.
        calls: How many are live on the two that are killed.
    """
    *dying, living = world.servers("uvicorn", "daphne", "uvicorn")
    seen = asyncio.run(_killed(dying, living, calls))
    living.close()
    return [
        f"orphans after kill -9, {CLOSED_WITHIN_S:.0f} s later: {seen.still_open} of "
        f"{seen.calls} calls (looked for {seen.took_s:.0f} s, default signs of life, "
        f"the canary {'noticed nothing' if seen.canary_unmoved else 'WAS DISTURBED'})"
    ]
