"""How quick a talk is, from the press of the button to the silence after a word.

Both ends are on one machine, so its clock is everybody's: `Date.now()` in the page and
in its audio threads, `time.time()` in the server. It counts whole milliseconds.
"""

from __future__ import annotations

import json
import random
from typing import Any, Final

import httpx

from bench.load_shape import percentile
from bench.page.browsing import WIDGET, chromium, new_page, start_button

WATCH: Final = """
window.__bench = { pressed: 0, listening: 0, firstByte: 0, sounds: [] };
addEventListener("click", () => (__bench.pressed = Date.now()), { capture: true });
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...args) {
    super(...args);
    this.addEventListener("message", ({ data }) => {
      if (typeof data !== "string") __bench.firstByte ||= Date.now();
    });
  }
};
new MutationObserver(([{ target }]) => {
  if (target.getAttribute?.("state") === "listening") __bench.listening ||= Date.now();
}).observe(document, { subtree: true, attributeFilter: ["state"] });
const { connect } = AudioNode.prototype;
const taps = new WeakMap();
const tapOf = (context) => {
  if (!taps.has(context)) {
    taps.set(context, context.audioWorklet.addModule("/bench/tap.js").then(() => {
      const node = new AudioWorkletNode(context, "bench-tap", { numberOfOutputs: 0 });
      node.port.onmessage = ({ data }) => __bench.sounds.push(data);
      return node;
    }));
  }
  return taps.get(context);
};
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    tapOf(this.context).then((node) => connect.call(this, node));
  }
  return connect.call(this, target, ...rest);
};
"""
PRESS_STOP: Final = f"""() => {{
  const now = Date.now();
  {WIDGET}.interrupt();
  return now;
}}"""
ANSWER_MS: Final = 30_000
# The visitor interrupts somewhere in an answer of five seconds.
INTERRUPTS_MS: Final = (500, 2_500)
QUIET_MS: Final = 1_000
FIGURES: Final = (
    "click to listening",
    "answer's first byte to sound",
    "interrupt to silence",
)


def measure(url: str, visits: int) -> list[str]:
    """Return the lines about talking."""
    taken: dict[str, list[float]] = {name: [] for name in FIGURES}
    httpx.get(f"{url}/bench/frames", trust_env=False)
    with chromium() as program:
        for _ in range(visits):
            with new_page(program) as page:
                for name, value_ms in _talk(page, url).items():
                    taken[name].append(value_ms)
    frames_ms = httpx.get(f"{url}/bench/frames", trust_env=False).json()
    lines = [f"page, {name}: {_spread(values)}" for name, values in taken.items()]
    return [*lines, f"page, speech frame to server: {_spread(frames_ms)}"]


def _talk(page: Any, url: str) -> dict[str, float]:
    page.add_init_script(WATCH)
    page.goto(f"{url}/page", wait_until="load")
    start_button(page).click()
    page.wait_for_function("() => __bench.sounds.length > 0", timeout=ANSWER_MS)
    page.wait_for_timeout(random.uniform(*INTERRUPTS_MS))
    stopped = page.evaluate(PRESS_STOP)
    page.wait_for_timeout(QUIET_MS)
    seen = page.evaluate("() => __bench")
    if not seen["listening"] or seen["sounds"][-1] > stopped + QUIET_MS / 2:
        raise RuntimeError(f"the page did not listen or fall silent: {_short(seen)}")
    return {
        "click to listening": seen["listening"] - seen["pressed"],
        "answer's first byte to sound": seen["sounds"][0] - seen["firstByte"],
        "interrupt to silence": max(0, seen["sounds"][-1] - stopped),
    }


def _short(seen: dict[str, Any]) -> str:
    return json.dumps({**seen, "sounds": len(seen["sounds"])})


def _spread(values_ms: list[float]) -> str:
    return (
        f"p50 {percentile(values_ms, 0.5):.0f} ms, p95 {percentile(values_ms, 0.95):.0f} "
        f"ms, max {max(values_ms):.0f} ms ({len(values_ms)} times)"
    )
