"""Running one handler where it cannot hurt a call.

A ``def`` runs in the process's own bounded pool: not in the one thread that
``sync_to_async`` shares among all consumers, and never on the loop. An
``async def`` is awaited; the synchronous calls that *it* makes get a thread of
their own for the same reason.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast

from asgiref.sync import iscoroutinefunction
from django.utils import translation
from django.utils.functional import Promise
from pydantic_core import to_jsonable_python

from realtime_widget.conf import get_conf
from realtime_widget.exceptions import ToolError, ToolTimeout
from realtime_widget.handlers.context import ToolContext
from realtime_widget.handlers.registry import Allows, Handler
from realtime_widget.handlers.signatures import validated
from realtime_widget.threads import OwnThreadContext, ThreadPool

T = TypeVar("T")

# Calls that may wait for each thread; more are refused at once, because the
# visitor is waiting too.
WAITING_PER_THREAD = 4

SIGN_IN_FIRST = "The visitor has to sign in on the page before this can be done."
NOT_ALLOWED = "The signed-in user is not allowed to do this."
BUSY = "The site is too busy to do this now. Apologise and offer to try again."


_pools: dict[int, ThreadPool] = {}
_pools_lock = threading.Lock()


def tool_pool() -> ThreadPool:
    """Return the process's pool for handlers, sized by ``TOOL_THREADS``."""
    threads = get_conf().TOOL_THREADS
    with _pools_lock:
        if threads not in _pools:
            _pools[threads] = ThreadPool(threads, "realtime-tool")
        return _pools[threads]


async def in_thread(function: Callable[[], T]) -> T:
    """Return what the function returns, or refuse when the line is too long."""
    pool = tool_pool()
    if pool.taken >= pool.threads * (1 + WAITING_PER_THREAD):
        raise ToolError(BUSY)
    return await pool.run(function)


async def permit(handler: Handler, context: ToolContext) -> None:
    """Check whether the visitor may make this call at all.

    Raises:
        ToolError: With words for the model, when not.
        Exception: Whatever the site's own function raises.
    """
    if handler.requires_login and not context.user.is_authenticated:
        raise ToolError(SIGN_IN_FIRST)
    permissions = handler.permissions
    if permissions and not await in_thread(lambda: _has(context, permissions)):
        raise ToolError(NOT_ALLOWED)
    if handler.allows is not None and not await _asked(handler.allows, context):
        raise ToolError(NOT_ALLOWED)


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
    try:
        async with asyncio.timeout(handler.timeout_s) as bound:
            await permit(handler, context)
            values = (
                dict(arguments)
                if handler.arguments is None
                else validated(handler.arguments, arguments)
            )
            if handler.run_in == "thread":
                return await in_thread(lambda: _call(handler, context, values))
            return await _acall(handler, context, values)
    except TimeoutError as exc:
        if not bound.expired():
            raise
        raise ToolTimeout("This took too long and was given up.") from exc


def _call(handler: Handler, context: ToolContext, values: dict[str, Any]) -> Any:
    """Call a ``def`` in the pool's thread, with the page's language."""
    with translation.override(context.language or None):
        return _jsonable(handler.function(context, **values))


async def _acall(handler: Handler, context: ToolContext, values: dict[str, Any]) -> Any:
    """Await an ``async def``, with the page's language."""
    async with OwnThreadContext():
        with translation.override(context.language or None):
            return _jsonable(await handler.function(context, **values))


def _has(context: ToolContext, permissions: tuple[str, ...]) -> bool:
    return bool(context.user.has_perms(permissions))


async def _asked(allows: Allows, context: ToolContext) -> bool:
    """Ask the site's own function, a ``def`` in the pool's thread."""
    if not iscoroutinefunction(allows):
        return bool(await in_thread(lambda: allows(context)))
    async with OwnThreadContext():
        return bool(await cast(Awaitable[bool], allows(context)))


def _jsonable(value: Any) -> Any:
    return to_jsonable_python(value, fallback=_translated, inf_nan_mode="null")


def _translated(value: Any) -> str:
    """Return a lazy translation as text; nothing else is guessed at."""
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"A tool returned {type(value).__name__}, which JSON cannot hold.")
