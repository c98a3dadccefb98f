"""Quotas hold over processes: 500 pages that open at the same moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest
from asgiref.sync import sync_to_async

from realtime_widget.models import Quota, QuotaCount
from tests.app.pages import socket_of
from tests.app.rows import until

PATH = "/realtime/ws/support/"
PAGES = 500
ALLOWED = 40
# All pages knock at once, and the machine may be slow and busy.
PATIENCE_S = 240.0


@pytest.fixture(scope="module")
def surroundings(surroundings):
    """Return surroundings in which a page may wait long for its turn."""
    waits = {"TOKEN_TTL_S": 300, "START_TIMEOUT_S": 120, "IDLE_S": 300}
    return replace(surroundings, cache=surroundings.cache[:-1] + "4", widget=waits)


@pytest.fixture
def quotas(rows):
    """Bound the sessions of the whole site, and its money."""
    sessions = Quota.objects.create(
        name="sessions", scope="site", unit="sessions", limit=ALLOWED, message="Full."
    )
    money = Quota.objects.create(name="usd", scope="site", unit="usd", limit=1_000)
    yield sessions, money
    Quota.objects.all().delete()


async def tokens(servers, pages):
    """Return a token for each page, of the server it goes to."""
    gate = asyncio.Semaphore(20)
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:

        async def token(server):
            async with gate:
                answer = await client.post(
                    f"{server.url}/realtime/widgets/support/session",
                    json={},
                    headers={"Origin": server.url},
                )
                return server, answer.json()["token"]

        return await asyncio.gather(
            *(token(servers[n % len(servers)]) for n in range(pages))
        )


async def knock(server, token, answered):
    """Return what a page is told first; it stays until all were answered."""
    async with socket_of(server, PATH, token, open_timeout=PATIENCE_S) as page:
        await page.send("session.start", language="en")
        first = await page.first_of("session.started", "error", PATIENCE_S)
        await answered.one()
        if first["type"] == "session.started":
            await page.send("session.stop")
        await page.ended()
        return first.get("code", "talks"), first.get("message", "")


class Answered:
    """Waits until so many pages were answered, so that no place is taken twice."""

    def __init__(self, pages):
        self._missing = pages
        self._all = asyncio.Event()

    async def one(self):
        """Note that one was, and wait for the others."""
        self._missing -= 1
        if not self._missing:
            self._all.set()
        await self._all.wait()


async def test_of_500_pages_at_two_processes_as_many_talk_as_may(launch, quotas):
    servers = await asyncio.to_thread(launch, "uvicorn", "uvicorn")
    answered = Answered(PAGES)
    granted = await tokens(servers, PAGES)
    async with asyncio.timeout(PATIENCE_S):
        told = await asyncio.gather(*(knock(*one, answered) for one in granted))
    # A database that is asked by so many at once may keep some waiting for too long:
    # these are told to try again, and have taken nothing.
    busy = [code for code, _ in told].count("internal")
    talk = [code for code, _ in told].count("talks")
    assert ALLOWED - busy <= talk <= ALLOWED
    assert told.count(("limit", "Full.")) == PAGES - talk - busy
    sessions, money = quotas
    # What was reserved of the money is given back behind the last of them.
    assert await until(lambda: used(money) == 0)
    assert await sync_to_async(used)(sessions) == talk


def used(quota):
    """Return what is taken of a quota, in its unit."""
    (count,) = QuotaCount.objects.filter(quota=quota)
    return Decimal(count.used_millionths) / 1_000_000
