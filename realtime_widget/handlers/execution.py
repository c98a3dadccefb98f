"""Running one handler where it cannot hurt a call.

A ``def`` runs in the process's own bounded pool: not in the one thread that
``sync_to_async`` shares among all consumers, and never on the loop. An
``async def`` is awaited; the synchronous calls that *it* makes get a thread of
their own for the same reason.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.db import close_old_connections, connections
from django.utils import translation
from django.utils.functional import Promise
from pydantic_core import to_jsonable_python

from realtime_widget.conf import get_conf
from realtime_widget.exceptions import ToolError, ToolTimeout
from realtime_widget.handlers.context import ToolContext
from realtime_widget.handlers.registry import Handler
from realtime_widget.handlers.signatures import validated

# Calls that may wait for each thread; more are refused at once, because the
# visitor is waiting too.
WAITING_PER_THREAD = 4

SIGN_IN_FIRST = "The visitor has to sign in on the page before this can be done."
NOT_ALLOWED = "The signed-in user is not allowed to do this."
BUSY = "The site is too busy to do this now. Apologise and offer to try again."


class ThreadPool:
    """A bounded pool that refuses instead of queueing without end.

    Args:
        threads: How many calls run at the same time.
        name: Prefix of the threads' names.
    """

    def __init__(self, threads: int, name: str) -> None:
        self.threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._taken = 0

    async def run(self, function: Callable[[], Any]) -> Any:
        """Return what the function returns.

        Cancelling this frees the caller at once: a call that still waits is
        dropped, one that runs finishes late and its result is thrown away.

        Raises:
            ToolError: If the pool and its waiting line are full.
        """
        with self._lock:
            if self._taken >= self.threads * (1 + WAITING_PER_THREAD):
                raise ToolError(BUSY)
            self._taken += 1
        context = contextvars.copy_context()
        future = self._executor.submit(context.run, _with_connections, function)
        future.add_done_callback(self._gone)
        return await asyncio.wrap_future(future)

    def _gone(self, _future: object) -> None:
        with self._lock:
            self._taken -= 1


def _with_connections(function: Callable[[], Any]) -> Any:
    """Call with fresh database connections and hand them back afterwards."""
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


_pools: dict[str, ThreadPool] = {}
_pools_lock = threading.Lock()


def tool_pool() -> ThreadPool:
    """Return the process's pool for handlers, sized by ``TOOL_THREADS``."""
    threads = get_conf().TOOL_THREADS
    with _pools_lock:
        pool = _pools.get("tools")
        if pool is None or pool.threads != threads:
            pool = _pools["tools"] = ThreadPool(threads, "realtime-tool")
        return pool


async def run_handler(
    handler: Handler, context: ToolContext, arguments: Mapping[str, Any]
) -> Any:
    """Return a handler's result as values that ``json.dumps`` takes.

    Dates, times, ``Decimal`` (as text), UUIDs, dataclasses, pydantic models and
    translated strings are supported. Cancelling leaves nothing behind but a
    thread that may finish late.

    Raises:
        BadToolArguments: With words the model can correct itself by.
        ToolTimeout: If the handler's own ``timeout_s`` passed.
        ToolError: If the visitor may not use it, or the site is too busy.
        Exception: Whatever else the handler raises.
    """
    if handler.requires_login and not context.user.is_authenticated:
        raise ToolError(SIGN_IN_FIRST)
    values = validated(handler.arguments, arguments)
    try:
        async with asyncio.timeout(handler.timeout_s) as bound:
            if handler.run_in == "thread":
                return await tool_pool().run(lambda: _call(handler, context, values))
            return await _acall(handler, context, values)
    except TimeoutError as exc:
        if not bound.expired():
            raise
        raise ToolTimeout("This took too long and was given up.") from exc


def _call(handler: Handler, context: ToolContext, values: dict[str, Any]) -> Any:
    """Call a ``def`` in the pool's thread, with permission and language."""
    if not _allowed(handler, context):
        raise ToolError(NOT_ALLOWED)
    with translation.override(context.language or None):
        return _jsonable(handler.function(context, **values))


async def _acall(handler: Handler, context: ToolContext, values: dict[str, Any]) -> Any:
    """Await an ``async def``, with permission and language."""
    if handler.permission and not await tool_pool().run(
        lambda: _allowed(handler, context)
    ):
        raise ToolError(NOT_ALLOWED)
    async with OwnThreadContext():
        with translation.override(context.language or None):
            return _jsonable(await handler.function(context, **values))


def _allowed(handler: Handler, context: ToolContext) -> bool:
    return not handler.permission or bool(context.user.has_perm(handler.permission))


def _jsonable(value: Any) -> Any:
    return to_jsonable_python(value, fallback=_translated, inf_nan_mode="null")


def _translated(value: Any) -> str:
    """Return a lazy translation as text; nothing else is guessed at."""
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"A tool returned {type(value).__name__}, which JSON cannot hold.")
