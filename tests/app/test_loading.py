"""Who waits for the engine is told how far it is loaded."""

from __future__ import annotations

import asyncio
import json

import pytest

from realtime_widget import connectors
from realtime_widget.consumers.loading import LoadingTeller
from realtime_widget.consumers.sockets import BrowserSocket
from realtime_widget.engine.models import Model, Models
from tests.fakes.engine import make_parts


def in_steps(told):
    for share in (0.5, 1.0):
        told(share)
    return make_parts()


@pytest.fixture
def engine(monkeypatch):
    """Give the process an engine that is not loaded yet."""
    models = Models(Model("slow", in_steps))
    monkeypatch.setattr(connectors, "_models", models)
    return models.default


async def test_the_session_that_loads_the_engine_is_told(engine):
    shares = []
    connectors.loading_told.set(shares.append)
    connection = await connectors.make_connect(None)()
    await connection.close()
    assert shares == [0.0, 0.5, 1.0]
    assert engine.loaded


async def test_a_session_that_finds_it_loaded_is_told_nothing(engine):
    engine.load()
    shares = []
    connectors.loading_told.set(shares.append)
    connection = await connectors.make_connect(None)()
    await connection.close()
    assert shares == []


async def test_the_page_is_told_the_last_of_many_steps():
    sent = []
    arrived = asyncio.Event()

    async def send(message):
        sent.append(json.loads(message["text"])["progress"])
        if sent[-1] == 1.0:
            arrived.set()

    teller = LoadingTeller(BrowserSocket(send, outbound_bytes=1_000))
    for share in (0.1, 0.6, 1.0):
        teller(share)
    async with asyncio.timeout(5):
        await arrived.wait()
    assert sent == [1.0]


async def test_a_page_that_has_gone_is_told_nothing():
    async def send(_message):
        raise RuntimeError("gone")

    socket = BrowserSocket(send, outbound_bytes=1_000)
    LoadingTeller(socket)(0.5)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert socket.closed
