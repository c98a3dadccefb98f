"""From a provider's row to an open connection: the table of kinds.

``CONNECTORS`` maps a provider's kind to a function that makes ``connect`` for one
session; a site or a test may add a kind of its own.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

from django.db import DatabaseError

from realtime_widget.conf import get_conf
from realtime_widget.configs import target
from realtime_widget.engine.ports import Parts
from realtime_widget.exceptions import UpstreamError
from realtime_widget.models import Provider
from realtime_widget.session.ports import UpstreamPort
from realtime_widget.threads import row_pool
from realtime_widget.upstream.connection import open_connection

logger = logging.getLogger(__name__)

Connect = Callable[[], Awaitable[UpstreamPort]]


def make_connect(provider: Provider | None) -> Connect:
    """Return a function that opens the model's end for one session.

    Reads rows and the environment: call it from a thread.

    Args:
        provider: The widget's; None for the embedded engine.

    Raises:
        UpstreamError: ``not_configured``, when a key is needed and not set.
    """
    kind = str(provider.kind) if provider is not None else Provider.Kind.LOCAL
    try:
        connect = CONNECTORS[kind](provider)
    except UpstreamError as exc:
        if provider is not None:
            provider.note_health(ok=False, reason=str(exc))
        raise

    async def connect_and_note() -> UpstreamPort:
        try:
            upstream = await connect()
        except UpstreamError as exc:
            _note_health(provider, str(exc))
            raise
        _note_health(provider, "")
        return upstream

    return connect_and_note


def _dialled(provider: Provider | None) -> Connect:
    """Return a connection over the network, or to the engine for no target."""
    where = target(provider)
    if where is None:
        return _engine(provider)
    return lambda: open_connection(where)


def _engine(_provider: Provider | None) -> Connect:
    """Return a conversation with the engine in this process."""

    async def connect() -> UpstreamPort:
        # Imported with the first session that needs it: a site whose model is
        # elsewhere never loads the engine.
        parts = await asyncio.to_thread(engine_parts)
        from realtime_widget.engine.loopback import LoopbackConnection

        return LoopbackConnection(parts)

    return connect


CONNECTORS: dict[str, Callable[[Provider | None], Connect]] = {
    Provider.Kind.OPENAI: _dialled,
    Provider.Kind.AZURE: _dialled,
    Provider.Kind.COMPATIBLE: _dialled,
    Provider.Kind.LOCAL: _dialled,
}

_parts: Parts | None = None
_parts_lock = threading.Lock()


def engine_parts() -> Parts:
    """Return the engine's parts, loaded once a process; blocks for 1 to 2 s then."""
    from realtime_widget.engine.options import options_from_setting
    from realtime_widget.engine.parts import load_parts

    global _parts
    with _parts_lock:
        if _parts is None:
            _parts = load_parts(options_from_setting(get_conf().ENGINE))
        return _parts


# Kept so that no task is collected while it runs.
_notes: set[asyncio.Task[None]] = set()


def _note_health(provider: Provider | None, reason: str) -> None:
    """Write down how the connection went, beside the call."""
    if provider is None or provider.pk is None:
        return
    task = asyncio.create_task(
        _write_health(provider, reason), name=f"realtime-health-{provider.pk}"
    )
    _notes.add(task)
    task.add_done_callback(_notes.discard)


async def _write_health(provider: Provider, reason: str) -> None:
    try:
        await row_pool.run(lambda: provider.note_health(ok=not reason, reason=reason))
    except DatabaseError as exc:
        logger.warning(
            "Health of provider %s not written: %s", provider.pk, type(exc).__name__
        )
