"""A chat-completions server of a test, whose answers the official client would take."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from openai.types import Model
from openai.types.chat import ChatCompletionChunk

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A chat-completions server on the loopback that answers as a test says."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.answer: Answer = events()
        self.hung_up = threading.Event()
        self.before_models = threading.Event()
        self.before_models.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self._take()
                try:
                    outer.answer(self)
                except OSError:
                    outer.hung_up.set()

            def do_GET(self):
                self._take()
                outer.before_models.wait(10)
                model = {"id": "first-model", "object": "model", "created": 1}
                model["owned_by"] = "tests"
                Model.model_validate(model, strict=True)
                body = json.dumps({"object": "list", "data": [model]}).encode()
                respond(self, body, "application/json")

            def _take(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                outer.requests.append((self.path, dict(self.headers), body))

            def log_message(self, *args):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def respond(handler, body, kind="text/event-stream", status=200):
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def event(delta, *, finish_reason=None) -> bytes:
    """Return a chunk as the API's official client takes it."""
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_795_000_000,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
    ChatCompletionChunk.model_validate(chunk, strict=True)
    return f"data: {json.dumps(chunk)}\n\n".encode()


def words(text) -> bytes:
    return event({"content": text})


def events(*deltas) -> Answer:
    """Answer with these deltas as server-sent events."""
    stop = event({}, finish_reason="stop")
    body = b": comment\n\n" + b"".join(map(event, deltas)) + stop
    return lambda handler: respond(handler, body + b"data: [DONE]\n\n")


def stream(*steps) -> Answer:
    """Answer with bytes as they are, waiting for each ``threading.Event`` between."""

    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        for step in steps:
            if isinstance(step, threading.Event):
                step.wait(10)
            else:
                handler.wfile.write(step)
                handler.wfile.flush()

    return answer
