"""Network cuts at random moments: how soon the conversation goes on, and whether whole."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from bench.faults.records import kept
from bench.faults.visitor import GaveUp, Visitor
from bench.faults.world import World
from bench.load_shape import percentile
from tests.fakes.tcp_proxy import TcpProxy
from tests.faults.processes import ServerProcess
from tests.servers import RunningServer

VISITORS_AT_ONCE: Final = 5
# A conversation is gone on with at most 20 times, of its last 60 items.
CUTS_A_CONVERSATION: Final = 10
# When it breaks, counted from the visitor's last word, and for how long.
BREAKS_WITHIN_S: Final = 2.0
AWAY_S: Final = 2.0
SPEAKING_SHARE: Final = 0.3


@dataclass
class Cuts:
    """What a run of cuts gave; times from the return of the network."""

    took_s: list[float] = field(default_factory=list)
    whole: int = 0
    lost: int = 0
    elsewhere: int = 0


async def _one_conversation(
    number: int, cuts: int, servers: Sequence[ServerProcess], network: TcpProxy
) -> tuple[Visitor, Cuts]:
    visitor, seen = Visitor(RunningServer("site", network.port)), Cuts()
    here = random.choice(servers)
    network.point_at(here.port)
    await visitor.arrive()
    for cut in range(cuts):
        await visitor.tell(f"word{number}x{cut}")
        if random.random() < SPEAKING_SHARE:
            await visitor.begin_something_long()
        await asyncio.sleep(random.uniform(0.0, BREAKS_WITHIN_S))
        await asyncio.to_thread(network.cut)
        await visitor.cut_off()
        back = asyncio.create_task(visitor.come_back())
        await asyncio.sleep(random.uniform(0.0, AWAY_S))
        there, here = here, random.choice(servers)
        network.point_at(here.port)
        await asyncio.to_thread(network.resume)
        returned_s = asyncio.get_running_loop().time()
        try:
            seen.took_s.append(await back - returned_s)
        except GaveUp:
            seen.lost += 1
            break
        seen.elsewhere += here is not there
        seen.whole += visitor.resumed and await visitor.knows_all()
    await visitor.leave()
    return visitor, seen


async def _run(
    cuts: int, servers: Sequence[ServerProcess], networks: Sequence[TcpProxy]
) -> tuple[list[Visitor], Cuts]:
    conversations = [
        min(CUTS_A_CONVERSATION, cuts - at)
        for at in range(0, cuts, CUTS_A_CONVERSATION)
    ]
    free = asyncio.Queue[TcpProxy]()
    for network in networks:
        free.put_nowait(network)

    async def one(number: int, cuts: int) -> tuple[Visitor, Cuts]:
        network = await free.get()
        try:
            return await _one_conversation(number, cuts, servers, network)
        finally:
            free.put_nowait(network)

    results = await asyncio.gather(*(one(n, c) for n, c in enumerate(conversations)))
    total = Cuts()
    for _visitor, seen in results:
        total.took_s += seen.took_s
        total.whole += seen.whole
        total.lost += seen.lost
        total.elsewhere += seen.elsewhere
    return [visitor for visitor, _seen in results], total


def measure(world: World, cuts: int) -> list[str]:
    """Cut and return; the line of the table.

    Args:
        world: Where the servers run.
        cuts: How many.
    """
    servers = world.servers("uvicorn", "daphne")
    networks = [world.network(servers[0]) for _ in range(VISITORS_AT_ONCE)]
    visitors, seen = asyncio.run(_run(cuts, servers, networks))
    for server in servers:
        server.close()
    records = "complete" if kept(visitors) else "NOT COMPLETE"
    return [
        f"resume after a network cut, from the network's return: "
        f"p50 {median(seen.took_s):.2f} s, p95 {percentile(seen.took_s, 0.95):.2f} s, "
        f"max {max(seen.took_s):.2f} s ({len(seen.took_s) + seen.lost} cuts, "
        f"{seen.elsewhere} came back to the other process, "
        f"conversation kept in {seen.whole}, records {records})"
    ]
