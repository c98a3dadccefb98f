"""The wall clock of one machine jumps two hours; calls count by another clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from realtime_widget.engine.scripted.dialogue import quote
from realtime_widget.models import Conversation
from tests.app.pages import ask, open_page, socket_of
from tests.app.rows import until
from tests.faults.wall_clock import BACK, FORWARD, JUMP_S

PATH = "/realtime/ws/support/"
HEARTBEAT_S = 0.5


@pytest.fixture(scope="module")
def surroundings(surroundings):
    """Return surroundings in which processes look for lost calls all the time."""
    return replace(surroundings, widget={"HEARTBEAT_S": HEARTBEAT_S})


def jump(server, how):
    server.process.send_signal(how)


def row_of(started):
    """Return a call's record; None before it is written."""
    return Conversation.objects.filter(pk=started["session_id"]).first()


def beaten_ahead(started):
    """Tell whether a sign of life by the jumped clock has been written."""
    row = row_of(started)
    return row and (row.heartbeat_at - row.started_at).total_seconds() > JUMP_S / 2


def taken_for_lost(started):
    """Tell whether the jumped process takes another's call for lost."""
    row = row_of(started)
    return row and row.error_code == "worker_lost"


def rightly_ended(started):
    """Return the record once it says what really ended the call."""
    row = row_of(started)
    rightly = row and (row.status, row.reason, row.error_code) == ("ended", "user", "")
    return row if rightly else None


@pytest.mark.parametrize("jumping", [0, 1], ids=["daphne", "uvicorn"])
async def test_calls_outlive_a_clock_that_jumps_forward_and_back(pair, jumping):
    jumper, other = pair[jumping], pair[1 - jumping]
    async with open_page(jumper) as page, open_page(other) as canary:
        started = await page.start(language="en")
        kept = await canary.start(language="en")
        stale = (await ask(jumper)).json()["token"]
        jump(jumper, FORWARD)
        try:
            assert await page.say("Before and after") == quote("Before and after")
            await until(lambda: beaten_ahead(started))
            # Of two clocks nobody knows which is wrong: the other one's calls look
            # two hours silent, and their next sign of life opens them again.
            await until(lambda: taken_for_lost(kept))
            assert await canary.say("Still there?") == quote("Still there?")
            async with socket_of(jumper, PATH, stale) as late:
                assert (await late.ended())[1:] == ("token", 4401)
            async with open_page(jumper) as fresh:
                await fresh.start(language="en")
                assert await fresh.say("New") == quote("New")
        finally:
            jump(jumper, BACK)
        assert await page.say("Back again") == quote("Back again")
        for one in (page, canary):
            await one.send("session.stop")
            assert (await one.ended())[2] == 1000
    for call in (started, kept):
        row = await until(lambda call=call: rightly_ended(call))
        assert row.duration_s < 60
