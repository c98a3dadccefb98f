from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import traceback
from functools import partial

import pytest

from realtime_widget.exceptions import (
    UpstreamClosed,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from realtime_widget.upstream.connection import open_connection
from realtime_widget.upstream.providers import Target
from realtime_widget.upstream.tls import forget_tls_context, make_tls_context
from tests.upstream.servers import (
    DRIVERS,
    KEY,
    certificate,
    raw_server,
    websocket_server,
)
from tests.upstream.servers import target as any_target


@pytest.fixture(params=DRIVERS, autouse=True)
def target(request):
    """Make targets for each driver in turn: both have to behave the same."""
    return partial(any_target, driver=request.param)


async def echo(websocket):
    async for message in websocket:
        await websocket.send(message)


async def until_closed(websocket):
    await websocket.wait_closed()


async def refusal(dialled):
    """Return the error of a connection that is not made; it must hold no secret."""
    with pytest.raises(UpstreamError) as caught:
        await open_connection(dialled)
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown
    assert "bad key" not in shown
    return caught.value


async def test_events_go_both_ways_as_text(target):
    kinds = []

    async def handler(websocket):
        async for message in websocket:
            kinds.append(type(message))
            await websocket.send(message)

    async with websocket_server(handler) as port:
        connection = await open_connection(target(port))
        await connection.send('{"type":"é"}'.encode())
        assert await connection.receive() == '{"type":"é"}'.encode()
        await connection.close()
        await connection.close()
    assert kinds == [str]


async def test_the_handshake_carries_the_key_and_asks_for_no_extension(target):
    seen = []
    async with websocket_server(until_closed, seen=seen) as port:
        connection = await open_connection(target(port))
        await connection.close()
    (request,) = seen
    assert request.path == "/v1/realtime?model=m"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    for name in ("Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "OpenAI-Beta"):
        assert name not in request.headers


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, UpstreamRefused, "upstream_auth"),
        (403, UpstreamRefused, "upstream_auth"),
        (404, UpstreamRefused, "upstream_refused"),
        (400, UpstreamRefused, "upstream_refused"),
        (429, UpstreamRefused, "upstream_quota"),
        (500, UpstreamUnreachable, "upstream_unreachable"),
        (503, UpstreamUnreachable, "upstream_unreachable"),
        (200, UpstreamRefused, "upstream_refused"),
    ],
)
async def test_a_refused_handshake_says_why_and_nothing_else(
    status, kind, code, target
):
    async with websocket_server(until_closed, status=status) as port:
        error = await refusal(target(port))
    assert type(error) is kind
    assert error.code == code


async def test_a_redirect_is_not_followed(target):
    seen = []
    async with websocket_server(until_closed, seen=seen) as other:
        location = [("Location", f"ws://127.0.0.1:{other}/v1/realtime")]
        async with websocket_server(echo, status=302, headers=location) as port:
            error = await refusal(target(port))
    assert isinstance(error, UpstreamRefused)
    assert seen == []


async def test_a_server_that_never_answers_is_given_up(target):
    async def silent(reader, writer):
        await reader.read()

    async with raw_server(silent) as port:
        began = asyncio.get_running_loop().time()
        error = await refusal(target(port, open_timeout_s=0.2))
        took_s = asyncio.get_running_loop().time() - began
    assert isinstance(error, UpstreamTimeout)
    assert took_s < 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"\0" * 100_000,
    ],
)
async def test_a_server_that_speaks_something_else_is_refused(answer, target):
    async def handler(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with raw_server(handler) as port:
        error = await refusal(target(port))
    assert error.code in {"upstream_refused", "upstream_unreachable"}


async def test_a_port_that_nobody_listens_on_is_unreachable(target):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = await refusal(target(port))
    assert isinstance(error, UpstreamUnreachable)


async def test_a_name_that_does_not_exist_is_unreachable(target):
    error = await refusal(target(1, host="nosuch.invalid"))
    assert isinstance(error, UpstreamUnreachable)


async def test_an_address_that_is_none_is_a_matter_of_configuration(target):
    error = await refusal(target(1, scheme="https"))
    assert error.code == "not_configured"


async def test_a_certificate_nobody_vouches_for_is_not_accepted(tmp_path, target):
    _, context = certificate(tmp_path, "localhost")
    async with websocket_server(echo, tls=context) as port:
        error = await refusal(target(port, scheme="wss", host="localhost"))
    assert isinstance(error, UpstreamUnreachable)
    assert "certificate" in str(error)


@pytest.fixture
def trust(monkeypatch):
    """Let a test choose the trust store of the shared context."""

    def choose(path):
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        forget_tls_context()

    yield choose
    forget_tls_context()


async def test_a_certificate_of_another_host_is_not_accepted(tmp_path, trust, target):
    path, context = certificate(tmp_path, "example.org")
    trust(path)
    async with websocket_server(echo, tls=context) as port:
        error = await refusal(target(port, scheme="wss", host="localhost"))
    assert isinstance(error, UpstreamUnreachable)


async def test_a_trusted_certificate_is_accepted_through_one_shared_context(
    tmp_path, trust, target
):
    path, context = certificate(tmp_path, "localhost")
    trust(path)
    async with websocket_server(echo, tls=context) as port:
        for _ in range(2):
            dialled = target(port, scheme="wss", host="localhost")
            connection = await open_connection(dialled)
            await connection.send(b"{}")
            assert await connection.receive() == b"{}"
            await connection.close()
    shared = make_tls_context()
    assert shared is make_tls_context()
    assert shared.verify_mode is ssl.CERT_REQUIRED
    assert shared.check_hostname


@pytest.mark.parametrize(
    ("close_code", "reason", "kind", "code"),
    [
        (1000, "", UpstreamClosed, "upstream_lost"),
        (1011, "internal error", UpstreamClosed, "upstream_lost"),
        (1001, "Your session hit the maximum", UpstreamClosed, "upstream_lost"),
        (3000, f"invalid_request_error.{KEY}", UpstreamRefused, "upstream_auth"),
        (4000, "x.model_not_found", UpstreamRefused, "upstream_refused"),
        (4000, "x.insufficient_quota", UpstreamRefused, "upstream_quota"),
    ],
)
async def test_a_close_frame_ends_both_directions(
    close_code, reason, kind, code, target
):
    async def handler(websocket):
        await websocket.close(close_code, reason)

    async with websocket_server(handler) as port:
        connection = await open_connection(target(port))
        for use in (connection.receive(), connection.send(b"{}")):
            with pytest.raises(UpstreamError) as caught:
                await use
            assert type(caught.value) is kind
            assert caught.value.code == code
            assert KEY not in "".join(traceback.format_exception(caught.value))
        if kind is UpstreamClosed:
            assert caught.value.close_code == close_code
        await connection.close()


async def test_a_connection_cut_without_a_close_frame_is_lost(target):
    async def handler(websocket):
        websocket.transport.abort()

    async with websocket_server(handler) as port:
        connection = await open_connection(target(port))
        with pytest.raises(UpstreamClosed) as caught:
            await connection.receive()
        assert caught.value.close_code == 1006
        await connection.close()


async def test_an_event_over_the_bound_ends_the_connection(target):
    async def handler(websocket):
        await websocket.send("x" * 1001)
        await websocket.wait_closed()

    async with websocket_server(handler) as port:
        connection = await open_connection(target(port, max_event_bytes=1000))
        with pytest.raises(UpstreamClosed) as caught:
            await connection.receive()
        assert caught.value.close_code == 1009
        await connection.close()


async def test_cancelling_a_receive_loses_no_event(target):
    go = asyncio.Event()

    async def handler(websocket):
        await go.wait()
        await websocket.send("first")
        await websocket.wait_closed()

    async with websocket_server(handler) as port:
        connection = await open_connection(target(port))
        waiting = asyncio.create_task(connection.receive())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go.set()
        assert await connection.receive() == b"first"
        await connection.close()


async def test_neither_the_key_nor_words_are_logged(caplog, target):
    caplog.set_level(logging.DEBUG)
    async with websocket_server(echo) as port:
        connection = await open_connection(target(port))
        await connection.send(b'{"text":"my secret"}')
        await connection.receive()
        await connection.close()
    ours = [r.getMessage() for r in caplog.records if r.name != "websockets.server"]
    assert KEY not in str(ours)
    assert "my secret" not in str(ours)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_inner_address_is_refused_where_only_public_ones_may_be(host, target):
    seen = []
    async with websocket_server(echo, seen=seen) as port:
        error = await refusal(target(port, host=host, public_only=True))
    assert error.code == "not_configured"
    assert seen == []


async def test_a_proxy_that_refuses_is_no_way_to_the_server():
    async def handler(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with raw_server(handler) as port:
        error = await refusal(
            Target("ws://example.invalid/v1", proxy=f"http://127.0.0.1:{port}")
        )
    assert error.code in {"upstream_refused", "upstream_unreachable"}
