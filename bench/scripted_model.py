"""A scripted Realtime server for load: ``python -m bench.scripted_model --port N``.

It answers on a clock instead of thinking, measures the age of every microphone frame
and reports on ``/stats`` (``reset`` and ``report``).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from base64 import b64decode
from typing import Any

import uvloop
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)

from bench.load_shape import (
    ANSWER_PERIOD_S,
    DELTA_INTERVAL_S,
    DELTAS_PER_ANSWER,
    age_ms,
    percentile,
    stamped_delta_base64,
)

APPEND = b'"input_audio_buffer.append"'
AUDIO = b'"audio":'
STAMP_BASE64_CHARS = 12

ages_ms: list[float] = []


def event(type_: str, **fields: Any) -> bytes:
    """Return one server event as compact JSON."""
    body = {"type": type_, "event_id": f"event_{random.getrandbits(64):x}", **fields}
    return json.dumps(body, separators=(",", ":")).encode()


class Talk(WSListener):
    """One session: acknowledges, measures, and answers every ten seconds."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._count = 0
        self._timers: list[asyncio.TimerHandle] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        session = {"type": "realtime", "id": "sess_bench", "object": "realtime.session"}
        self._send(event("session.created", session=session))
        self._later(random.uniform(0.5, ANSWER_PERIOD_S), self._answer)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
            return
        if frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
            return
        payload = frame.get_payload_as_bytes()
        if APPEND in payload[:64]:
            begin = payload.index(b'"', payload.index(AUDIO) + len(AUDIO)) + 1
            ages_ms.append(
                age_ms(b64decode(payload[begin : begin + STAMP_BASE64_CHARS]))
            )
            return
        message = json.loads(payload)
        if message["type"] == "session.update":
            self._send(event("session.updated", session=message["session"]))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        for timer in self._timers:
            timer.cancel()

    def _later(self, delay_s: float, call: Any, *args: Any) -> None:
        self._timers = [t for t in self._timers if not t.cancelled()][-64:]
        self._timers.append(self._loop.call_later(delay_s, call, *args))

    def _send(self, payload: bytes) -> None:
        self._transport.send(WSMsgType.TEXT, payload)

    def _answer(self) -> None:
        self._count += 1
        user, item, response = (
            f"item_u{self._count}",
            f"item_a{self._count}",
            f"resp_{self._count}",
        )
        spoken = {"type": "input_audio", "transcript": None}
        said = {
            "id": user,
            "object": "realtime.item",
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [spoken],
        }
        answer = {
            "id": item,
            "object": "realtime.item",
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        body = {"id": response, "object": "realtime.response", "status": "in_progress"}
        part = {"type": "audio", "transcript": ""}
        place = {"response_id": response, "item_id": item, "output_index": 0}
        for payload in (
            event("input_audio_buffer.speech_started", audio_start_ms=0, item_id=user),
            event("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id=user),
            event("input_audio_buffer.committed", item_id=user, previous_item_id=None),
            event("conversation.item.added", item=said, previous_item_id=None),
            event("conversation.item.done", item=said, previous_item_id=None),
            event("response.created", response={**body, "output": []}),
            event(
                "response.output_item.added",
                response_id=response,
                output_index=0,
                item=answer,
            ),
            event("conversation.item.added", item=answer, previous_item_id=user),
            event("response.content_part.added", **place, content_index=0, part=part),
        ):
            self._send(payload)
        self._delta(0, place, answer)
        self._later(ANSWER_PERIOD_S, self._answer)

    def _delta(
        self, number: int, place: dict[str, Any], answer: dict[str, Any]
    ) -> None:
        if number == DELTAS_PER_ANSWER:
            self._finish(place, answer)
            return
        self._send(
            event(
                "response.output_audio_transcript.delta",
                **place,
                content_index=0,
                delta="word ",
            )
        )
        head = event("response.output_audio.delta", **place, content_index=0, delta="")
        self._send(head[:-2] + stamped_delta_base64() + b'"}')
        self._later(DELTA_INTERVAL_S, self._delta, number + 1, place, answer)

    def _finish(self, place: dict[str, Any], answer: dict[str, Any]) -> None:
        transcript = "word " * DELTAS_PER_ANSWER
        content = [{"type": "output_audio", "transcript": transcript}]
        done = {**answer, "status": "completed", "content": content}
        part = {"type": "audio", "transcript": transcript}
        response = {
            "id": place["response_id"],
            "object": "realtime.response",
            "status": "completed",
            "output": [done],
            "usage": {"total_tokens": 150, "input_tokens": 50, "output_tokens": 100},
        }
        for payload in (
            event("response.output_audio.done", **place, content_index=0),
            event(
                "response.output_audio_transcript.done",
                **place,
                content_index=0,
                transcript=transcript,
            ),
            event("response.content_part.done", **place, content_index=0, part=part),
            event(
                "response.output_item.done",
                response_id=place["response_id"],
                output_index=0,
                item=done,
            ),
            event("conversation.item.done", item=done, previous_item_id=None),
            event("response.done", response=response),
            event("rate_limits.updated", rate_limits=[]),
        ):
            self._send(payload)


class Stats(WSListener):
    """Answers ``reset`` and ``report`` on its own connection."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            transport.disconnect()
            return
        report = {
            "frames": len(ages_ms),
            "p50_ms": percentile(ages_ms, 0.5),
            "p99_ms": percentile(ages_ms, 0.99),
            "max_ms": max(ages_ms, default=0.0),
        }
        if frame.get_payload_as_ascii_text() == "reset":
            ages_ms.clear()
        transport.send(WSMsgType.TEXT, json.dumps(report).encode())


def listener(request: WSUpgradeRequest) -> WSListener:
    """Choose by path."""
    return Stats() if request.path.startswith(b"/stats") else Talk()


async def serve(port: int) -> None:
    """Serve until killed."""
    server = await ws_create_server(listener, "127.0.0.1", port, max_frame_size=1 << 24)
    await server.serve_forever()


def main() -> None:
    """Run the scripted model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
