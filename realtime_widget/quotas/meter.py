"""Watching one session's quotas while it talks.

Nothing here is on the audio path: the clock and what answers used decide when a thread
takes the next slice. A session whose quotas give no more is ended politely.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from realtime_widget.conf import get_conf
from realtime_widget.models import Quota
from realtime_widget.models.quotas import MILLION
from realtime_widget.protocol.usage import Tariff, cost_usd, read_usage
from realtime_widget.quotas.ledger import Claim, Reservation, settle, top_up
from realtime_widget.session.ports import Fact, RecorderPort, StartedFact, UsageFact
from realtime_widget.threads import ThreadPool

logger = logging.getLogger(__name__)

# A database that was away is asked again after so long.
RETRY_S: Final = 5.0
# Settling is tried again after these: a database that is locked now is free soon.
SETTLE_WAITS_S: Final = (0.5, 2.0, 5.0)

# Its own threads: many calls that count must not keep new ones from opening.
quota_pool = ThreadPool(2, "realtime-quotas")


class QuotaMeter:
    """Counts what one session uses.

    It stands between the session and its recorder, and hears what is recorded.

    Args:
        reservation: What it holds.
        tariff: What is used costs that; it may change while the session runs.
        clock: Monotonic seconds.

    Attributes:
        spent: Unit -> millionths, once it has ended.
    """

    def __init__(
        self,
        reservation: Reservation,
        tariff: Tariff | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reservation = reservation
        self._tariff = tariff or Tariff()
        self._clock = clock
        self.spent: dict[str, int] = {}
        self._started_s: float | None = None
        self._tokens = 0
        self._usd = Decimal(0)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._recorder: RecorderPort | None = None
        self._used_up: Callable[[str], None] | None = None

    def watch(self, recorder: RecorderPort, used_up: Callable[[str], None]) -> None:
        """Begin to watch a session.

        Args:
            recorder: Told every fact.
            used_up: Called once with words for the visitor when no more may be used.
        """
        self._recorder, self._used_up = recorder, used_up
        if self._reservation.claims:
            self._task = asyncio.create_task(self._watch(), name="realtime quota")

    def record(self, fact: Fact) -> None:
        """Count what a fact says and hand it on."""
        if self._recorder is not None:
            self._recorder.record(fact)
        if isinstance(fact, StartedFact):
            self._started_s = self._started_s or self._clock()
            self._wake.set()
        elif isinstance(fact, UsageFact):
            counts = read_usage(fact.usage)
            self._tokens += counts.total_tokens
            # What has no known price cannot be held against a sum of money.
            self._usd += cost_usd(counts, self._tariff.of(fact.kind)) or 0
            self._wake.set()

    async def end(self) -> None:
        """Stop watching and settle; never raises."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._reservation.complete and not self._reservation.claims:
            return
        spent, began = self._spent(), self._started_s is not None
        self.spent = spent
        for wait_s in (*SETTLE_WAITS_S, None):
            try:
                await quota_pool.run(
                    lambda: settle(self._reservation, spent, began=began)
                )
                return
            except Exception as exc:
                name = type(exc).__name__
            if wait_s is None:
                logger.warning("Quotas not settled: %s", name)
            else:
                await asyncio.sleep(wait_s)

    def _spent(self) -> dict[str, int]:
        """Return unit -> millionths used so far."""
        talked_s = 0.0 if self._started_s is None else self._clock() - self._started_s
        return {
            Quota.Unit.SECONDS: int(talked_s * MILLION),
            Quota.Unit.TOKENS: self._tokens * MILLION,
            Quota.Unit.USD: int(self._usd * MILLION),
        }

    async def _watch(self) -> None:
        while True:
            wait_s = self._due_s()
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await quota_pool.run(lambda: top_up(self._reservation, self._spent()))
            except Exception as exc:
                # The talk goes on, as it does without its record.
                logger.warning("Quotas not counted: %s", type(exc).__name__)
                await asyncio.sleep(RETRY_S)
                continue
            exhausted = self._exhausted()
            if exhausted is not None and self._used_up is not None:
                self._used_up(exhausted.words)
                return

    def _exhausted(self) -> Claim | None:
        spent = self._spent()
        for claim in self._reservation.claims:
            if claim.dry and spent.get(claim.unit, 0) >= claim.taken:
                return claim
        return None

    def _due_s(self) -> float | None:
        """Return after how long to look again, None for when something is used."""
        if self._started_s is None:
            return None
        spent = self._spent()[Quota.Unit.SECONDS]
        margin = int(get_conf().QUOTA_SLICE_S * MILLION) // 2
        waits = [
            claim.taken - spent - (0 if claim.dry else margin)
            for claim in self._reservation.claims
            if claim.unit == Quota.Unit.SECONDS
        ]
        return max(0.0, min(waits) / MILLION) if waits else None
