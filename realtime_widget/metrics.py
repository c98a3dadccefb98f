"""Numbers for Prometheus, where the site wants them.

Nothing here runs for a frame of audio: sessions, tools and tokens are counted when
their records are written, connections when they are made, the loop once a second.
With ``PROMETHEUS_MULTIPROC_DIR`` set, the library adds up all processes of a machine.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from realtime_widget.conf import get_conf

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

# Seconds: from one that nobody notices to one that nobody waits for.
SHORT_S: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2, 3, 5, 10, 20)
SESSION_S: Final = (5, 15, 30, 60, 120, 300, 600, 1_200, 3_600)
LAG_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
TICK_S: Final = 1.0


class Instruments:
    """Every number, registered in the library's default registry."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Gauge, Histogram

        self.running: Gauge = Gauge(
            "realtime_widget_sessions_running",
            "Sessions that run now.",
            multiprocess_mode="livesum",
        )
        self.started: Counter = Counter(
            "realtime_widget_sessions_started_total",
            "Sessions that a model accepted.",
            ["widget"],
        )
        self.ended: Counter = Counter(
            "realtime_widget_sessions_ended_total",
            "Sessions that ended, by reason; error is empty for a normal end.",
            ["widget", "reason", "error"],
        )
        self.session_s: Histogram = Histogram(
            "realtime_widget_session_seconds",
            "Length of sessions.",
            ["widget"],
            buckets=SESSION_S,
        )
        self.answer_s: Histogram = Histogram(
            "realtime_widget_answer_seconds",
            "From the end of the visitor's turn to the first audio of the answer.",
            ["widget"],
            buckets=SHORT_S,
        )
        self.connect_s: Histogram = Histogram(
            "realtime_widget_upstream_connect_seconds",
            "Opening a connection to a provider; error is empty when it opened.",
            ["provider", "error"],
            buckets=SHORT_S,
        )
        self.tool_s: Histogram = Histogram(
            "realtime_widget_tool_seconds",
            "Tool calls, from call to answer.",
            ["tool", "status"],
            buckets=SHORT_S,
        )
        self.guardrail_failures: Counter = Counter(
            "realtime_widget_guardrail_failures_total",
            "Checks that failed, so that nothing was found; by guardrail.",
            ["guardrail"],
        )
        self.tokens: Counter = Counter(
            "realtime_widget_tokens_total",
            "Tokens as providers counted them.",
            ["model", "kind"],
        )
        self.loop_lag_s: Histogram = Histogram(
            "realtime_widget_loop_lag_seconds",
            "How late the event loop was, asked once a second while sessions run.",
            buckets=LAG_S,
        )


@cache
def has_library() -> bool:
    """Return whether the extra ``metrics`` is installed."""
    return find_spec("prometheus_client") is not None


@cache
def _instruments() -> Instruments:
    return Instruments()


def instruments() -> Instruments | None:
    """Return the numbers to add to, None where the site wants none."""
    conf = get_conf()
    wanted = conf.METRICS or bool(conf.METRICS_TOKEN)
    return _instruments() if wanted and has_library() else None


def exposition() -> tuple[bytes, str]:
    """Return what Prometheus reads, and its content type; all processes if they share."""
    from prometheus_client import (
        CONTENT_TYPE_LATEST,
        REGISTRY,
        CollectorRegistry,
        generate_latest,
    )

    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST


class LoopWatch:
    """Measures how late a loop is, once a second while sessions run.

    Args:
        loop: The one to watch; every call is made on it.
        running: How many sessions run in this process.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, running: Callable[[], int]
    ) -> None:
        self._loop = loop
        self._running = running
        self._due_s: float | None = None

    def wake(self) -> None:
        """Begin, if it has stopped; called when a session begins."""
        if self._due_s is None and instruments() is not None:
            self._next()

    def _next(self) -> None:
        self._due_s = self._loop.time() + TICK_S
        self._loop.call_at(self._due_s, self._tick)

    def _tick(self) -> None:
        numbers, due_s = instruments(), self._due_s
        self._due_s = None
        if numbers is None or due_s is None:
            return
        numbers.loop_lag_s.observe(max(0.0, self._loop.time() - due_s))
        running = self._running()
        numbers.running.set(running)
        if running:
            self._next()
