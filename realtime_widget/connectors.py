"""From a provider's row to an open connection: the table of kinds.

``CONNECTORS`` maps a provider's kind to a function that makes ``connect`` for one
session; a site or a test may add a kind of its own.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError

from realtime_widget.conf import get_conf
from realtime_widget.configs import Way, ways
from realtime_widget.engine.ports import Parts
from realtime_widget.exceptions import (
    EngineUnavailable,
    UpstreamError,
    UpstreamUnreachable,
)
from realtime_widget.metrics import instruments
from realtime_widget.models import Provider, Widget
from realtime_widget.session.ports import UpstreamPort
from realtime_widget.spans import span
from realtime_widget.threads import row_pool
from realtime_widget.upstream.breaker import Breaker, BreakerRules
from realtime_widget.upstream.connection import open_connection

if TYPE_CHECKING:
    from realtime_widget.engine.models import Model, Models

logger = logging.getLogger(__name__)

Connect = Callable[[], Awaitable[UpstreamPort]]

SECOND_KEY_WORKS: Final = (
    "Only the second key was accepted. Replace the first, or make the second the first."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a connection is made.

    Attributes:
        user_hash: Stable hash of the visitor for the provider's abuse reports; "" for
            nobody in particular.
        open_timeout_s: Longest wait for the server, None for the site's setting.
    """

    user_hash: str = ""
    open_timeout_s: float | None = None


NOBODY: Final = Caller()


def connect_widget(widget: Widget, caller: Caller = NOBODY) -> InOrder:
    """Return a function that opens the model's end for a widget's session.

    Reads rows and the environment: call it from a thread.

    Raises:
        UpstreamError: ``not_configured``, when no provider of the widget can be used.
    """
    rows = widget.fallbacks.select_related("provider")
    return make_connect(widget.provider, caller, [row.provider for row in rows])


def make_connect(
    provider: Provider | None,
    caller: Caller = NOBODY,
    fallbacks: Sequence[Provider] = (),
) -> InOrder:
    """Return a function that opens the model's end for one session.

    Reads the environment and may write rows: call it from a thread.

    Args:
        provider: The one to ask first; None for the embedded engine.
        caller: For whom.
        fallbacks: Asked in this order when those before do not answer. All of them
            together get the time of one, so that no visitor waits longer.

    Raises:
        UpstreamError: ``not_configured``, when none of them can be used.
    """
    candidates = [provider, *fallbacks]
    if fallbacks and caller.open_timeout_s is None:
        share_s = get_conf().UPSTREAM_OPEN_S / len(candidates)
        caller = replace(caller, open_timeout_s=share_s)
    usable: list[Candidate] = []
    refusals: list[UpstreamError] = []
    for candidate in candidates:
        kind = str(candidate.kind) if candidate is not None else Provider.Kind.LOCAL
        try:
            usable.append(Candidate(candidate, CONNECTORS[kind](candidate, caller)))
        except UpstreamError as exc:
            if candidate is not None:
                candidate.note_health(ok=False, reason=str(exc))
            refusals.append(exc)
    if not usable:
        raise refusals[0]
    return InOrder(usable)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider and how to reach it."""

    provider: Provider | None
    connect: Connect

    @property
    def name(self) -> str:
        """How logs call it."""
        return f"{self.provider.pk}" if self.provider is not None else "engine"


class InOrder:
    """Opens a connection to the first provider that answers.

    Args:
        candidates: In order of trial; at least one.

    Attributes:
        answered_by: Who did, None before and for the engine without a row.
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        self.answered_by: Provider | None = None

    async def __call__(self) -> UpstreamPort:
        """Connect.

        Raises:
            UpstreamError: The first provider's, when none answers.
            EngineUnavailable: The same, of the engine in this process.
        """
        errors: list[UpstreamError | EngineUnavailable] = []
        for candidate in self._candidates:
            try:
                upstream = await self._try(candidate)
            except (UpstreamError, EngineUnavailable) as exc:
                errors.append(exc)
                continue
            if errors:
                logger.warning("Provider %s stands in for another", candidate.name)
            self.answered_by = candidate.provider
            return upstream
        raise errors[0]

    async def _try(self, candidate: Candidate) -> UpstreamPort:
        breaker = breaker_of(candidate.provider)
        if not breaker.admit(time.monotonic()):
            raise UpstreamUnreachable("the provider has failed too often of late")
        try:
            upstream = await self._measured(candidate)
        except (UpstreamError, EngineUnavailable) as exc:
            self._failed(candidate, breaker, exc)
            raise
        except BaseException:
            breaker.left()
            raise
        breaker.succeeded()
        remark = getattr(candidate.connect, "remark", "")
        _note_health(candidate.provider, ok=True, reason=remark)
        return upstream

    async def _measured(self, candidate: Candidate) -> UpstreamPort:
        begun_s, error = time.monotonic(), ""
        provider = candidate.provider
        kind = str(provider.kind) if provider is not None else Provider.Kind.LOCAL.value
        about = {"realtime.provider": candidate.name, "realtime.kind": kind}
        try:
            with span("realtime connect", about):
                return await candidate.connect()
        except (UpstreamError, EngineUnavailable) as exc:
            error = getattr(exc, "code", "not_configured")
            raise
        finally:
            if numbers := instruments():
                name = provider.name if provider is not None else "engine"
                took_s = time.monotonic() - begun_s
                numbers.connect_s.labels(name, error).observe(took_s)

    def _failed(
        self,
        candidate: Candidate,
        breaker: Breaker,
        exc: UpstreamError | EngineUnavailable,
    ) -> None:
        """Count what may pass by itself; a wrong key does not, and is told at once."""
        now_s = time.monotonic()
        if getattr(exc, "retryable", False):
            breaker.failed(now_s)
        else:
            breaker.left()
        if breaker.state(now_s) == "open":
            logger.error("Provider %s is left alone for a while", candidate.name)
        _note_health(candidate.provider, ok=False, reason=str(exc))


_breakers: dict[tuple[object, ...], Breaker] = {}


def breaker_of(provider: Provider | None) -> Breaker:
    """Return this process's breaker of a provider; another address gets a new one."""
    conf = get_conf()
    rules = BreakerRules(
        failures=conf.BREAKER_FAILURES,
        window_s=conf.BREAKER_WINDOW_S,
        open_s=conf.BREAKER_OPEN_S,
        probe_s=conf.UPSTREAM_OPEN_S,
    )
    who = (provider.pk, provider.kind, provider.base_url) if provider else (None,)
    return _breakers.setdefault((*who, rules), Breaker(rules))


class KeyedConnect:
    """Opens a connection with the first key that is accepted.

    Args:
        ways_: To one provider, in order of trial; at least one.

    Attributes:
        remark: For the site's staff, after a connection; "" for nothing to say.
    """

    def __init__(self, ways_: Sequence[Way]) -> None:
        self._ways = ways_
        self.remark = ""

    async def __call__(self) -> UpstreamPort:
        """Dial; another key is tried only when one is refused.

        Raises:
            UpstreamError: If the last way that was tried leads nowhere.
        """
        *others, last = self._ways
        for way in others:
            try:
                return await self._open(way)
            except UpstreamError as exc:
                if exc.code != "upstream_auth":
                    raise
        return await self._open(last)

    async def _open(self, way: Way) -> UpstreamPort:
        connection = await open_connection(way.target)
        self.remark = SECOND_KEY_WORKS if way.slot == "second_key" else ""
        return connection


def _dialled(provider: Provider | None, caller: Caller) -> Connect:
    """Return a connection over the network, or to the engine in this process."""
    if provider is None or provider.runs_in_process:
        return _engine(provider)
    return KeyedConnect(
        ways(
            provider,
            user_hash=caller.user_hash,
            open_timeout_s=caller.open_timeout_s,
        )
    )


def _engine(provider: Provider | None) -> Connect:
    """Return a conversation with the engine in this process.

    The row's model is one of the engine's own; another name gets the default.
    """
    name = str(provider.model) if provider is not None else ""

    async def connect() -> UpstreamPort:
        # Imported with the first session that needs it: a site whose model is
        # elsewhere never loads the engine.
        model = await asyncio.to_thread(engine_model, name)
        if not model.loaded:
            await _load(model)
        from realtime_widget.engine.loopback import LoopbackConnection

        return LoopbackConnection(model)

    return connect


# Who is told how far the engine is loaded, on the event loop: 0 to 1.
loading_told: ContextVar[Callable[[float], None] | None] = ContextVar(
    "realtime_widget.loading_told", default=None
)


async def _load(model: Model) -> None:
    """Load a model in a thread, and tell the session that waits for it."""
    told = loading_told.get()
    if told is None:
        await asyncio.to_thread(model.load)
        return
    told(model.loading.share)
    loop = asyncio.get_running_loop()

    def tell(share: float) -> None:
        loop.call_soon_threadsafe(told, share)

    with model.loading.told_to(tell):
        await asyncio.to_thread(model.load)


CONNECTORS: dict[str, Callable[[Provider | None, Caller], Connect]] = {
    Provider.Kind.OPENAI: _dialled,
    Provider.Kind.AZURE: _dialled,
    Provider.Kind.COMPATIBLE: _dialled,
    Provider.Kind.LOCAL: _dialled,
}

_models: Models | None = None
_models_lock = threading.Lock()


def engine_model(name: str = "") -> Model:
    """Return one of the engine's models, which may still be to load.

    Args:
        name: As in ``realtime_widget.engine.models``; any other gets ``local``.
    """
    from realtime_widget.engine.models import all_models
    from realtime_widget.engine.options import options_from_setting

    global _models
    with _models_lock:
        if _models is None:
            _models = all_models(options_from_setting(get_conf().ENGINE))
    return _models.resolve(name)


def engine_parts() -> Parts:
    """Return the parts of the engine's model ``local``; blocks for 1 to 2 s once."""
    return engine_model().parts


# Kept so that no task is collected while it runs.
_notes: set[asyncio.Task[None]] = set()


def _note_health(provider: Provider | None, *, ok: bool, reason: str) -> None:
    """Write down how the connection went, beside the call."""
    if provider is None or provider.pk is None:
        return
    task = asyncio.create_task(
        _write_health(provider, ok, reason), name=f"realtime-health-{provider.pk}"
    )
    _notes.add(task)
    task.add_done_callback(_notes.discard)


async def _write_health(provider: Provider, ok: bool, reason: str) -> None:  # noqa: FBT001 - as note_health
    try:
        await row_pool.run(lambda: provider.note_health(ok=ok, reason=reason))
    except DatabaseError as exc:
        logger.warning(
            "Health of provider %s not written: %s", provider.pk, type(exc).__name__
        )
