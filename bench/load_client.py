"""Many pages that talk at once: ``python -m bench.load_client --target ...``.

Targets: ``widget`` (the whole way: POST, token, browser protocol), ``proxy`` (the
control) and ``direct`` (the scripted model itself, what the bridge adds is measured
against it). Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from base64 import b64decode, b64encode
from typing import Any

import aiohttp
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.load_shape import (
    DELTA_BYTES,
    FRAME_MS,
    age_ms,
    percentile,
    stamped_frame,
)

PLAYBACK_REPORT_S = 0.25
OPEN_AT_ONCE = 10
AUDIO_DELTA = b'"response.output_audio.delta"'

ages_ms: list[float] = []
lateness_ms: list[float] = []


class Page(WSListener):
    """One page of the control: audio up, binary audio down."""

    def __init__(self) -> None:
        self.ready = asyncio.get_running_loop().create_future()
        self.closed = False
        self._offset_bytes = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.ready.set_result(None)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.closed = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed before it was ready"))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.BINARY:
            self.hear(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.TEXT:
            self.read(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def hear(self, audio: bytes) -> None:
        """Measure the age of each delta whose beginning is in this frame."""
        at = -self._offset_bytes % DELTA_BYTES
        if at < len(audio):
            ages_ms.append(age_ms(audio[at:]))
        self._offset_bytes += len(audio)

    def read(self, text: bytes) -> None:
        """Take an event; the control's page needs none."""

    def talk(self) -> None:
        """Send 40 ms of microphone."""
        if not self.closed:
            self.transport.send(WSMsgType.BINARY, stamped_frame())


class WidgetPage(Page):
    """A page with our element: says what it has played."""

    def __init__(self) -> None:
        super().__init__()
        self._item_id = ""
        self._first_audio_s = 0.0
        self._received_ms = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        transport.send(WSMsgType.TEXT, b'{"type":"session.start","language":"en"}')

    def read(self, text: bytes) -> None:
        message = json.loads(text)
        kind = message["type"]
        if kind == "session.started":
            self.ready.set_result(None)
        elif kind == "audio.start":
            self._item_id = message["item_id"]
            self._first_audio_s = 0.0
            self._received_ms = self._offset_bytes = 0

    def hear(self, audio: bytes) -> None:
        if not self._first_audio_s:
            self._first_audio_s = time.monotonic()
            asyncio.get_running_loop().call_later(
                PLAYBACK_REPORT_S, self._report, self._item_id
            )
        super().hear(audio)
        self._received_ms += len(audio) // 48

    def _report(self, item_id: str) -> None:
        if self.closed or item_id != self._item_id:
            return
        clock_ms = int((time.monotonic() - self._first_audio_s) * 1000)
        played_ms = min(clock_ms, self._received_ms)
        done = played_ms == self._received_ms
        report = {
            "type": "playback",
            "item_id": item_id,
            "played_ms": played_ms,
            "done": done,
        }
        self.transport.send(WSMsgType.TEXT, json.dumps(report).encode())
        if not done:
            asyncio.get_running_loop().call_later(
                PLAYBACK_REPORT_S, self._report, item_id
            )


class DirectPage(Page):
    """No bridge at all: speaks to the scripted model."""

    def talk(self) -> None:
        audio = b64encode(stamped_frame())
        self.transport.send(
            WSMsgType.TEXT,
            b'{"type":"input_audio_buffer.append","audio":"' + audio + b'"}',
        )

    def read(self, text: bytes) -> None:
        if AUDIO_DELTA in text[:64]:
            begin = text.index(b'"delta":"') + 9
            ages_ms.append(age_ms(b64decode(text[begin : begin + 12])))


async def open_page(kind: str, url: str, http: aiohttp.ClientSession) -> Page:
    """Connect one page and wait until it may talk."""
    if kind != "widget":
        page: Page = DirectPage() if kind == "direct" else Page()
        await ws_connect(lambda: page, url, max_frame_size=1 << 24)
        await page.ready
        return page
    origin = url.rsplit("/realtime/", 1)[0]
    async with http.post(url, json={"language": "en"}, headers={"Origin": origin}) as r:
        opened = await r.json()
        if r.status != 200:
            raise ConnectionError(f"the session was refused: {r.status} {opened}")
    page = WidgetPage()
    protocols = f"{opened['protocol']}, token.{opened['token']}"
    await ws_connect(
        lambda: page,
        opened["url"],
        extra_headers={"Sec-WebSocket-Protocol": protocols, "Origin": origin},
        max_frame_size=1 << 24,
    )
    async with asyncio.timeout(30):
        await page.ready
    return page


async def talk(pages: list[Page], stop: asyncio.Event) -> None:
    """Let every page send a frame each 40 ms, evenly spread over the period."""
    period_s = FRAME_MS / 1000
    step_s = period_s / len(pages)
    due_s = time.monotonic()
    at = 0
    while not stop.is_set():
        now_s = time.monotonic()
        while due_s <= now_s:
            pages[at].talk()
            lateness_ms.append((now_s - due_s) * 1000)
            at = (at + 1) % len(pages)
            due_s += step_s
        await asyncio.sleep(max(0.0005, due_s - time.monotonic()))


async def block_elsewhere(url: str, stop: asyncio.Event, http: Any) -> None:
    """Ask a synchronous page that takes 300 ms once a second."""
    origin = url.rsplit("/realtime/", 1)[0]
    while not stop.is_set():
        began_s = time.monotonic()
        async with http.get(f"{origin}/block") as response:
            await response.read()
        await asyncio.sleep(max(0.0, 1.0 - (time.monotonic() - began_s)))


async def control_model(http: aiohttp.ClientSession, port: int, word: str) -> Any:
    """Tell the scripted model ``reset`` or ask it for its ``report``."""
    async with http.ws_connect(f"http://127.0.0.1:{port}/stats") as stats:
        await stats.send_str(word)
        return json.loads((await stats.receive()).data)


def signal_phase(name: str) -> None:
    """Tell the runner where we are, so that it reads the bridge's counters then."""
    print(json.dumps({"phase": name}), flush=True)


async def run(options: argparse.Namespace) -> None:
    """Connect, warm up, measure, report."""
    stop = asyncio.Event()
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        pages: list[Page] = []
        gate = asyncio.Semaphore(OPEN_AT_ONCE)

        async def one() -> None:
            async with gate:
                pages.append(await open_page(options.target, options.url, http))

        await asyncio.gather(*(one() for _ in range(options.calls)))
        tasks = [asyncio.create_task(talk(pages, stop))]
        if options.block:
            tasks.append(asyncio.create_task(block_elsewhere(options.url, stop, http)))
        await asyncio.sleep(options.warm_s)
        await control_model(http, options.model_port, "reset")
        ages_ms.clear()
        lateness_ms.clear()
        signal_phase("measure")
        await asyncio.sleep(options.measure_s)
        signal_phase("measured")
        up = await control_model(http, options.model_port, "report")
        report = {
            "up": up,
            "down": {
                "frames": len(ages_ms),
                "p50_ms": percentile(ages_ms, 0.5),
                "p99_ms": percentile(ages_ms, 0.99),
            },
            "lateness_p99_ms": percentile(lateness_ms, 0.99),
            "lost_calls": sum(page.closed for page in pages),
        }
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        for page in pages:
            page.transport.disconnect()
        signal_phase("done")
        print(json.dumps(report), flush=True)


def main() -> None:
    """Run the load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--target", choices=("widget", "proxy", "direct"), required=True
    )
    parser.add_argument("--url", required=True)
    parser.add_argument("--model-port", type=int, required=True)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--warm-s", type=float, default=5.0)
    parser.add_argument("--measure-s", type=float, default=20.0)
    parser.add_argument("--block", action="store_true")
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
