"""Asking whether a provider works, for the admin and the command.

Nothing is said to a model, so nothing is paid for.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from asgiref.sync import async_to_sync

from realtime_widget.configs import Way, ways
from realtime_widget.connectors import SECOND_KEY_WORKS, breaker_of, engine_model
from realtime_widget.exceptions import EngineUnavailable, UpstreamError
from realtime_widget.models import Provider
from realtime_widget.upstream.health import TIMEOUT_S, list_models


@dataclass(frozen=True, slots=True)
class Checked:
    """How a check went.

    Attributes:
        ok: Whether sessions can be expected to open.
        reason: For the site's staff, "" for nothing to say.
        took_ms: From the question to the answer.
    """

    ok: bool
    reason: str
    took_ms: int


def check_and_note(provider: Provider) -> Checked:
    """Check a provider, write the result into its row, and return it; at most 5 s.

    A provider that works again is no longer left alone by this process.
    """
    checked: Checked = async_to_sync(check)(provider)
    provider.note_health(checked.ok, checked.reason, checked.took_ms)
    if checked.ok:
        breaker_of(provider).succeeded()
    return checked


async def check(provider: Provider, timeout_s: float = TIMEOUT_S) -> Checked:
    """Check a provider; never raises for what is wrong with it.

    Args:
        provider: A row; the engine in this process is loaded, another is asked for
            its list of models.
        timeout_s: Longest wait.
    """
    begun_s = time.perf_counter()
    try:
        async with asyncio.timeout(timeout_s):
            reason = await _ask(provider, timeout_s)
        ok = True
    except TimeoutError:
        ok, reason = False, f"no answer within {timeout_s:.0f} s"
    except (UpstreamError, EngineUnavailable) as exc:
        ok, reason = False, str(exc)
    return Checked(ok, reason, round((time.perf_counter() - begun_s) * 1_000))


async def _ask(provider: Provider, timeout_s: float) -> str:
    """Return what staff should know of a provider that works.

    Raises:
        UpstreamError: If it does not.
        EngineUnavailable: The same, of the engine in this process.
    """
    if provider.runs_in_process:
        await asyncio.to_thread(lambda: engine_model(provider.model).load())
        return ""
    # The first key first, whatever sessions found: it may have been replaced.
    in_order = sorted(ways(provider), key=lambda way: way.slot == "second_key")
    for number, way in enumerate(in_order, 1):
        try:
            await _ask_for_models(provider, way, timeout_s)
        except UpstreamError as exc:
            if exc.code != "upstream_auth" or number == len(in_order):
                raise
        else:
            return SECOND_KEY_WORKS if way.slot == "second_key" else ""
    return ""


async def _ask_for_models(provider: Provider, way: Way, timeout_s: float) -> None:
    names = (await list_models(way.target, timeout_s)).names
    # Azure lists models, not the deployments that are asked for; other servers may
    # take any name.
    is_listed = names is None or provider.model in names
    if provider.kind == Provider.Kind.OPENAI and not is_listed:
        raise UpstreamError(
            f"the key may not use the model {provider.model}, or there is none",
            code="upstream_refused",
            retryable=False,
        )
