"""The benchmark's site for a browser: static files, and when frames of audio arrived."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

from bench.site.asgi import application as site

STAMP_BYTES: Final = 8
# Each frame says in its first samples when the audio thread had it complete.
STAMP: Final = """
const passOn = MessagePort.prototype.postMessage;
MessagePort.prototype.postMessage = function (data, ...rest) {
  if (data?.type === "frame") {
    new DataView(data.buffer).setBigUint64(0, BigInt(Date.now()), true);
  }
  return passOn.call(this, data, ...rest);
};
"""
# Says when the loudspeaker got something to sound, and when it last did.
TAP: Final = """
class Tap extends AudioWorkletProcessor {
  process([input]) {
    const loud = input[0]?.some((value) => Math.abs(value) > 0.001);
    if (loud) this.port.postMessage(Date.now());
    return true;
  }
}
registerProcessor("bench-tap", Tap);
"""
WORKLET: Final = "realtime_widget/audio/worklets/audio.js"
# Ages of the frames since the last question, in ms.
ages_ms: list[float] = []
files = ASGIStaticFilesHandler(site)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer; ``/bench/frames`` tells and forgets how old each frame was.

    The widget's worklet and the tap come from here, with the time in them: a browser's
    own tools reach no request of an audio thread.
    """
    if scope["type"] == "websocket":

        async def receive_noting() -> Any:
            event = await receive()
            if frame := event.get("bytes"):
                sent_ms = int.from_bytes(frame[:STAMP_BYTES], "little")
                ages_ms.append(time.time() * 1000 - sent_ms)
            return event

        await site(scope, receive_noting, send)
    elif scope["path"] == "/bench/frames":
        body, ages_ms[:] = json.dumps(ages_ms), []
        await _answer(send, body, b"application/json")
    elif scope["path"] == "/bench/tap.js":
        await _answer(send, TAP, b"text/javascript")
    elif scope["path"].endswith(WORKLET):
        await _answer(send, stamped_worklet(), b"text/javascript")
    else:
        await files(scope, receive, send)


def stamped_worklet() -> str:
    """Return the widget's worklet, which then stamps its frames."""
    return STAMP + Path(str(finders.find(WORKLET))).read_text()


async def _answer(send: Any, body: str, kind: bytes) -> None:
    headers = [(b"content-type", kind)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
