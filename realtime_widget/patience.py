"""Waiting for the database: long while it is busy, not long when it is away.

A database counts as away when it answered nobody for ``DATABASE_S``. As long as it
answers others, a page is only waiting for its turn: in the queue of the threads, behind
a lock, or for a connection that is not free yet. It is told nothing then, and waits up
to ``BUSY_DATABASE_S``.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError

from realtime_widget.conf import get_conf
from realtime_widget.threads import row_pool

logger = logging.getLogger(__name__)

T = TypeVar("T")

# A database that answers nobody in this time counts as away.
DATABASE_S: Final = 3.0
# What may pass: a lock, a connection too many or one that broke. Other errors stay.
PASSING: Final = (OperationalError, InterfaceError)
# Before a question is put again: drawn from the whole of it, doubled each time.
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 1.0


class NoAnswer(DatabaseError):
    """Who was asked did not answer in time."""


class Patience:
    """Tells waiting for a turn from waiting for nothing.

    All who wait for the same share one: each answer lets the others wait on.

    Args:
        away_s: Who answers nobody for so long counts as away.
        is_answer: Tells which errors are answers, too.
    """

    def __init__(
        self,
        away_s: float = DATABASE_S,
        is_answer: Callable[[Exception], bool] = lambda exc: (
            not isinstance(exc, PASSING)
        ),
    ) -> None:
        self._away_s = away_s
        self._is_answer = is_answer
        self._answered_s = -math.inf

    def answered(self) -> None:
        """Note that somebody was answered."""
        self._answered_s = asyncio.get_running_loop().time()

    async def ask(self, question: Callable[[Callable[[], None]], Awaitable[T]]) -> T:
        """Put a question, again while it fails by what may pass.

        Args:
            question: Gets a function to call as soon as it has its answer; it may take
                its time then, and is not put again. May be left and put again before.

        Raises:
            DatabaseError: If there is no answer in time, or if it is one.
        """
        began_s, pause_s = asyncio.get_running_loop().time(), FIRST_PAUSE_S
        while True:
            try:
                async with self._limited(began_s) as answered:
                    return await self._answer(question, answered)
            except PASSING as exc:
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
                # Many that were turned away together do not come back together.
                waits_s = pause_s * random.random()  # noqa: S311 - no secret
                now_s = asyncio.get_running_loop().time()
                if answered.done or now_s + waits_s >= self._due_s(began_s):
                    raise
                logger.debug("The database is asked again: %s", type(exc).__name__)
                await asyncio.sleep(waits_s)

    async def _answer(
        self,
        question: Callable[[Callable[[], None]], Awaitable[T]],
        answered: _Answered,
    ) -> T:
        try:
            result = await question(answered)
        except Exception as exc:
            # A refusal is an answer, and so is an error of the question's own.
            if self._is_answer(exc):
                answered()
            raise
        answered()
        return result

    def _due_s(self, began_s: float) -> float:
        """Return when whoever began to wait then has waited enough."""
        away_s = max(began_s, self._answered_s) + self._away_s
        busy_s = began_s + max(self._away_s, get_conf().BUSY_DATABASE_S)
        return min(away_s, busy_s)

    @asynccontextmanager
    async def _limited(self, began_s: float) -> AsyncIterator[_Answered]:
        """Cancel what is inside when it has waited enough.

        Raises:
            DatabaseError: Then.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as limit:

                def look() -> None:
                    due_s = self._due_s(began_s)
                    if due_s <= loop.time():
                        limit.reschedule(due_s)
                    else:
                        answered.timer = loop.call_at(due_s, look)

                answered = _Answered(self, loop.call_at(self._due_s(began_s), look))
                try:
                    yield answered
                finally:
                    answered.timer.cancel()
        except TimeoutError:
            raise NoAnswer("no answer in time") from None


class _Answered:
    """What a question calls when it has its answer."""

    def __init__(self, patience: Patience, timer: asyncio.TimerHandle) -> None:
        self._patience = patience
        self.timer = timer
        self.done = False

    def __call__(self) -> None:
        self.timer.cancel()
        self._patience.answered()
        self.done = True


# What all sockets of a process ask the threads for rows.
_rows = Patience()


async def asked(question: Callable[[], T]) -> T:
    """Return what the database says, from a thread.

    Args:
        question: May be put again when it failed.

    Raises:
        DatabaseError: If it does not answer, in whatever way.
    """
    return await _rows.ask(lambda _answered: row_pool.run(question))
