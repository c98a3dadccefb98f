"""What a page pays for a widget that nobody has touched."""

from __future__ import annotations

import gzip
from statistics import median
from typing import Any, Final

import httpx

from bench.page.browsing import WIDGET, chromium, new_page, start_button

OURS: Final = "/static/realtime_widget/"
# What a browser spent on scripts, in seconds of its own clock.
SCRIPTING: Final = ("ScriptDuration", "V8CompileDuration")
SHIFTS = """
window.__shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.__shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
LOADED = """() => {
  const end = performance.getEntriesByType("navigation")[0].loadEventEnd;
  return performance.getEntriesByType("resource")
    .filter((entry) => entry.startTime < end)
    .map((entry) => entry.name);
}"""


def measure(url: str, visits: int) -> list[str]:
    """Return the lines about loading a page."""
    with chromium() as program:
        with new_page(program) as page:
            loaded = _loaded(page, url)
            _open(page, f"{url}/page")
            shift = page.evaluate("() => window.__shift")
        scripting = [
            _scripting_ms(program, f"{url}/page")
            - _scripting_ms(program, f"{url}/bare")
            for _ in range(visits)
        ]
    sizes = {name: _gzip_bytes(name) for name in loaded}
    return [
        f"page, loaded before it is touched: {sum(sizes.values()):,} bytes gzip in "
        f"{len(sizes)} files",
        f"page, scripting before it is touched, over an empty page: "
        f"p50 {median(scripting):.1f} ms, max {max(scripting):.1f} ms ({visits} visits)",
        f"page, layout shift: {shift:.3f}",
    ]


def _loaded(page: Any, url: str) -> list[str]:
    _open(page, f"{url}/page")
    return sorted({name for name in page.evaluate(LOADED) if OURS in name})


def _open(page: Any, address: str) -> None:
    page.add_init_script(SHIFTS)
    page.goto(address, wait_until="load")
    if not address.endswith("/bare"):
        start_button(page).wait_for()
        page.wait_for_function(f"() => {WIDGET}.matches(':defined')")


def _scripting_ms(program: Any, address: str) -> float:
    with new_page(program) as page:
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.goto(address, wait_until="load")
        metrics = session.send("Performance.getMetrics")["metrics"]
        values = {metric["name"]: metric["value"] for metric in metrics}
        return sum(values.get(name, 0.0) for name in SCRIPTING) * 1000


def _gzip_bytes(address: str) -> int:
    return len(gzip.compress(httpx.get(address, trust_env=False).content))
