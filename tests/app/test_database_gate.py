"""The door that waits for the database, in virtual time; a real one is in tests/faults."""

from __future__ import annotations

import asyncio
import json

from django.db import OperationalError

from realtime_widget.consumers.database_gate import REACHED, DatabaseGate
from realtime_widget.protocol.browser import PROTOCOL
from tests.fakes.clock import virtual_time

SCOPE = {"type": "websocket", "path": "/ws/support/", "subprotocols": [PROTOCOL, "x"]}


async def passed_through(application):
    """Return what a page is sent by an application behind the gate."""
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    await DatabaseGate(application)(SCOPE, receive, send)
    return sent


def assert_refused_in_words(sent):
    accepted, error, closed = sent
    assert accepted == {"type": "websocket.accept", "subprotocol": PROTOCOL}
    error = json.loads(error["text"])
    assert (error["code"], error["retryable"]) == ("internal", True)
    assert closed == {"type": "websocket.close", "code": 4500}


@virtual_time
async def test_database_that_hangs_is_waited_for_only_so_long():
    async def hanging(scope, receive, send):
        await asyncio.Event().wait()

    began_s = asyncio.get_running_loop().time()
    assert_refused_in_words(await passed_through(hanging))
    assert asyncio.get_running_loop().time() - began_s == 3


@virtual_time
async def test_database_that_fails_is_told_without_its_words(caplog):
    async def failing(scope, receive, send):
        raise OperationalError("host of the database")

    assert_refused_in_words(await passed_through(failing))
    assert "OperationalError" in caplog.text
    assert "host of" not in caplog.text


@virtual_time
async def test_call_that_was_reached_has_its_own_time():
    async def calling(scope, receive, send):
        scope[REACHED]()
        await asyncio.sleep(600)
        await send({"type": "websocket.close", "code": 1000})

    assert await passed_through(calling) == [{"type": "websocket.close", "code": 1000}]
