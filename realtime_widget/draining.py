"""Stopping without cutting anybody off: what SIGTERM does while calls go on.

Servers answer SIGTERM by dropping their sockets; Daphne does not even send a close
frame. So the first socket of a process puts a handler before the server's own. It
lets every call come to the end of its sentence and be recorded, and then hands the
signal on. A second SIGTERM ends the calls now; a third is the server's alone.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from realtime_widget.conf import get_conf

logger = logging.getLogger(__name__)

# A call that was told to end needs so long for its goodbye and its record.
END_S: Final = 8.0

Finish = Callable[[float], None]


class Drain:
    """The calls of a process, and whether it is about to stop.

    Attributes:
        draining: New calls are to be refused.
    """

    def __init__(self) -> None:
        self.draining = False
        self._calls: set[Finish] = set()
        self._empty = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server_handler: Any = None
        self._task: asyncio.Task[None] | None = None
        self._signals = 0

    def watch(self) -> None:
        """Look out for SIGTERM from now on; called with every socket.

        Only where the server's loop runs in the main thread, and only before a
        handler that ends the process: others do not ask for an end.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        self._loop = asyncio.get_running_loop()
        current = signal.getsignal(signal.SIGTERM)
        if current == self._on_signal or current in (None, signal.SIG_IGN):
            return
        self._server_handler = current
        signal.signal(signal.SIGTERM, self._on_signal)

    @contextmanager
    def call(self, finish: Finish) -> Iterator[None]:
        """Count a call for as long as it goes on.

        Args:
            finish: Tells it to end within so many seconds; called on its own loop.
        """
        self._calls.add(finish)
        try:
            yield
        finally:
            self._calls.discard(finish)
            if not self._calls:
                self._empty.set()

    def begin(self, then: Callable[[], None]) -> None:
        """Refuse new calls, let the running ones finish, then do ``then``; once."""
        if self._task is not None:
            return
        self.draining = True
        within_s = get_conf().DRAINING_S
        logger.info(
            "Stopping: %d calls have %.0f s to finish", len(self._calls), within_s
        )
        self._empty.clear()
        self._finish(within_s)
        self._task = asyncio.create_task(
            self._wait(within_s, then), name="realtime-draining"
        )

    def end(self, then: Callable[[], None]) -> None:
        """End all calls now and do ``then`` at once; what was said is kept."""
        self.draining = True
        self._finish(0.0)
        then()

    def _finish(self, within_s: float) -> None:
        for finish in list(self._calls):
            finish(within_s)

    async def _wait(self, within_s: float, then: Callable[[], None]) -> None:
        try:
            if self._calls:
                async with asyncio.timeout(within_s + END_S):
                    await self._empty.wait()
        except TimeoutError:
            logger.warning("Stopping: %d calls did not end in time", len(self._calls))
        finally:
            then()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Take the signal: Python calls this between two steps of the main thread."""
        loop = self._loop
        self._signals += 1
        if self._signals > 2 or loop is None or not loop.is_running():
            self._hand_on(number, frame)
            return
        stop = self.begin if self._signals == 1 else self.end
        loop.call_soon_threadsafe(stop, lambda: self._hand_on(number, None))

    def _hand_on(self, number: int, frame: FrameType | None) -> None:
        if callable(self._server_handler):
            self._server_handler(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


# The process's own.
drain = Drain()
