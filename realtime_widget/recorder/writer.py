"""The task that writes records in batches, and tells the signals afterwards."""

from __future__ import annotations

import asyncio
import atexit
import logging
import time
from collections.abc import Callable, Hashable, Iterable
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.dispatch import Signal
from django.utils import timezone

from realtime_widget import signals
from realtime_widget.conf import get_conf
from realtime_widget.models import (
    Conversation,
    ConversationEvent,
    Item,
    ToolCall,
    Usage,
)
from realtime_widget.recorder.lost import Watch, beat, end_lost
from realtime_widget.recorder.rows import Ended, Row, Started, write_rows
from realtime_widget.threads import OwnThreadContext, ThreadPool

logger = logging.getLogger(__name__)

# Text that may wait in memory while the database is away.
QUEUE_BYTES = 5 * 1024 * 1024
# What a talk has many of; these are dropped when the queue is full.
PLENTY = Item | ToolCall | ConversationEvent | Usage
# Longest pause between two tries while the database is away.
MAX_PAUSE_S = 10.0
# Longest time a stopping server is held up.
DRAIN_S = 5.0
SIGNALS_WAITING = 10_000

# One thread: rows are written in the order in which they were handed over.
records_pool = ThreadPool(1, "realtime-records")


EVENT_SIGNALS = {
    ConversationEvent.Kind.HANDOFF: signals.handoff,
    ConversationEvent.Kind.GUARDRAIL: signals.guardrail_tripped,
    ConversationEvent.Kind.ERROR: signals.session_error,
}


class RecordWriter:
    """Collects rows on one event loop and writes them from a thread.

    A row replaces a waiting one of the same key, so that an answer that grows is
    written once. The task ends when nothing waits and no session is alive.

    Args:
        write: Writes a batch; replaced where a test wants a database that fails.
        monotonic: The clock.
    """

    def __init__(
        self,
        *,
        write: Callable[[list[Row]], Any] = write_rows,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._monotonic = monotonic
        self._waiting: dict[Hashable, Row] = {}
        self._waiting_bytes = 0
        self._alive: dict[UUID, Conversation] = {}
        self._beaten_s = float("-inf")
        self._watch = Watch()
        self._failures = 0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._signals: asyncio.Queue[tuple[Signal, dict[str, Any]]] = asyncio.Queue(
            SIGNALS_WAITING
        )
        self._teller: asyncio.Task[None] | None = None
        self.dropped_rows = 0

    @property
    def busy(self) -> bool:
        """Return whether a session is alive or a row waits."""
        return bool(self._alive or self._waiting)

    def put(self, key: Hashable, row: Row) -> None:
        """Queue a row; never blocks and never raises.

        The rows that open and end a conversation are always kept. Others are
        dropped and counted when the queue is full.
        """
        replaced = self._waiting.get(key)
        size_bytes = _size_bytes(row)
        full = (
            len(self._waiting) >= get_conf().RECORD_QUEUE_ROWS
            or self._waiting_bytes + size_bytes > QUEUE_BYTES
        )
        if replaced is None and full and isinstance(row, PLENTY):
            self._drop(row)
            return
        self._waiting_bytes += size_bytes - (_size_bytes(replaced) if replaced else 0)
        self._waiting[key] = row
        if len(self._waiting) >= get_conf().RECORD_BATCH_ROWS and not self._failures:
            self.wake()
        self._run()

    def keep_alive(self, conversation: Conversation) -> None:
        """Refresh this conversation's sign of life until it is forgotten."""
        self._alive[conversation.pk] = conversation

    def forget(self, conversation: Conversation) -> None:
        """Stop refreshing."""
        self._alive.pop(conversation.pk, None)

    def wake(self) -> None:
        """Write what waits now instead of at the next turn."""
        self._wake.set()

    async def drain(self) -> None:
        """Wait until all is written and told, at most ``DRAIN_S`` seconds.

        For a server that stops; an ordinary end of a session need not wait.
        """
        try:
            async with asyncio.timeout(DRAIN_S):
                while self._waiting:
                    self._idle.clear()
                    self.wake()
                    await self._idle.wait()
                await self._signals.join()
        except TimeoutError:
            logger.warning("Records not written in time: %d rows", len(self._waiting))

    def _run(self) -> None:
        if self._task is None or self._task.done():
            self._idle.clear()
            self._task = asyncio.create_task(self._turns(), name="realtime-records")

    async def _turns(self) -> None:
        while self._waiting or self._alive:
            await self._pause()
            await self._turn()

    async def _pause(self) -> None:
        pause_s = get_conf().RECORD_FLUSH_S
        if self._failures:
            pause_s = min(MAX_PAUSE_S, pause_s * 2**self._failures)
        try:
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _turn(self) -> None:
        """Write one batch, and what else is due."""
        try:
            await self._write_batch()
            await self._sign_of_life()
            self._failures = 0
        except Exception as exc:
            # The words of a database error may hold content; its name does not.
            self._failures += 1
            self._beaten_s = float("-inf")
            self._watch.database_away(self._monotonic())
            if self._failures == 1:
                logger.warning(
                    "Database unavailable (%s): %d rows wait in memory",
                    type(exc).__name__,
                    len(self._waiting),
                )
        if not self._waiting:
            self._idle.set()
        elif not self._failures:
            self.wake()

    async def _write_batch(self) -> None:
        keys = list(self._waiting)[: get_conf().RECORD_BATCH_ROWS]
        if not keys:
            return
        rows = [self._waiting[key] for key in keys]
        written = await records_pool.run(lambda: self._write(rows))
        for key, row in zip(keys, rows, strict=True):
            # A newer row of this key, put meanwhile, stays for the next batch.
            if self._waiting.get(key) is row:
                del self._waiting[key]
                self._waiting_bytes -= _size_bytes(row)
        for row in written.refused:
            self._drop(row)
        for row in written.rows:
            self._tell(row)

    async def _sign_of_life(self) -> None:
        """Refresh the heartbeats and end what dead processes left open."""
        now_s = self._monotonic()
        alive = list(self._alive)
        if alive and now_s - self._beaten_s >= get_conf().HEARTBEAT_S:
            self._beaten_s = now_s
            await records_pool.run(lambda: beat(alive))
        if self._watch.due(now_s):
            self.tell_lost(await records_pool.run(end_lost))

    def tell_lost(self, rows: Iterable[Ended]) -> None:
        """Say that these conversations have lost their process."""
        for row in rows:
            logger.warning("Conversation %s lost its process", row.conversation.pk)
            self._tell(row)

    def _drop(self, row: Row) -> None:
        self.dropped_rows += 1
        conversation = row if isinstance(row, Conversation) else row.conversation
        logger.error(
            "Record dropped: %s of conversation %s (%d in all)",
            type(row).__name__,
            conversation.pk,
            self.dropped_rows,
        )

    def _tell(self, row: Row) -> None:
        """Queue the signal of a row that is written."""
        told = _signal_of(row)
        if told is None or not told[0].has_listeners(Conversation):
            return
        try:
            self._signals.put_nowait(told)
        except asyncio.QueueFull:
            logger.error("Signal dropped: receivers are too slow")
        if self._teller is None or self._teller.done():
            self._teller = asyncio.create_task(
                self._tell_all(), name="realtime-signals"
            )

    async def _tell_all(self) -> None:
        """Send signals one after another; receivers never see the audio path."""
        while not self._signals.empty():
            signal, arguments = self._signals.get_nowait()
            try:
                async with OwnThreadContext():
                    await signal.asend_robust(Conversation, **arguments)
            finally:
                self._signals.task_done()

    def write_at_exit(self) -> None:
        """Write what waits and end what is alive, when the loop is gone already."""
        now = timezone.now()
        rows = list(self._waiting.values())
        for conversation in self._alive.values():
            duration_s = (now - conversation.started_at).total_seconds()
            rows.append(Ended(conversation, "draining", "", duration_s, now))
        self._waiting.clear()
        self._alive.clear()
        if rows:
            try:
                self._write(rows)
            except Exception:
                logger.exception("Records lost at exit: %d rows", len(rows))


def _signal_of(row: Row) -> tuple[Signal, dict[str, Any]] | None:
    """Return the signal that speaks of a row, with its arguments."""
    match row:
        case Started():
            return signals.session_started, {"conversation": row.conversation}
        case Ended():
            return signals.session_stopped, {
                "conversation": row.conversation,
                "reason": row.reason,
                "duration": row.duration_s,
                "error_code": row.error_code,
            }
        case Item() if row.text:
            return signals.transcript_added, {
                "conversation": row.conversation,
                "item": row,
            }
        case ToolCall():
            return signals.tool_called, {"conversation": row.conversation, "call": row}
        case ConversationEvent():
            signal = EVENT_SIGNALS[ConversationEvent.Kind(row.kind)]
            return signal, {"conversation": row.conversation, "event": row}
        case Usage():
            return signals.usage_recorded, {
                "conversation": row.conversation,
                "usage": row,
            }
        case _:
            return None


def _size_bytes(row: Row) -> int:
    """Return roughly what a row's text takes in memory."""
    if isinstance(row, Item):
        return len(row.text) + len(row.generated_text)
    if isinstance(row, ToolCall):
        return len(row.arguments) + len(row.output)
    return 0


_writers: WeakKeyDictionary[asyncio.AbstractEventLoop, RecordWriter] = (
    WeakKeyDictionary()
)


def current_writer() -> RecordWriter:
    """Return the writer of the running loop; a server has one loop a process."""
    loop = asyncio.get_running_loop()
    if loop not in _writers:
        _writers[loop] = RecordWriter()
    return _writers[loop]


def all_writers() -> list[RecordWriter]:
    """Return the writers of this process."""
    return list(_writers.values())


@atexit.register
def _write_at_exit() -> None:
    for writer in all_writers():
        writer.write_at_exit()
