"""The drain of a process, in virtual time; real signals are in tests/faults."""

from __future__ import annotations

import asyncio
import signal

import pytest

from realtime_widget.draining import END_S, Drain
from tests.fakes.clock import settle, virtual_time


@pytest.fixture
def handled():
    """Stand in for a server's own handler of SIGTERM; return what it was given."""
    given = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: given.append(number))
    yield given
    signal.signal(signal.SIGTERM, before)


@virtual_time
async def test_nothing_to_wait_for_is_not_waited_for():
    drain, done = Drain(), []
    drain.begin(lambda: done.append(asyncio.get_running_loop().time()))
    began_s = asyncio.get_running_loop().time()
    await settle()
    assert done == [began_s]
    assert drain.draining


@virtual_time
async def test_calls_are_told_their_time_and_waited_for(settings):
    settings.REALTIME_WIDGET = {"DRAINING_S": 7}
    drain, told, done = Drain(), [], []
    with drain.call(lambda within_s: told.append(within_s)):
        with drain.call(told.append):
            drain.begin(lambda: done.append(True))
            drain.begin(lambda: done.append("again"))
            await settle()
        await asyncio.sleep(3)
        assert done == []
    await settle()
    assert set(told) == {7}
    assert done == [True]


@virtual_time
async def test_call_that_does_not_end_holds_nobody_up_for_ever(settings, caplog):
    settings.REALTIME_WIDGET = {"DRAINING_S": 7}
    drain, done = Drain(), asyncio.Event()
    began_s = asyncio.get_running_loop().time()
    with drain.call(lambda within_s: None):
        drain.begin(done.set)
        await done.wait()
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(7 + END_S)
    assert "1 calls did not end in time" in caplog.text


async def test_servers_own_handler_is_called_when_the_calls_are_over(handled):
    drain, told = Drain(), []
    drain.watch()
    drain.watch()
    with drain.call(told.append):
        signal.raise_signal(signal.SIGTERM)
        await settle()
        assert handled == []
    await settle()
    assert handled == [signal.SIGTERM]
    assert len(told) == 1


async def test_second_signal_ends_calls_and_a_third_is_the_servers_alone(handled):
    drain, told = Drain(), []
    drain.watch()
    with drain.call(told.append):
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
        await settle()
        assert told[-1] == 0
        assert handled == [signal.SIGTERM]
        signal.raise_signal(signal.SIGTERM)
        assert len(handled) == 2


def test_signal_after_the_loop_has_ended_is_the_servers(handled):
    drain = Drain()

    async def watch():
        drain.watch()

    asyncio.run(watch())
    signal.raise_signal(signal.SIGTERM)
    assert handled == [signal.SIGTERM]


async def test_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        Drain().watch()
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_loop_of_another_thread_is_not_watched(handled):
    async def watch():
        Drain().watch()

    own = signal.getsignal(signal.SIGTERM)
    await asyncio.to_thread(asyncio.run, watch())
    assert signal.getsignal(signal.SIGTERM) == own
