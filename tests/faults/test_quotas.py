"""Quotas hold over processes: 500 pages that open at the same moment."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal

import httpx
import pytest
from asgiref.sync import sync_to_async

from realtime_widget.models import Quota, QuotaCount
from tests.app.pages import socket_of
from tests.app.rows import make_widget, until
from tests.faults.conftest import database_on, everything_in
from tests.faults.machines import HOST
from tests.faults.processes import Surroundings

PATH = "/realtime/ws/counted/"
PAGES = 500
ALLOWED = 40
# All pages knock at once, and the machine may be slow and busy.
PATIENCE_S = 240.0


@pytest.fixture(scope="module", params=["postgres", "sqlite"])
def database(request, tmp_path_factory):
    """Return the settings of a database that both processes share."""
    if request.param == "postgres":
        return database_on(request.getfixturevalue("postgres").port)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path_factory.mktemp("quotas") / "site.sqlite3"),
        # As the demo has it: writers wait for each other.
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


@pytest.fixture(scope="module")
def rows(database, django_db_blocker):
    """Make the tables and a widget, and let this process see what the servers see."""
    # Each thread keeps the connection it has under a name.
    alias = database["ENGINE"].rpartition(".")[2]
    with everything_in(database, django_db_blocker, alias):
        make_widget("counted", text_only=True, text_box=True)
        yield


@pytest.fixture(scope="module")
def surroundings(rows, database, redis):
    """Return surroundings in which a page may wait long for its turn."""
    waits = {"TOKEN_TTL_S": 300, "START_TIMEOUT_S": 120, "IDLE_S": 300}
    return Surroundings(
        database=database,
        cache=f"redis://{HOST}:{redis.port}/4",
        layer=f"redis://{HOST}:{redis.port}/1",
        widget={**waits, "BUSY_DATABASE_S": PATIENCE_S},
    )


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
                    f"{server.url}/realtime/widgets/counted/session",
                    json={},
                    headers={"Origin": server.url},
                )
                assert answer.status_code == 200, answer.text
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
    # However busy the database is, every page waits for its turn and gets it.
    assert Counter(told) == {
        ("talks", ""): ALLOWED,
        ("limit", "Full."): PAGES - ALLOWED,
    }
    sessions, money = quotas
    # What was reserved of the money is given back behind the last of them.
    assert await until(lambda: used(money) == 0, PATIENCE_S)
    assert await sync_to_async(used)(sessions) == ALLOWED


def used(quota):
    """Return what is taken of a quota, in its unit."""
    (count,) = QuotaCount.objects.filter(quota=quota)
    return Decimal(count.used_millionths) / 1_000_000
