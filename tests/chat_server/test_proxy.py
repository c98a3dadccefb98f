"""The engine's chat-completions dialogue against a server that nobody here wrote."""

from __future__ import annotations

import asyncio

import pytest

from realtime_widget.engine.dialogue import phrases
from realtime_widget.engine.dialogue.chat_completions import ChatCompletionsDialogue
from realtime_widget.engine.ports import DialogueRequest, FunctionCall, TextDelta
from realtime_widget.exceptions import UpstreamError, UpstreamRefused
from tests.chat_server.conftest import ANSWER, KEY
from tests.engine.speech.chat_server import event, events, words
from tests.engine.speech.dialogues import SHOP, called, said


def dialogue(proxy, model="", key=KEY):
    return ChatCompletionsDialogue(proxy.url, model=model, key=key)


async def ask(dialogue, *items, into=None, **options):
    request = DialogueRequest("Be brief.", list(items) or [said("Hi")], **options)
    replies = [] if into is None else into
    async for reply in dialogue.reply(request):
        replies.append(reply)
    return replies


async def test_words_arrive_in_pieces(proxy):
    replies = await ask(dialogue(proxy, "talk"))

    assert len(replies) > 5
    assert "".join(reply.text for reply in replies) == ANSWER


async def test_first_model_is_taken_when_none_is_named(proxy):
    replies = await ask(dialogue(proxy))

    assert "".join(reply.text for reply in replies) == ANSWER


@pytest.mark.parametrize(
    ("model", "key", "error"),
    [
        ("busy", KEY, UpstreamError),
        ("broken", KEY, UpstreamError),
        ("talk", "wrong", UpstreamRefused),
        ("nonesuch", KEY, UpstreamRefused),
    ],
)
async def test_refusal_is_apologised_for_and_raised(proxy, model, key, error):
    replies = []

    with pytest.raises(error) as e:
        await ask(dialogue(proxy, model, key), into=replies)

    assert replies == [TextDelta(phrases.UNANSWERED)]
    assert e.value.retryable is (error is UpstreamError)


async def test_tools_and_their_outputs_pass_through(proxy):
    function = {"name": "order_status", "arguments": ""}
    begin = {"index": 0, "id": "call_1", "type": "function", "function": function}
    pieces = ['{"order_', 'number": "1042"}']
    proxy.behind.answer = events(
        {"role": "assistant", "tool_calls": [begin]},
        *({"tool_calls": [{"index": 0, "function": {"arguments": p}}]} for p in pieces),
    )

    calls = await ask(dialogue(proxy, "behind"), said("Where is 1042?"), tools=SHOP)
    assert calls == [FunctionCall("order_status", '{"order_number": "1042"}')]

    proxy.behind.answer = events({"role": "assistant", "content": "On its way."})
    made = called("order_status", {"order_number": "1042"}, {"status": "shipped"})
    replies = await ask(
        dialogue(proxy, "behind"), said("Where is 1042?"), *made, tools=SHOP
    )

    assert "".join(reply.text for reply in replies) == "On its way."
    *_before, call, output = proxy.behind.requests[-1][2]["messages"]
    assert call["tool_calls"][0]["function"]["name"] == "order_status"
    assert output["content"] == '{"status": "shipped"}'
    assert proxy.behind.requests[-1][2]["tools"][0]["type"] == "function"


async def test_interruption_reaches_the_server_behind_the_proxy(proxy):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        handler.wfile.write(event({"role": "assistant", "content": ""}))
        while True:
            handler.wfile.write(words("and "))
            handler.wfile.flush()

    proxy.behind.hung_up.clear()
    proxy.behind.answer = endless
    replies = dialogue(proxy, "behind").reply(DialogueRequest("", [said("?")]))
    assert (await anext(replies)).text

    await replies.aclose()

    assert await asyncio.to_thread(proxy.behind.hung_up.wait, 30)
