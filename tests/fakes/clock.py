"""Virtual time: the loop's clock jumps to the next timer instead of waiting."""

from __future__ import annotations

import asyncio
import functools
import selectors

# Real seconds after which a test that waits for nothing is called dead.
DEAD_S = 5.0


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self):
        super().__init__()
        self.now_s = 1_000.0
        # Work that threads do takes no virtual time, so the clock stands meanwhile.
        self.in_threads = 0

    def select(self, timeout=None):
        ready = super().select(DEAD_S if self.in_threads and timeout != 0 else 0)
        if ready:
            return ready
        if timeout is None:
            ready = super().select(DEAD_S)
            if not ready:
                raise RuntimeError("every task waits, and no timer is set")
            return ready
        self.now_s += max(0.0, timeout)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop in which waiting costs nothing and order is exact."""

    def __init__(self):
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self):
        return self._jumping.now_s

    def run_in_executor(self, executor, func, *args):
        self._jumping.in_threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._returned)
        return future

    def _returned(self, _future):
        self._jumping.in_threads -= 1


def virtual_time(test):
    """Run an async test in virtual time."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(test(*args, **kwargs))

    return run


async def settle():
    """Let every task go on that can go on without the clock."""
    for _ in range(30):
        await asyncio.sleep(0)
