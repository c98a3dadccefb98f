"""Waiting for the database, in virtual time: long while it is busy, not when it is away."""

from __future__ import annotations

import asyncio

import pytest
from django.db import DatabaseError, OperationalError, ProgrammingError

from realtime_widget import patience
from realtime_widget.conf import Conf
from realtime_widget.patience import DATABASE_S, Patience
from tests.fakes.clock import virtual_time

BUSY_S = Conf.__dataclass_fields__["BUSY_DATABASE_S"].default


def now_s():
    return asyncio.get_running_loop().time()


async def for_ever(_answered):
    await asyncio.Event().wait()


async def asked_for_s(waiting, question):
    """Return after how long a question was given up."""
    began_s = now_s()
    with pytest.raises(DatabaseError):
        await waiting.ask(question)
    return now_s() - began_s


async def answer_others(waiting, every_s, until_s):
    while now_s() < until_s:
        await asyncio.sleep(every_s)
        waiting.answered()


@virtual_time
async def test_database_that_answers_nobody_is_away():
    assert await asked_for_s(Patience(), for_ever) == DATABASE_S


@virtual_time
async def test_whoever_waits_behind_others_is_not_told_that_it_is_away():
    waiting = Patience()
    others = asyncio.create_task(answer_others(waiting, 1, now_s() + 10))

    async def slow(_answered):
        await asyncio.sleep(12)
        return "my turn"

    assert await waiting.ask(slow) == "my turn"
    await others


@virtual_time
async def test_even_behind_others_nobody_waits_for_ever():
    waiting = Patience()
    others = asyncio.create_task(answer_others(waiting, 1, now_s() + 100))
    assert await asked_for_s(waiting, for_ever) == BUSY_S
    others.cancel()


@virtual_time
async def test_database_that_stops_answering_is_away_again():
    waiting = Patience()
    others = asyncio.create_task(answer_others(waiting, 1, now_s() + 5))
    assert await asked_for_s(waiting, for_ever) == 5 + DATABASE_S
    await others


@virtual_time
async def test_question_that_met_a_lock_is_put_again():
    tries = []

    async def locked(_answered):
        tries.append(now_s())
        if len(tries) < 4:
            raise OperationalError("database is locked")
        return "written"

    assert await Patience().ask(locked) == "written"
    assert len(tries) == 4
    assert tries[-1] - tries[0] < DATABASE_S


@virtual_time
async def test_database_that_only_fails_is_told_in_the_same_time():
    tries = []

    async def failing(_answered):
        tries.append(now_s())
        raise OperationalError("connection refused")

    assert await asked_for_s(Patience(), failing) <= DATABASE_S
    assert len(tries) > 2


@virtual_time
async def test_what_cannot_pass_is_told_at_once():
    tries = []

    async def wrong(_answered):
        tries.append(1)
        raise ProgrammingError("no such table")

    assert await asked_for_s(Patience(), wrong) == 0
    assert len(tries) == 1


@virtual_time
async def test_refusal_is_an_answer():
    waiting = Patience()

    async def refuse(_answered):
        await asyncio.sleep(2)
        raise PermissionError

    async def behind(_answered):
        await asyncio.sleep(4)
        return "my turn"

    mine = asyncio.create_task(waiting.ask(behind))
    with pytest.raises(PermissionError):
        await waiting.ask(refuse)
    assert await mine == "my turn"


@virtual_time
async def test_errors_that_are_no_answers_let_nobody_wait_on():
    waiting = Patience(2, lambda exc: isinstance(exc, PermissionError))

    async def fail(_answered):
        await asyncio.sleep(1)
        raise ConnectionError

    mine = asyncio.create_task(asked_for_s(waiting, for_ever))
    with pytest.raises(ConnectionError):
        await waiting.ask(fail)
    assert await mine == 2


@virtual_time
async def test_what_has_begun_has_its_own_time_and_is_not_begun_again():
    tries = []

    async def calling(answered):
        tries.append(1)
        answered()
        await asyncio.sleep(600)
        raise OperationalError("in the middle of it")

    with pytest.raises(OperationalError):
        await Patience().ask(calling)
    assert len(tries) == 1


@virtual_time
async def test_whoever_leaves_waits_no_more():
    waiting = asyncio.create_task(Patience().ask(for_ever))
    await asyncio.sleep(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_threads_for_rows_are_asked_with_patience(monkeypatch):
    monkeypatch.setattr(patience, "FIRST_PAUSE_S", 0.001)
    tries = []

    def locked():
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("database is locked")
        return "read"

    assert await patience.asked(locked) == "read"
