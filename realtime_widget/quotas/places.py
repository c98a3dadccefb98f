"""Places for sessions: in this process, and in all that share a cache.

A place in the cache is a key that only one process can add. It expires by itself when
its process dies, and is refreshed for all calls of a process at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import secrets
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.core.cache import cache

from realtime_widget.conf import Conf, get_conf
from realtime_widget.exceptions import AdmissionRefused
from realtime_widget.patience import Patience
from realtime_widget.protocol.browser import CloseCode
from realtime_widget.threads import ThreadPool

logger = logging.getLogger(__name__)

CACHE_PREFIX = "realtime_widget:place:"
PER_PROCESS_CACHES = (
    "django.core.cache.backends.dummy.DummyCache",
    "django.core.cache.backends.locmem.LocMemCache",
)
# So many refreshes may fail before a place is free again.
MISSED_BEATS = 3
# A cache that answers nobody in this time counts as away; one that answers others is
# waited for as a busy database is.
CACHE_S = 2.0

# Its own threads: a cache that hangs must not keep anybody from the database.
cache_pool = ThreadPool(2, "realtime-places")


def session_limits(
    conf: Conf, *, widget: str, user: str, address: str
) -> dict[str, int]:
    """Return the keys a session counts under and the most of each."""
    limits = {
        "process": conf.SESSIONS_PER_PROCESS,
        f"widget:{widget}": conf.SESSIONS_PER_WIDGET,
        f"address:{address}": conf.SESSIONS_PER_IP,
    }
    if user:
        limits[f"user:{user}"] = conf.SESSIONS_PER_USER
    return limits


def cache_is_shared() -> bool:
    """Return whether other processes see what this one puts into the cache."""
    backend = settings.CACHES.get("default", {}).get("BACKEND", "")
    return backend not in PER_PROCESS_CACHES


@dataclass(slots=True)
class Lease:
    """One session's places; give them back once.

    Attributes:
        keys: What it counts under in this process.
        limits: Key -> most sessions.
        slots: Keys it holds in the cache.
    """

    keys: tuple[str, ...]
    limits: Mapping[str, int]
    slots: list[str] = field(default_factory=list)
    released: bool = False


def _too_many(key: str) -> AdmissionRefused:
    kind = key.split(":", 1)[0]
    return AdmissionRefused(
        f"too many sessions of this {kind}", close_code=CloseCode.LIMIT
    )


class SessionCounters:
    """Sessions that run in this process, by process, widget, user and address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()

    def running(self, key: str = "process") -> int:
        """Return how many sessions hold a place under ``key``."""
        return self._running[key]

    def check(self, limits: Mapping[str, int]) -> None:
        """Take nothing, but tell whether there is a place under every key.

        Raises:
            AdmissionRefused: If one of them is full.
        """
        for key, limit in limits.items():
            if limit and self._running[key] >= limit:
                raise _too_many(key)

    def acquire(self, limits: Mapping[str, int]) -> Lease:
        """Take a place under every key, or under none.

        Args:
            limits: Key -> most sessions; 0 is no bound.

        Raises:
            AdmissionRefused: If one of them is full.
        """
        with self._lock:
            self.check(limits)
            self._running.update(limits.keys())
        return Lease(tuple(limits), limits)

    def release(self, lease: Lease) -> None:
        """Give a lease's places back, once; from any thread."""
        with self._lock:
            if lease.released:
                return
            lease.released = True
            self._running.subtract(lease.keys)
            for key in lease.keys:
                if self._running[key] <= 0:
                    del self._running[key]


class SharedPlaces:
    """Places that the processes of a site share through its cache.

    Where they share none, all of this does nothing: each process counts for itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[str] = set()
        self._owner = secrets.token_hex(8)
        self._task: asyncio.Task[None] | None = None
        self._patience = Patience(
            CACHE_S, lambda exc: isinstance(exc, AdmissionRefused)
        )

    def check(self, limits: Mapping[str, int]) -> None:
        """Take nothing, but tell whether there is a place; blocks.

        Raises:
            AdmissionRefused: If there is none.
        """
        if not cache_is_shared():
            return
        for key, limit in _shared(limits).items():
            try:
                taken = cache.get_many(_slots(key, limit))
            except Exception as exc:
                _without_cache(exc)
                return
            if len(taken) >= limit:
                raise _too_many(key)

    async def take(self, lease: Lease) -> None:
        """Take a place under every key that has a limit, or under none.

        Raises:
            AdmissionRefused: If one of them is full; or if the cache is away and the
                site wants no sessions without it.
        """
        if not cache_is_shared() or not _shared(lease.limits):
            return
        try:
            await self._patience.ask(
                lambda _answered: cache_pool.run(lambda: self._take(lease))
            )
        except AdmissionRefused:
            raise
        except Exception as exc:
            # Each cache raises errors of its own library.
            _without_cache(exc)
        self._keep()

    async def give_back(self, lease: Lease) -> None:
        """Free the places of a lease that was released; never raises."""
        if not lease.slots:
            return
        try:
            async with asyncio.timeout(CACHE_S):
                await cache_pool.run(lambda: self._free(lease))
        except Exception as exc:
            logger.debug("Places left to expire: %s", type(exc).__name__)

    def refresh(self) -> None:
        """Keep what this process holds; blocks."""
        with self._lock:
            held = list(self._held)
        if held:
            cache.set_many(dict.fromkeys(held, self._owner), timeout=_ttl_s())

    def _take(self, lease: Lease) -> None:
        for key, limit in _shared(lease.limits).items():
            slot = self._free_slot(key, limit)
            if slot is None:
                self._free(lease)
                raise _too_many(key)
            lease.slots.append(slot)
            with self._lock:
                self._held.add(slot)
        if lease.released:
            # Whoever wanted it did not wait so long.
            self._free(lease)

    def _free_slot(self, key: str, limit: int) -> str | None:
        slots = _slots(key, limit)
        taken = cache.get_many(slots)
        free = [slot for slot in slots if slot not in taken]
        # In no order, so that processes seldom try the same one.
        random.shuffle(free)
        added = (s for s in free if cache.add(s, self._owner, timeout=_ttl_s()))
        return next(added, None)

    def _free(self, lease: Lease) -> None:
        slots, lease.slots = lease.slots, []
        with self._lock:
            self._held.difference_update(slots)
        cache.delete_many(slots)

    def _keep(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._refreshing(), name="realtime-places")

    async def _refreshing(self) -> None:
        while self._held:
            await asyncio.sleep(get_conf().HEARTBEAT_S)
            try:
                await cache_pool.run(self.refresh)
            except Exception as exc:
                logger.warning("Places not refreshed: %s", type(exc).__name__)


def _shared(limits: Mapping[str, int]) -> dict[str, int]:
    return {key: limit for key, limit in limits.items() if limit and key != "process"}


def _slots(key: str, limit: int) -> list[str]:
    """Return the names of all places under a key; they tell nothing about it."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return [f"{CACHE_PREFIX}{digest}:{number}" for number in range(limit)]


def _ttl_s() -> float:
    return MISSED_BEATS * get_conf().HEARTBEAT_S


def _without_cache(exc: Exception) -> None:
    """Go on with what this process counts, or not, as the site wants.

    Raises:
        AdmissionRefused: If the site wants no sessions without its cache.
    """
    logger.warning(
        "Cache unavailable (%s): limits count in this process only", type(exc).__name__
    )
    if not get_conf().OPEN_WITHOUT_CACHE:
        raise AdmissionRefused("cache unavailable", close_code=CloseCode.ERROR)


# The process's own; every socket of every loop counts here.
counters = SessionCounters()
places = SharedPlaces()
