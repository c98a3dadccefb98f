from __future__ import annotations

import asyncio
import json
import socket
import threading

import pytest

from realtime_widget.engine.dialogue import phrases
from realtime_widget.engine.dialogue.chat_completions import (
    ChatCompletionsDialogue,
    Patience,
)
from realtime_widget.engine.ports import DialogueRequest, FunctionCall, TextDelta
from realtime_widget.exceptions import (
    UpstreamClosed,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from tests.engine.speech.chat_server import (
    Server,
    event,
    events,
    respond,
    stream,
    words,
)
from tests.engine.speech.dialogues import SHOP, answered, called, said


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


async def ask(dialogue, *items, tools=(), into=None, **options):
    request = DialogueRequest("Be brief.", list(items), tools, **options)
    replies = [] if into is None else into
    async for reply in dialogue.reply(request):
        replies.append(reply)
    return replies


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

    server.answer = stream(words("First."), go_on, words(" Last."))
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
        said(""),
        answered("Shipped."),
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


async def test_speech_without_words_is_not_answered(server):
    server.answer = events({"content": "Once more."})
    dialogue = ChatCompletionsDialogue(server.url, model="m")

    assert await ask(dialogue, said("Where is it?"), said("")) == []
    assert server.requests == []
    assert await ask(dialogue, said("Where is it?")) == [TextDelta("Once more.")]


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
    # Not the API's own form: some servers send arguments as an object.
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
    ("body", "message"),
    [
        (b"data: {broken\n\n", "broken JSON"),
        (b'data: {"error": {"message": "secret"}}\n\n', "reported an error"),
        (b"data: " + b"x" * (2 * 1024 * 1024), "too long"),
        (b'data: {"choices": 5}\n\n', "no chat completion"),
        (b'data: {"choices": ["x"]}\n\n', "no chat completion"),
        (b'data: {"choices": [{"delta": "x"}]}\n\n', "no chat completion"),
        (
            b'data: {"choices": [{"delta": {"tool_calls": ["x"]}}]}\n\n',
            "no chat completion",
        ),
    ],
)
async def test_wrong_answer_is_an_error(server, body, message):
    server.answer = lambda handler: respond(handler, body)

    with pytest.raises(UpstreamError, match=message):
        await ask(ChatCompletionsDialogue(server.url, model="m"), said("?"))


async def test_broken_off_answer_is_an_error(server):
    def break_off(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(words("Hel"))

    server.answer = break_off

    with pytest.raises(UpstreamClosed):
        await ask(ChatCompletionsDialogue(server.url, model="m"), said("?"))


HASTE = Patience(first_token_s=0.2, next_token_s=0.2)


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (b": keep-alive\n\n",),
        (event({"role": "assistant", "content": ""}),),
        (words("Well,"),),
    ],
    ids=["nothing", "comment", "no word", "one word"],
)
async def test_silent_server_is_a_timeout(server, steps):
    release = threading.Event()
    server.answer = stream(*steps, release, words("too late"))
    dialogue = ChatCompletionsDialogue(server.url, model="m", patience=HASTE)
    replies = []

    with pytest.raises(UpstreamTimeout):
        await ask(dialogue, said("?"), into=replies)
    release.set()
    assert replies[-1].text.strip() == phrases.UNANSWERED


async def test_slow_models_list_is_a_timeout_too(server):
    release = threading.Event()
    server.before_models = release
    dialogue = ChatCompletionsDialogue(server.url, patience=HASTE)

    with pytest.raises(UpstreamTimeout):
        await ask(dialogue, said("?"))
    release.set()


async def test_first_word_may_take_longer_than_the_next_ones(server):
    pause = threading.Event()
    server.answer = stream(pause, words("Ready."))
    patience = Patience(first_token_s=30, next_token_s=0.001)
    dialogue = ChatCompletionsDialogue(server.url, model="m", patience=patience)
    replies = dialogue.reply(DialogueRequest("", [said("?")]))
    first = asyncio.ensure_future(anext(replies))
    while not server.requests:  # noqa: ASYNC110 - another thread's list
        await asyncio.sleep(0.001)

    pause.set()

    assert await first == TextDelta("Ready.")
    await replies.aclose()


def test_waits_are_those_of_a_conversation():
    assert Patience() == Patience(connect_s=5, first_token_s=60, next_token_s=20)


async def test_connection_that_is_not_taken_is_a_timeout():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
        full = [socket.socket() for _ in range(3)]
        for one in full:
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        patience = Patience(connect_s=0.1)
        with pytest.raises(UpstreamTimeout):
            await ask(
                ChatCompletionsDialogue(url, model="m", patience=patience), said("?")
            )
        for one in full:
            one.close()


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, UpstreamRefused), (404, UpstreamRefused), (429, UpstreamError)]
    + [(500, UpstreamError), (503, UpstreamError)],
)
async def test_failure_is_told_to_the_visitor_before_it_is_raised(server, status, code):
    server.answer = lambda handler: respond(handler, b"secret words", status=status)
    said_before = []

    with pytest.raises(code):
        await ask(
            ChatCompletionsDialogue(server.url, model="m"), said("?"), into=said_before
        )
    assert said_before == [TextDelta(phrases.UNANSWERED)]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "nonsense", "ftp://x/v1"])
async def test_unreachable_server_is_an_error(url):
    with pytest.raises(UpstreamUnreachable):
        await ask(ChatCompletionsDialogue(url, model="m"), said("?"))


async def test_closing_the_answer_hangs_up(server):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(words("and "))

    server.answer = endless
    dialogue = ChatCompletionsDialogue(server.url, model="m")
    replies = dialogue.reply(DialogueRequest("", [said("?")]))
    await anext(replies)

    await replies.aclose()

    assert await asyncio.to_thread(server.hung_up.wait, 10)
