"""Waiting until the servers of this process have nothing left to do."""

from __future__ import annotations

import time

from realtime_widget import quotas
from realtime_widget.recorder.writer import all_writers, records_pool
from realtime_widget.threads import row_pool

# A call whose browser was killed is kept for its visitor for 30 s.
SETTLED_S = 45.0


def still_at_work() -> bool:
    """Tell whether a server of this process has a session or a row to write."""
    return bool(
        quotas.counters.running()
        or any(writer.busy for writer in all_writers())
        or records_pool.taken
        or row_pool.taken
    )


def wait_until_settled() -> None:
    """Wait for the last row.

    Raises:
        AssertionError: If a session keeps its place, or rows are not written.
    """
    until_s = time.monotonic() + SETTLED_S
    while still_at_work() and time.monotonic() < until_s:
        time.sleep(0.01)
    assert quotas.counters.running() == 0, "a session kept its place"
    assert not still_at_work(), "rows were not written"
