"""The bridge under load, against the control, in interleaved rounds."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import psutil

from bench.processes import (
    BRIDGE_CORE,
    LOAD_CORE,
    Bridge,
    Measured,
    free_port,
    load,
    running,
    seed,
)

OPEN_PATH = "/realtime/widgets/bench/session"
DAPHNE = Bridge(
    "Daphne",
    "widget",
    ("-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "bench.site.asgi:application"),
    OPEN_PATH,
    "http",
)
UVICORN = Bridge(
    "uvicorn, uvloop",
    "widget",
    (
        *("-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}"),
        *("--loop", "uvloop", "--ws", "websockets-sansio", "--log-level", "error"),
        *("--ws-per-message-deflate", "false", "--ws-max-size", "262144"),
        "bench.site.asgi:application",
    ),
    OPEN_PATH,
    "http",
)
FAST = replace(UVICORN, name="uvicorn, picows", driver="picows")
CONTROL = Bridge(
    "control (aiohttp)",
    "proxy",
    ("-m", "bench.control", "--port", "{port}", "--model", "{model}"),
    "/",
    "ws",
)
DIRECT = Bridge("direct", "direct", (), "/v1/realtime", "ws")
OURS = (DAPHNE, UVICORN, FAST)
CAPACITY_STEPS = {
    DAPHNE.name: (200, 300, 400),
    UVICORN.name: (300, 400, 500, 650),
    FAST.name: (400, 500, 650, 800),
    CONTROL.name: (500, 650, 800, 950),
}
# A machine that others use spoils one measurement, seldom three.
CAPACITY_TRIES = 3
# Threads, imports and caches of a process are not what a call costs.
WARM_CALLS = 25
CAPACITY_P99_MS = 20.0
CAPACITY_S = 15.0
FRAMES_PER_S = 25
KEPT_UP = 0.97


class Bench:
    """One run: a scripted model, a site's database, and the bridges to compare."""

    def __init__(self, options: argparse.Namespace, directory: Path) -> None:
        self.options = options
        self.model_port = free_port()
        self.environment = seed(directory, self.model_port)

    @contextmanager
    def model(self) -> Iterator[None]:
        """Run the scripted model."""
        arguments = ("-m", "bench.scripted_model", "--port", str(self.model_port))
        with running(arguments, core=LOAD_CORE, port=self.model_port, environment={}):
            yield

    @contextmanager
    def bridge(self, bridge: Bridge) -> Iterator[tuple[psutil.Process, int]]:
        """Run one bridge, pinned to its core and warmed."""
        port = free_port()
        model = f"ws://127.0.0.1:{self.model_port}/v1/realtime?model=scripted"
        arguments = [a.format(port=port, model=model) for a in bridge.arguments]
        environment = {
            **self.environment,
            "REALTIME_WIDGET_BENCH_DRIVER": bridge.driver,
        }
        with running(
            arguments, core=BRIDGE_CORE, port=port, environment=environment
        ) as process:
            self.load(bridge, None, port, calls=WARM_CALLS, measure_s=1.0)
            yield process, port

    def load(
        self,
        bridge: Bridge,
        process: psutil.Process | None,
        port: int,
        *,
        calls: int,
        measure_s: float | None = None,
        block: bool = False,
    ) -> Measured:
        """Put the load on."""
        return load(
            bridge,
            process,
            port=port,
            model_port=self.model_port,
            calls=calls,
            measure_s=measure_s or self.options.measure_s,
            block=block,
        )


def note(text: str) -> None:
    """Say where we are, on standard error."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def rounds(bench: Bench) -> dict[str, list[Measured]]:
    """Run every bridge once a round, in turn, so that noise meets all alike."""
    results: dict[str, list[Measured]] = {}
    calls = bench.options.calls
    for number in range(bench.options.rounds):
        note(f"round {number + 1}: direct")
        direct = bench.load(DIRECT, None, bench.model_port, calls=calls, measure_s=5.0)
        results.setdefault(DIRECT.name, []).append(direct)
        for bridge in (CONTROL, *OURS):
            note(f"round {number + 1}: {bridge.name}")
            with bench.bridge(bridge) as (process, port):
                measured = bench.load(bridge, process, port, calls=calls)
            results.setdefault(bridge.name, []).append(measured)
    return results


def blocked(bench: Bench) -> dict[str, Measured]:
    """Measure while a synchronous page takes 300 ms once a second."""
    results = {}
    for bridge in (DAPHNE, UVICORN):
        note(f"300 ms synchronous call once a second: {bridge.name}")
        with bench.bridge(bridge) as (process, port):
            results[bridge.name] = bench.load(
                bridge, process, port, calls=25, block=True
            )
    return results


def capacity(bench: Bench) -> dict[str, str]:
    """Step up the calls on one core until the added p99 passes 20 ms in every try.

    The control is stepped up too: what a core holds depends on the core.
    """
    results = {}
    for bridge in (*OURS, CONTROL):
        held, stopped = "below", ""
        for calls in CAPACITY_STEPS[bridge.name]:
            *_missed, last = _until_it_holds(bench, bridge, calls)
            if not _holds(last, calls):
                stopped = f"; {calls}: p99 {last.report['up']['p99_ms']:.0f} ms"
                break
            held = f"{calls} (core {last.core_share:.0%})"
        results[bridge.name] = held + stopped
    return results


def _until_it_holds(bench: Bench, bridge: Bridge, calls: int) -> Iterator[Measured]:
    """Yield what was measured with so many calls, until it is good enough."""
    for number in range(1, CAPACITY_TRIES + 1):
        note(f"capacity: {bridge.name}, {calls} calls, try {number}")
        with bench.bridge(bridge) as (process, port):
            measured = bench.load(
                bridge, process, port, calls=calls, measure_s=CAPACITY_S
            )
        yield measured
        if _holds(measured, calls):
            return


def _holds(measured: Measured, calls: int) -> bool:
    """Return whether nothing came late and nothing was left behind."""
    up = measured.report["up"]
    keeps_up = up["frames"] >= KEPT_UP * calls * FRAMES_PER_S * CAPACITY_S
    return bool(up["p99_ms"] <= CAPACITY_P99_MS and keeps_up)


def measure(options: argparse.Namespace) -> list[str]:
    """Run everything about the bridge; return the table's lines."""
    with tempfile.TemporaryDirectory(prefix="realtime-widget-bench-") as name:
        bench = Bench(options, Path(name))
        with bench.model():
            lines: list[str] = []
            if not options.only_capacity:
                lines += comparison_table(rounds(bench), options)
                lines += held_up(bench)
            if not options.skip_capacity:
                lines += [
                    f"calls on one core with p99 <= {CAPACITY_P99_MS:.0f} ms, {bridge}: {held}"
                    for bridge, held in capacity(bench).items()
                ]
    return lines


def held_up(bench: Bench) -> list[str]:
    """Return lines about the uplink while something else in the process blocks."""
    return [
        f"uplink under a 300 ms synchronous call a second, {bridge}: "
        f"p99 {measured.report['up']['p99_ms']:.1f} ms "
        f"(max {measured.report['up']['max_ms']:.0f})"
        for bridge, measured in blocked(bench).items()
    ]


def comparison_table(
    results: dict[str, list[Measured]], options: argparse.Namespace
) -> list[str]:
    """Return the table of the interleaved rounds, medians and ratios by round."""
    direct = results[DIRECT.name]
    lines = [
        f"{options.calls} calls, {options.rounds} rounds of {options.measure_s:.0f} s, "
        "bridge on one core; latency is what the bridge adds, p50/p99 in ms",
        f"{'':<20}{'CPU-s/call-min':>16}{'ratio':>8}{'up':>14}{'down':>14}{'kB/call':>9}",
    ]
    for bridge in (CONTROL, *OURS):
        measured = results[bridge.name]
        ratio = median(
            one.cpu_s_per_call_minute / control.cpu_s_per_call_minute
            for one, control in zip(measured, results[CONTROL.name], strict=True)
        )
        cpu = median(one.cpu_s_per_call_minute for one in measured)
        memory = median(one.memory_bytes_per_call for one in measured) / 1000
        lines.append(
            f"{bridge.name:<20}{cpu:>16.3f}{ratio:>8.2f}"
            f"{added(measured, direct, 'up'):>14}{added(measured, direct, 'down'):>14}"
            f"{memory:>9.0f}"
        )
    return lines


def added(measured: list[Measured], direct: list[Measured], leg: str) -> str:
    """Return the added p50 and p99 of one direction, medians over the rounds."""

    def of(share: str) -> float:
        return median(
            one.report[leg][share] - base.report[leg][share]
            for one, base in zip(measured, direct, strict=True)
        )

    return f"{of('p50_ms'):.2f}/{of('p99_ms'):.1f}"
