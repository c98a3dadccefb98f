"""Asking for the list of models, before real servers."""

from __future__ import annotations

import asyncio
import json

import pytest

from realtime_widget.exceptions import UpstreamError
from realtime_widget.upstream.health import list_models
from realtime_widget.upstream.providers import Account, Target, build_target
from realtime_widget.upstream.rest import rest_url
from tests.upstream.servers import KEY, raw_server

LIST = json.dumps(
    {"object": "list", "data": [{"id": "gpt-realtime-2.1"}, {"id": "other"}, 7]}
)


def answering(status="200 OK", body=LIST, headers="", seen=None):
    """Return a handler that answers one HTTP request."""

    async def handle(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(request.decode())
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        writer.write(head.encode() + body.encode())
        await writer.drain()

    return handle


def at(port, **account):
    return build_target(
        "compatible",
        base_url=f"http://127.0.0.1:{port}/v1",
        model="gpt-realtime-2.1",
        account=Account(key=KEY, **account),
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "wss://api.openai.com/v1/realtime?model=m",
            "https://api.openai.com/v1/models",
        ),
        (
            "wss://n/openai/v1/realtime?x=1&model=d",
            "https://n/openai/v1/models?x=1",
        ),
        ("ws://127.0.0.1:8765/talk/m", "http://127.0.0.1:8765/v1/models"),
    ],
)
def test_the_list_stands_beside_the_realtime_address(url, expected):
    assert rest_url(Target(url), "models") == expected


async def test_the_list_is_read_with_the_key_of_a_session():
    seen = []
    async with raw_server(answering(seen=seen)) as port:
        found = await list_models(at(port))
        await list_models(at(port, style="query", name="api_key"))
    assert found.names == {"gpt-realtime-2.1", "other"}
    assert seen[0].startswith("GET /v1/models HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}\r\n" in seen[0]
    assert seen[1].startswith(f"GET /v1/models?api_key={KEY} HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("404 Not Found", "{}"),
        ("200 OK", "<html>"),
        ("200 OK", "[" * 100_000),
        ("200 OK", '{"data": {}}'),
        ("200 OK", '["a"]'),
    ],
)
async def test_a_server_without_such_a_list_works_all_the_same(status, body):
    async with raw_server(answering(status, body)) as port:
        assert (await list_models(at(port))).names is None


@pytest.mark.parametrize(
    ("status", "code", "headers"),
    [
        ("401 Unauthorized", "upstream_auth", ""),
        ("403 Forbidden", "upstream_auth", ""),
        ("429 Too Many Requests", "upstream_quota", ""),
        ("500 Internal Server Error", "upstream_unreachable", ""),
        ("302 Found", "upstream_refused", "Location: http://127.0.0.1:1/\r\n"),
    ],
)
async def test_what_is_wrong_is_told_without_key_or_body(status, code, headers):
    async with raw_server(answering(status, f"bad key {KEY}", headers)) as port:
        with pytest.raises(UpstreamError) as caught:
            await list_models(at(port))
    assert caught.value.code == code
    assert KEY not in str(caught.value)


async def test_nobody_there_and_nobody_who_speaks_http():
    async with raw_server(answering()) as port:
        pass

    async def garbage(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"what?\r\n\r\n")
        await writer.drain()

    async with raw_server(garbage) as other:
        for target in (at(port), at(other)):
            with pytest.raises(UpstreamError) as caught:
                await list_models(target)
            assert caught.value.code == "upstream_unreachable"


async def test_a_server_that_says_nothing_is_not_waited_for():
    asked = asyncio.Event()

    async def silent(reader, _writer):
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await asyncio.Event().wait()

    async with raw_server(silent) as port:
        with pytest.raises(UpstreamError, match="in time"):
            await list_models(at(port), timeout_s=0.2)
    assert asked.is_set()


async def test_a_host_of_the_inner_network_is_not_asked():
    asked = []
    async with raw_server(answering(seen=asked)) as port:
        target = Target(f"ws://localhost:{port}/v1/realtime", public_only=True)
        with pytest.raises(UpstreamError) as caught:
            await list_models(target)
    assert caught.value.code == "not_configured"
    assert asked == []
