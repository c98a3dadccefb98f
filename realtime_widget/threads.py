"""Bounded thread pools for synchronous work beside the calls.

``sync_to_async`` sends all consumers of a process through one shared thread, so
one slow query would stall every other session's. Work of this app runs in pools of
its own: handlers in one, rows in another.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.db import close_old_connections, connections

T = TypeVar("T")

# Opening sessions and noting a provider's health: short queries only.
ROW_THREADS = 4


class ThreadPool:
    """A pool that counts what it was given.

    Args:
        threads: How many calls run at the same time.
        name: Prefix of the threads' names.
    """

    def __init__(self, threads: int, name: str) -> None:
        self.threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken(self) -> int:
        """Return how many calls run or wait."""
        return self._taken

    async def run(self, function: Callable[[], T]) -> T:
        """Return what the function returns, from a thread.

        Database connections are looked after before and behind the call.
        Cancelling frees the caller at once: a call that still waits is dropped,
        one that runs finishes late and its result is thrown away.
        """
        with self._lock:
            self._taken += 1
        context = contextvars.copy_context()
        future = self._executor.submit(context.run, _with_connections, function)
        future.add_done_callback(self._gone)
        return await asyncio.wrap_future(future)

    def _gone(self, _future: Future[Any]) -> None:
        with self._lock:
            self._taken -= 1


def _with_connections(function: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return function()
    finally:
        close_old_connections()


class OwnThreadContext(ThreadSensitiveContext):
    """Give the ``sync_to_async`` calls inside a thread of their own.

    Leaving never waits for that thread: a query that outlives a cancelled handler
    ends when it ends, then its connection is closed.
    """

    async def __aexit__(self, *exc_info: object) -> None:
        """Close the thread's connections behind its last call and let it end."""
        executor = SyncToAsync.context_to_thread_executor.pop(self, None)
        if self.token is not None:
            SyncToAsync.thread_sensitive_context.reset(self.token)
        if executor is not None:
            executor.submit(connections.close_all)
            executor.shutdown(wait=False)


row_pool = ThreadPool(ROW_THREADS, "realtime-rows")
