"""One of two processes is replaced under live calls: how soon they go on elsewhere."""

from __future__ import annotations

import asyncio
import random
from statistics import median
from typing import Final

from bench.faults.records import kept
from bench.faults.visitor import GaveUp, Visitor
from bench.faults.world import World
from bench.load_shape import percentile
from tests.fakes.tcp_proxy import TcpProxy
from tests.faults.processes import ServerProcess
from tests.servers import RunningServer

SPEAKING_SHARE: Final = 0.5
DRAINED_S: Final = 30.0


async def _replace(
    world: World, calls: int, old: ServerProcess, other: ServerProcess, site: TcpProxy
) -> tuple[list[Visitor], list[float], int, int, bool]:
    """Return the visitors, seconds from each close to going on, and what was kept."""
    canary = Visitor(RunningServer("other", other.port))
    await canary.arrive()
    visitors = [Visitor(RunningServer("site", site.port)) for _ in range(calls)]
    for number, visitor in enumerate(visitors):
        await visitor.arrive()
        await visitor.tell(f"deploy{number}")
    for visitor in visitors:
        if random.random() < SPEAKING_SHARE:
            await visitor.begin_something_long()
    # As a rolling deploy does: the balancer sends nobody to what is being stopped.
    site.point_at(other.port)
    old.terminate()
    starting = asyncio.create_task(asyncio.to_thread(world.servers, "uvicorn"))

    async def follow(visitor: Visitor) -> tuple[float, int]:
        closed_s, code = await visitor.cut_off()
        return await visitor.come_back() - closed_s, code

    results = await asyncio.gather(
        *(follow(visitor) for visitor in visitors), return_exceptions=True
    )
    (new,) = await starting
    site.point_at(new.port)
    went_on = [one for one in results if isinstance(one, tuple)]
    for one in results:
        if not isinstance(one, tuple | GaveUp):
            raise one
    whole = 0
    for visitor, result in zip(visitors, results, strict=True):
        if isinstance(result, tuple):
            whole += visitor.resumed and await visitor.knows_all()
    await canary.tell("canary")
    unmoved = await canary.knows_all() and len(canary.sessions) == 1
    for visitor in (*visitors, canary):
        await visitor.leave()
    told = sum(code == 4503 for _took_s, code in went_on)
    return visitors, [took_s for took_s, _code in went_on], told, whole, unmoved


def measure(world: World, calls: int) -> list[str]:
    """Replace a process of each kind; the lines of the table.

    Args:
        world: Where the servers run.
        calls: How many are live on the process that is replaced.
    """
    lines = []
    for kind in ("uvicorn", "daphne"):
        old, other = world.servers(kind, "uvicorn")
        site = world.network(old)
        visitors, took_s, told, whole, unmoved = asyncio.run(
            _replace(world, calls, old, other, site)
        )
        code = old.wait(DRAINED_S)
        other.close()
        records = "complete" if kept(visitors) else "NOT COMPLETE"
        lines.append(
            f"deploy, {kind} replaced under {calls} calls, from a call's close to its "
            f"going on: p50 {median(took_s):.2f} s, p95 {percentile(took_s, 0.95):.2f} s "
            f"({len(took_s)} went on, {told} were told 4503, conversation kept in {whole}, "
            f"records {records}, exit {code}, "
            f"the canary {'noticed nothing' if unmoved else 'WAS DISTURBED'})"
        )
    return lines
