"""Room for a call: its places in this process, and in all that share a cache."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from realtime_widget.conf import get_conf
from realtime_widget.exceptions import AdmissionRefused
from realtime_widget.protocol.browser import CloseCode
from realtime_widget.quotas import Lease, counters, places

# The place of a call that is told to end in another process is free so soon.
FREED_S: Final = 3.0
LOOK_AGAIN_S: Final = 0.1


@contextmanager
def opening() -> Iterator[None]:
    """Count a socket that has not said yet what it wants.

    Raises:
        AdmissionRefused: If as many wait as there may be calls.
    """
    lease = counters.acquire({"opening": get_conf().SESSIONS_PER_PROCESS})
    try:
        yield
    finally:
        counters.release(lease)


async def take_place(limits: Mapping[str, int], *, freed: bool) -> Lease:
    """Take a place under every limit, or under none.

    Args:
        limits: Key -> most sessions.
        freed: Whether a place of the same visitor is about to be free.

    Raises:
        AdmissionRefused: If one of them is full; or if the cache is away and the site
            wants no sessions without it.
    """
    until_s = time.monotonic() + FREED_S if freed else 0.0
    while True:
        try:
            return await _take(limits)
        except AdmissionRefused as exc:
            full = exc.close_code == CloseCode.LIMIT
            if not full or time.monotonic() >= until_s:
                raise
        await asyncio.sleep(LOOK_AGAIN_S)


async def _take(limits: Mapping[str, int]) -> Lease:
    lease = counters.acquire(limits)
    try:
        await places.take(lease)
    except BaseException:
        await give_back(lease)
        raise
    return lease


async def give_back(lease: Lease) -> None:
    """Free the places of a call; idempotent."""
    counters.release(lease)
    await places.give_back(lease)
