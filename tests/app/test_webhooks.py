from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.test import override_settings

from realtime_widget.exceptions import ToolError, ToolTimeout
from realtime_widget.handlers import ToolContext, run_handler
from realtime_widget.handlers.webhooks import Webhook, signed, webhook_handler
from realtime_widget.models.webhooks import (
    find_secret,
    is_listed_webhook,
    validate_secret_name,
    validate_webhook_url,
)

CONTEXT = ToolContext(
    user=AnonymousUser(),
    widget="support",
    conversation_id="conversation-1",
    language="en",
    call_id="call_1",
)


@asynccontextmanager
async def receiver(answer):
    """Serve one answer on loopback; yield the address and what came."""
    came = []

    async def take(request):
        came.append((dict(request.headers), await request.read()))
        return await answer(request) if callable(answer) else answer

    app = web.Application()
    app.router.add_post("/tools/order", take)
    app.router.add_get("/tools/order", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/tools/order", came
    finally:
        await runner.cleanup()


async def called(url, *, public_only=False, timeout_s=5.0, **fields):
    """Return what a call gets from the receiver."""
    webhook = Webhook("order", url, "s3cret", public_only, 1_000)
    handler = webhook_handler(webhook, clock=lambda: 1_700_000_000.9)
    handler = replace(handler, timeout_s=timeout_s)
    return await run_handler(handler, replace(CONTEXT, **fields), {"context": "x"})


async def test_a_call_is_posted_signed_and_its_answer_is_the_result():
    async with receiver(web.json_response({"status": "sent"})) as (url, came):
        assert await called(url) == {"status": "sent"}
    ((headers, body),) = came
    assert json.loads(body) == {
        "tool": "order",
        "arguments": {"context": "x"},
        "call_id": "call_1",
        "conversation_id": "conversation-1",
        "widget": "support",
        "site": "",
        "user_id": None,
        "language": "en",
    }
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["webhook-id"] == "conversation-1_call_1"
    assert headers["webhook-timestamp"] == "1700000000"
    content = b"conversation-1_call_1.1700000000." + body
    mac = hmac.new(b"s3cret", content, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()


def test_a_secret_of_the_standard_is_base64():
    key = base64.b64encode(b"raw key").decode()
    assert signed(f"whsec_{key}", "i", 1, b"b") == signed("raw key", "i", 1, b"b")
    assert signed("whsec_no base64", "i", 1, b"b") != signed("", "i", 1, b"b")


async def test_the_receiver_learns_who_is_signed_in():
    async with receiver(web.json_response(None)) as (url, came):
        await called(url, user=User(pk=7))
    assert json.loads(came[0][1])["user_id"] == "7"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: web.json_response({"error": "No such order."}, status=404), "No such"),
        (lambda: web.json_response({"error": "stack"}, status=500), "Apologise"),
        (lambda: web.Response(text="<h1>Oops</h1>", status=404), "Apologise"),
        (lambda: web.Response(text="no json"), "Apologise"),
        (lambda: web.json_response("x" * 1_000), "too long"),
        (
            lambda: web.Response(status=307, headers={"Location": "/tools/order"}),
            "Apologise",
        ),
        (
            lambda: web.Response(body=b"1", headers={"Content-Encoding": "gzip"}),
            "Apologise",
        ),
    ],
    ids=["words", "500", "html", "text", "long", "redirect", "gzip"],
)
async def test_an_answer_that_is_none_is_told_in_words(answer, words):
    async with receiver(answer()) as (url, came):
        with pytest.raises(ToolError, match=words):
            await called(url)
    assert len(came) == 1


async def test_an_empty_answer_is_nothing():
    async with receiver(web.Response(status=204)) as (url, _came):
        assert await called(url) is None


async def test_a_receiver_that_hangs_is_given_up():
    gone = asyncio.Event()

    async def hang(request):
        await gone.wait()
        return web.json_response(1)

    async with receiver(hang) as (url, _came):
        with pytest.raises(ToolTimeout):
            await called(url, timeout_s=0.05)
        gone.set()


async def test_a_receiver_that_is_away_is_told_in_words():
    async with receiver(web.json_response(1)) as (url, _came):
        pass
    with pytest.raises(ToolError, match="Apologise"):
        await called(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "0.0.0.0",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00::1]",
    ],
)
async def test_no_call_gets_into_an_inner_network(host):
    async with receiver(web.json_response("inside")) as (url, came):
        inside = url.replace("127.0.0.1", host)
        with pytest.raises(ToolError, match="Apologise"):
            await called(inside, public_only=True)
    assert not came


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://10.1.2.3/x",
        "https://db.internal/x",
        "https://2130706433/x",
        "https://shop.example:8443/x",
        "http://shop.example/x",
        "https://user:pass@shop.example/x",
        "https://shop.example/x?key=1",
        "ftp://shop.example/x",
        "//shop.example",
        "https://",
        "https://[::1",
    ],
)
def test_an_address_that_may_not_be_called_is_refused_in_the_form(url):
    with pytest.raises(ValidationError):
        validate_webhook_url(url)


def test_a_listed_host_may_be_any():
    with override_settings(
        REALTIME_WIDGET={"WEBHOOK_HOSTS": ["10.0.0.5:9000", "[::1]"]}
    ):
        validate_webhook_url("http://10.0.0.5:9000/x")
        validate_webhook_url("http://[::1]:81/x")
        assert not is_listed_webhook("http://10.0.0.5:9001/x")
    validate_webhook_url("https://shop.example/x")


def test_only_listed_secrets_are_read(monkeypatch):
    monkeypatch.setenv("TOOL_SECRET", "a")
    with pytest.raises(ValidationError):
        validate_secret_name("TOOL_SECRET")
    assert find_secret("TOOL_SECRET") == ""
    with override_settings(
        REALTIME_WIDGET={"WEBHOOK_SECRETS": ["TOOL_SECRET", "B"]}, B="b"
    ):
        validate_secret_name("TOOL_SECRET")
        assert (find_secret("TOOL_SECRET"), find_secret("B")) == ("a", "b")
