"""Conversations whose process died, and those that were only taken for lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from realtime_widget.models import Conversation
from realtime_widget.recorder import RecordWriter, SessionRecorder, lost
from realtime_widget.recorder.lost import Watch, beat, end_lost
from realtime_widget.recorder.rows import write_rows
from realtime_widget.session.ports import SessionEnd
from realtime_widget.signals import session_stopped

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stopped():
    """Return what the receivers of ``session_stopped`` were told."""
    told = []

    def receive(sender, signal, **arguments):
        told.append(arguments)

    session_stopped.connect(receive)
    yield told
    session_stopped.disconnect(receive)


def silent_for(seconds, **fields):
    """Save an open conversation whose last sign of life is so old."""
    seen_at = timezone.now() - timedelta(seconds=seconds)
    started_at = seen_at - timedelta(seconds=100)
    return Conversation.objects.create(
        started_at=started_at, heartbeat_at=seen_at, **fields
    )


def state(conversation):
    conversation.refresh_from_db()
    return conversation.status, conversation.reason, conversation.error_code


def test_three_missing_signs_of_life_are_the_end():
    gone, alive = silent_for(46), silent_for(44)
    (row,) = end_lost()
    assert row.conversation.pk == gone.pk
    assert state(gone) == ("ended", "error", "worker_lost")
    assert gone.ended_at == gone.heartbeat_at
    assert gone.duration_s == pytest.approx(100)
    assert state(alive) == ("open", "", "")
    assert end_lost() == []


def test_heartbeat_of_the_site_decides(settings):
    settings.REALTIME_WIDGET = {"HEARTBEAT_S": 1}
    silent_for(2.5)
    assert end_lost() == []
    silent_for(3.5)
    assert len(end_lost()) == 1


def test_command_closes_all_and_tells_the_site(stopped, capsys):
    for _ in range(lost.LOST_AT_ONCE + 2):
        silent_for(300)
    alive = silent_for(1)
    call_command("realtime_reap")
    assert f"{lost.LOST_AT_ONCE + 2} conversations closed" in capsys.readouterr().out
    assert len(stopped) == lost.LOST_AT_ONCE + 2
    assert stopped[0]["reason"] == "error"
    assert stopped[0]["error_code"] == "worker_lost"
    assert stopped[0]["duration"] == pytest.approx(100)
    assert state(alive) == ("open", "", "")
    call_command("realtime_reap")
    assert len(stopped) == lost.LOST_AT_ONCE + 2


def test_health_address_closes_them_too(client, settings):
    settings.REALTIME_WIDGET = {"HEARTBEAT_S": 0}
    conversation = silent_for(300)
    assert client.get("/realtime/health").status_code == 200
    assert state(conversation) == ("ended", "error", "worker_lost")


def test_sign_of_life_opens_again_what_was_taken_for_lost():
    mine = silent_for(300)
    ended = silent_for(300)
    Conversation.objects.filter(pk=ended.pk).update(status="ended", reason="user")
    end_lost()
    beat([mine.pk, ended.pk])
    assert state(mine) == ("open", "", "")
    assert mine.ended_at is None
    assert state(ended) == ("ended", "user", "")


async def test_own_end_puts_right_what_was_taken_for_lost(stopped):
    writer = RecordWriter()
    conversation = Conversation(started_at=timezone.now() - timedelta(hours=1))
    recorder = SessionRecorder(conversation, writer)
    await writer.drain()
    everybody = Conversation.objects.filter(pk=conversation.pk)
    long_ago = timezone.now() - timedelta(minutes=5)
    await everybody.aupdate(heartbeat_at=long_ago)
    assert len(await sync_to_async(end_lost)()) == 1
    recorder.stop(SessionEnd(reason="user", duration_s=12.5, close_code=1000))
    await writer.drain()
    row = await everybody.aget()
    assert (row.status, row.reason, row.error_code) == ("ended", "user", "")
    assert row.duration_s == 12.5
    # The site is told of one end: of the first, which is not ours.
    assert stopped == []


def test_one_look_a_heartbeat_is_enough():
    watch = Watch()
    assert [watch.due(now_s) for now_s in (100, 101, 114.9, 115)] == [
        True,
        False,
        False,
        True,
    ]


def test_nobody_is_taken_for_lost_soon_after_the_database_was_away():
    watch = Watch()
    watch.database_away(100)
    assert not watch.due(144.9)
    assert watch.due(145)


async def test_writer_that_had_no_database_takes_nobody_for_lost(settings):
    settings.REALTIME_WIDGET = {"RECORD_FLUSH_S": 0.01}
    elsewhere = await sync_to_async(silent_for)(300)
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()

    def write(rows):
        if tried.is_set():
            return write_rows(rows)
        loop.call_soon_threadsafe(tried.set)
        raise OperationalError

    writer = RecordWriter(write=write)
    recorder = SessionRecorder(Conversation(), writer)
    await tried.wait()
    recorder.stop(SessionEnd(reason="user", duration_s=1, close_code=1000))
    await writer.drain()
    assert await sync_to_async(state)(elsewhere) == ("open", "", "")
