"""Connections to the model's side: the first, one ahead of time, one after a loss."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from realtime_widget.exceptions import EngineUnavailable, UpstreamClosed, UpstreamError
from realtime_widget.session.ports import UpstreamPort

# Between two attempts after a loss; a server that restarts needs longer than none.
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0


class Dialler:
    """Opens the connections of one session.

    Args:
        connect: Opens one.
        name: Of the session, for the names of tasks.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[UpstreamPort]], name: str
    ) -> None:
        self._connect = connect
        self._name = name
        self._spare: UpstreamPort | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    async def first(self) -> UpstreamPort:
        """Return the connection a session begins with.

        Raises:
            UpstreamError: If there is none to be had.
            EngineUnavailable: The same, of the engine in this process.
        """
        return await self._connect()

    async def again(self, within_s: float) -> UpstreamPort:
        """Return another connection: the one that was prepared, else a new one.

        Args:
            within_s: Attempts go on so long.

        Raises:
            UpstreamError: The reason why the last attempt failed.
        """
        spare, self._spare = self._spare, None
        if spare is not None:
            return spare
        failure: Exception = UpstreamClosed("no other connection in time")
        pause_s = FIRST_PAUSE_S
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        return await self._connect()
                    except UpstreamError as exc:
                        failure = exc
                        if not exc.retryable:
                            raise
                    except EngineUnavailable as exc:
                        raise UpstreamClosed("the engine is gone") from exc
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        except TimeoutError:
            raise failure from None

    def prepare(self, told: Callable[[UpstreamPort | None], None]) -> None:
        """Open a connection ahead of time.

        Args:
            told: Called with it, or with None when there is none to be had.
        """
        self._preparing = asyncio.create_task(
            self._prepare(told), name=f"realtime prepare {self._name}"
        )

    async def _prepare(self, told: Callable[[UpstreamPort | None], None]) -> None:
        try:
            self._spare = await self._connect()
        except (UpstreamError, EngineUnavailable):
            told(None)
        else:
            told(self._spare)

    def leave(self, upstream: UpstreamPort | None) -> None:
        """Close a connection that is of no more use, without waiting for it."""
        if upstream is None:
            return
        task = asyncio.create_task(
            _closed(upstream), name=f"realtime leave {self._name}"
        )
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def end(self) -> None:
        """Close what is still open; it takes as long as a connection's ``close``."""
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.gather(self._preparing, return_exceptions=True)
        spare, self._spare = self._spare, None
        self.leave(spare)
        await asyncio.gather(*self._leaving, return_exceptions=True)


async def _closed(upstream: UpstreamPort) -> None:
    await upstream.close()
