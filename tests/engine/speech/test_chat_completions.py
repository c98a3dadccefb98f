from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from realtime_widget.engine.dialogue.chat_completions import ChatCompletionsDialogue
from realtime_widget.engine.ports import DialogueRequest, FunctionCall, TextDelta
from realtime_widget.exceptions import (
    UpstreamClosed,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from tests.engine.speech.dialogues import SHOP, answered, called, said

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A chat-completions server on the loopback that answers as a test says."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.answer: Answer = events()
        self.hung_up = threading.Event()
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
                body = json.dumps({"data": [{"id": "first-model"}]}).encode()
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


def events(*deltas, done=True) -> Answer:
    """Answer with these deltas as server-sent events."""
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    body = (": comment\n\n" + text + ("data: [DONE]\n\n" if done else "")).encode()
    return lambda handler: respond(handler, body)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


async def ask(dialogue, *items, tools=(), **options):
    request = DialogueRequest("Be brief.", list(items), tools, **options)
    return [event async for event in dialogue.reply(request)]


async def test_text_is_passed_on_piece_by_piece(server):
    server.answer = events(
        {"role": "assistant", "content": ""},
        {"content": "It is "},
        {"content": "ready."},
    )

    replies = await ask(ChatCompletionsDialogue(server.url, model="m"), said("Ready?"))

    assert replies == [TextDelta("It is "), TextDelta("ready.")]


async def test_text_arrives_before_the_answer_is_complete(server):
    go_on = threading.Event()

    def slowly(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(
            b'data: {"choices": [{"delta": {"content": "First."}}]}\n\n'
        )
        handler.wfile.flush()
        go_on.wait(10)
        handler.wfile.write(
            b'data: {"choices": [{"delta": {"content": " Last."}}]}\n\n'
        )

    server.answer = slowly
    dialogue = ChatCompletionsDialogue(server.url, model="m")
    replies = dialogue.reply(DialogueRequest("", [said("?")]))

    assert await anext(replies) == TextDelta("First.")
    go_on.set()
    assert [event async for event in replies] == [TextDelta(" Last.")]


async def test_conversation_becomes_messages(server):
    call = called("order_status", {"order_number": "1042"}, {"status": "shipped"})
    unanswered = {**call[0], "call_id": "call_2"}
    system = {
        "type": "message",
        "role": "system",
        "content": [{"type": "input_text", "text": "Be kind."}],
    }
    items = [
        system,
        said("Where is it?"),
        *call,
        unanswered,
        answered("Shipped."),
        said(""),
    ]

    await ask(ChatCompletionsDialogue(server.url, model="m"), *items)

    path, _headers, body = server.requests[0]
    assert path == "/v1/chat/completions"
    assert body["stream"] is True
    assert body["model"] == "m"
    assert "tools" not in body
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Where is it?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {
                        "name": "order_status",
                        "arguments": '{"order_number": "1042"}',
                    },
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": '{"status": "shipped"}'},
        {"role": "assistant", "content": "Shipped."},
    ]


async def test_tools_and_bounds_are_sent(server):
    named = {"type": "function", "name": "get_weather"}

    await ask(
        ChatCompletionsDialogue(server.url, model="m", key="secret-key"),
        said("?"),
        tools=SHOP,
        tool_choice=named,
        max_output_tokens=50,
    )

    _path, headers, body = server.requests[0]
    assert headers["Authorization"] == "Bearer secret-key"
    assert body["max_tokens"] == 50
    assert body["tool_choice"] == {
        "type": "function",
        "function": {"name": "get_weather"},
    }
    assert body["tools"][0]["function"]["name"] == "order_status"
    assert body["tools"][0]["function"]["parameters"] == SHOP[0]["parameters"]


async def test_tool_calls_are_put_together_from_pieces(server):
    def piece(index, **function):
        return {"tool_calls": [{"index": index, "function": function}]}

    server.answer = events(
        {"content": "Let me look."},
        piece(0, name="order_status", arguments=""),
        piece(0, arguments='{"order_'),
        piece(0, arguments='number": "1042"}'),
        piece(1, name="opening_hours"),
    )

    replies = await ask(
        ChatCompletionsDialogue(server.url, model="m"), said("?"), tools=SHOP
    )

    assert replies == [
        TextDelta("Let me look."),
        FunctionCall("order_status", '{"order_number": "1042"}'),
        FunctionCall("opening_hours", "{}"),
    ]


async def test_server_that_does_not_stream_is_understood(server):
    call = {"function": {"name": "get_weather", "arguments": {"city": "Rome"}}}
    message = {"content": "Looking.", "tool_calls": [call]}
    body = json.dumps({"choices": [{"message": message}]}).encode()
    server.answer = lambda handler: respond(handler, body, "application/json")

    replies = await ask(ChatCompletionsDialogue(server.url, model="m"), said("?"))

    assert replies == [
        TextDelta("Looking."),
        FunctionCall("get_weather", '{"city": "Rome"}'),
    ]


async def test_model_is_asked_for_once_when_none_is_named(server):
    dialogue = ChatCompletionsDialogue(server.url + "/chat/completions")

    await ask(dialogue, said("?"))
    await ask(dialogue, said("?"))

    assert [path for path, _headers, _body in server.requests] == [
        "/v1/models",
        "/v1/chat/completions",
        "/v1/chat/completions",
    ]
    assert server.requests[1][2]["model"] == "first-model"


@pytest.mark.parametrize(
    ("status", "error", "retryable"),
    [
        (401, UpstreamRefused, False),
        (404, UpstreamRefused, False),
        (307, UpstreamRefused, False),
        (429, UpstreamError, True),
        (503, UpstreamError, True),
    ],
)
async def test_refusal_is_an_error_without_the_servers_words(
    server, status, error, retryable
):
    server.answer = lambda handler: respond(handler, b"secret words", status=status)

    with pytest.raises(error, match=f"HTTP {status}") as e:
        await ask(ChatCompletionsDialogue(server.url, model="m"), said("?"))

    assert e.value.retryable is retryable
    assert "secret" not in str(e.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"data: {broken\n\n", "broken JSON"),
        (b'data: {"error": {"message": "secret"}}\n\n', "reported an error"),
        (b"data: " + b"x" * (2 * 1024 * 1024), "too long"),
    ],
)
async def test_wrong_answer_is_an_error(server, body, words):
    server.answer = lambda handler: respond(handler, body)

    with pytest.raises(UpstreamError, match=words):
        await ask(ChatCompletionsDialogue(server.url, model="m"), said("?"))


async def test_broken_off_answer_is_an_error(server):
    def break_off(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'data: {"choices": [{"delta": {"content": "Hel"}}]}\n\n')

    server.answer = break_off

    with pytest.raises(UpstreamClosed):
        await ask(ChatCompletionsDialogue(server.url, model="m"), said("?"))


async def test_silent_server_is_a_timeout(server):
    release = threading.Event()
    server.answer = lambda handler: release.wait(10)
    timeout = httpx.Timeout(5.0, read=0.05)

    with pytest.raises(UpstreamTimeout):
        await ask(
            ChatCompletionsDialogue(server.url, model="m", timeout=timeout), said("?")
        )
    release.set()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "nonsense", "ftp://x/v1"])
async def test_unreachable_server_is_an_error(url):
    with pytest.raises(UpstreamUnreachable):
        await ask(ChatCompletionsDialogue(url, model="m"), said("?"))


async def test_closing_the_answer_hangs_up(server):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(
                b'data: {"choices": [{"delta": {"content": "and "}}]}\n\n'
            )

    server.answer = endless
    dialogue = ChatCompletionsDialogue(server.url, model="m")
    replies = dialogue.reply(DialogueRequest("", [said("?")]))
    await anext(replies)

    await replies.aclose()

    assert await asyncio.to_thread(server.hung_up.wait, 10)
