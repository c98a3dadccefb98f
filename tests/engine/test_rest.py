"""Client secrets and models: the HTTP side of the engine's port."""

from __future__ import annotations

import asyncio
import json
import time

import httpx
import pytest
from openai import AsyncOpenAI, NotFoundError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from realtime_widget.engine.models import all_models
from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.rest.client_secrets import ClientSecret, ClientSecrets
from realtime_widget.engine.rest.reader import MAX_BODY_BYTES
from realtime_widget.engine.server import EngineServer, ServerOptions, serve
from realtime_widget.exceptions import EventRefused
from tests.engine.ports import address_of, running
from tests.fakes.engine import make_parts

SECRETS = "/v1/realtime/client_secrets"
SPOKEN = {
    "type": "realtime",
    "instructions": "Be brief.",
    "audio": {"output": {"voice": "cedar"}},
    "tools": [{"type": "function", "name": "get_weather", "parameters": {}}],
}


async def read(socket):
    async with asyncio.timeout(5):
        return json.loads(await socket.recv())


async def first_event(address, key, query=""):
    """Open a session with a key; return its first event and the socket's close code."""
    headers = {"Authorization": f"Bearer {key}"}
    url = f"ws://{address}/v1/realtime{query}"
    async with connect(url, additional_headers=headers) as socket:
        event = await read(socket)
        if event["type"] == "error":
            with pytest.raises(ConnectionClosed):
                await read(socket)
        return event, socket.close_code


async def raw(address, *pieces):
    """Send bytes as they are, each piece by itself; return all that comes back."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


class TestClientSecrets:
    async def test_official_client_makes_one_and_opens_a_preset_session_with_it(self):
        async with running(key="right") as address:
            base = f"http://{address}/v1"
            async with AsyncOpenAI(api_key="right", base_url=base) as operator:
                made = await operator.realtime.client_secrets.create(
                    session=SPOKEN,
                    expires_after={"anchor": "created_at", "seconds": 60},
                )
            async with (
                AsyncOpenAI(api_key=made.value, base_url=base) as visitor,
                visitor.realtime.connect(model="local") as connection,
            ):
                created = await connection.recv()
                await connection.session.update(
                    session={"type": "realtime", "instructions": "Be long."}
                )
                updated = await connection.recv()

        assert made.value.startswith("ek_")
        assert 0 < made.expires_at - time.time() <= 60
        for session in (made.session, created.session):
            assert session.instructions == "Be brief."
            assert session.audio.output.voice == "cedar"
            assert session.tools[0].name == "get_weather"
        assert updated.session.instructions == "Be long."
        assert updated.session.audio.output.voice == "cedar"

    async def test_secret_opens_sessions_again_and_in_a_browser(self):
        async with running(key="right") as address, httpx.AsyncClient() as client:
            made = await client.post(
                f"http://{address}{SECRETS}",
                headers={"Authorization": "Bearer right"},
            )
            value = made.json()["value"]
            first, _code = await first_event(address, value)
            offered = ["realtime", f"openai-insecure-api-key.{value}"]
            url = f"ws://{address}/v1/realtime?model=m"
            async with connect(url, subprotocols=offered) as socket:
                second = await read(socket)

        assert 590 <= made.json()["expires_at"] - time.time() <= 600
        assert made.headers["cache-control"] == "no-store"
        assert first["type"] == second["type"] == "session.created"
        assert second["session"]["model"] == "m"
        assert first["session"]["id"] != second["session"]["id"]

    async def test_secret_names_the_model_where_the_address_names_none(self):
        session = {"type": "realtime", "model": "named"}
        async with running() as address, httpx.AsyncClient() as client:
            made = await client.post(
                f"http://{address}{SECRETS}", json={"session": session}
            )
            event, _code = await first_event(address, made.json()["value"])

        assert made.json()["session"]["model"] == "named"
        assert event["session"]["model"] == "named"

    async def test_secret_for_captions_opens_captions(self):
        hears = {"input": {"transcription": {"model": "local", "language": "en"}}}
        async with running() as address:
            base = f"http://{address}/v1"
            async with AsyncOpenAI(api_key="any", base_url=base) as operator:
                made = await operator.realtime.client_secrets.create(
                    session={"type": "transcription", "audio": hears}
                )
            event, _code = await first_event(address, made.value)

        assert made.session.type == "transcription"
        assert made.session.audio.input.transcription.language == "en"
        assert event["session"]["type"] == "transcription"
        assert event["session"]["audio"]["input"]["transcription"]["language"] == "en"

    async def test_expired_secret_opens_nothing_even_without_a_required_key(self):
        now = [1_800_000_000.0]
        server = EngineServer(make_parts(), ServerOptions(), clock=lambda: now[0])
        await server.listen("127.0.0.1", 0)
        async with server, httpx.AsyncClient() as client:
            address = address_of(server)
            body = {"expires_after": {"anchor": "created_at", "seconds": 10}}
            made = (await client.post(f"http://{address}{SECRETS}", json=body)).json()
            headers = {"Authorization": f"Bearer {made['value']}"}
            url = f"ws://{address}/v1/realtime"
            async with connect(url, additional_headers=headers) as opened:
                await read(opened)
                now[0] += 10
                event, code = await first_event(address, made["value"])
                await opened.send('{"type": "input_audio_buffer.clear"}')
                goes_on = await read(opened)

        assert made["expires_at"] == 1_800_000_010
        assert event["error"]["code"] == "invalid_api_key"
        assert code == 3000
        assert goes_on["type"] == "input_audio_buffer.cleared"

    async def test_secret_makes_no_secrets(self):
        async with running(key="right") as address, httpx.AsyncClient() as client:
            url = f"http://{address}{SECRETS}"
            made = await client.post(url, headers={"api-key": "right"})
            again = await client.post(url, headers={"api-key": made.json()["value"]})

        assert made.status_code == 200
        assert again.status_code == 401

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            (b"{", None),
            (b"[]", None),
            (b'{"session": 1}', "session"),
            (b'{"session": {"model": "local"}}', "session.type"),
            (b'{"session": {"type": "robot"}}', "session.type"),
            (b'{"session": {"type": "realtime", "tools": [{"type": "function"}]}}', "session.tools[0].name"),
            (b'{"expires_after": 60}', "expires_after"),
            (b'{"expires_after": {"seconds": 9}}', "expires_after.seconds"),
            (b'{"expires_after": {"seconds": 7201}}', "expires_after.seconds"),
            (b'{"expires_after": {"seconds": "60"}}', "expires_after.seconds"),
            (b'{"expires_after": {"anchor": "now"}}', "expires_after.anchor"),
        ],
    )  # fmt: skip
    async def test_wrong_wishes_are_refused_with_the_field_to_blame(self, body, param):
        async with running() as address, httpx.AsyncClient() as client:
            answer = await client.post(f"http://{address}{SECRETS}", content=body)

        error = answer.json()["error"]
        assert answer.status_code == 400
        assert error["type"] == "invalid_request_error"
        assert error["param"] == param
        assert bool(error["code"]) == bool(param)
        assert error["message"]


class TestStore:
    """The secrets of one server, without a server."""

    @staticmethod
    def secret(expires_at=100, held_bytes=1):
        return ClientSecret({"type": "realtime"}, expires_at, held_bytes)

    def test_expired_secret_is_still_known_as_one_of_ours(self):
        store = ClientSecrets()
        store.add("ek_a", self.secret(), 40)

        assert store.find("ek_a", 99.9) == self.secret()
        assert store.find("ek_a", 100) is None
        assert store.issued("ek_a")
        assert not store.issued("ek_b")

    def test_memory_of_expired_ones_is_free_again(self):
        store = ClientSecrets(max_secrets=2, max_held_bytes=10)
        store.add("ek_a", self.secret(held_bytes=6), 0)
        with pytest.raises(EventRefused) as caught:
            store.add("ek_b", self.secret(held_bytes=6), 0)
        store.add("ek_b", self.secret(200, held_bytes=6), 100)

        assert caught.value.code == "rate_limit_exceeded"
        assert store.issued("ek_a")

    def test_oldest_expired_one_makes_room_and_none_that_still_opens_sessions(self):
        store = ClientSecrets(max_secrets=2)
        store.add("ek_a", self.secret(), 0)
        store.add("ek_b", self.secret(200), 0)
        with pytest.raises(EventRefused):
            store.add("ek_c", self.secret(200), 0)
        store.add("ek_c", self.secret(200), 100)

        assert not store.issued("ek_a")
        assert store.find("ek_b", 100) == store.find("ek_c", 100)


class TestModels:
    async def test_official_client_lists_and_finds_them(self):
        async with (
            running() as address,
            AsyncOpenAI(api_key="any", base_url=f"http://{address}/v1") as client,
        ):
            models = [model async for model in client.models.list()]
            found = await client.models.retrieve(models[0].id)
            with pytest.raises(NotFoundError) as caught:
                await client.models.retrieve("gpt-9")

        assert found == models[0]
        assert found.object == "model"
        assert found.created <= time.time()
        assert caught.value.code == "model_not_found"
        assert caught.value.body["message"] == "The model 'gpt-9' does not exist"

    async def test_all_models_of_the_engine_are_listed_the_default_first(self):
        models = all_models(EngineOptions(), "scripted")
        async with await serve("127.0.0.1", 0, models) as server:
            base = f"http://{address_of(server)}/v1"
            async with AsyncOpenAI(api_key="any", base_url=base) as client:
                names = [model.id async for model in client.models.list()]

        assert names == list(models.names)
        assert names[0] == "scripted"
        assert {"local", "local-text", "scripted"} <= set(names)

    async def test_azures_address_is_the_same(self):
        async with running() as address, httpx.AsyncClient() as client:
            here = await client.get(f"http://{address}/v1/models")
            there = await client.get(f"http://{address}/openai/v1/models")

        assert here.json() == there.json()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, None),
        ("GET", "/v1/", 404, None),
        ("GET", "/v1/models/", 404, None),
        ("GET", "/v2/models", 404, None),
        ("POST", "/v1/chat/completions", 404, None),
        ("POST", "/v1/models", 405, "method_not_supported"),
        ("DELETE", "/v1/models/local", 405, "method_not_supported"),
        ("GET", SECRETS, 405, "method_not_supported"),
        ("POST", "/v1/realtime", 405, "method_not_supported"),
        ("GET", "/v1/realtime", 426, None),
    ],
)
async def test_wrong_addresses_and_methods_are_answered_with_json(
    method, path, status, code
):
    async with running() as address, httpx.AsyncClient() as client:
        answer = await client.request(method, f"http://{address}{path}", json={})

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert ("allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize("key", ["", "wrong", "ek_wrong", "ключ"])
async def test_without_the_required_key_nothing_is_told(key):
    headers = {"Authorization": f"Bearer {key}".encode()} if key else {}
    async with running(key="right") as address, httpx.AsyncClient() as client:
        listed = await client.get(f"http://{address}/v1/models", headers=headers)
        made = await client.post(f"http://{address}{SECRETS}", headers=headers)

    for answer in (listed, made):
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"


async def test_head_has_no_body():
    async with running() as address:
        answer = await raw(address, b"HEAD /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 405 ")
    assert answer.endswith(b"\r\n\r\n")


class TestReading:
    """What comes in pieces, too long, or not as HTTP."""

    async def test_body_in_pieces_is_read_in_full(self):
        head = f"POST {SECRETS} HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n".encode()
        async with running() as address:
            answer = await raw(address, head, b"\r\n", b'{"sess', b'ion": {}}')

        assert answer.startswith(b"HTTP/1.1 200 ")

    async def test_body_comes_after_the_client_was_told_to_go_on(self):
        head = (
            f"POST {SECRETS} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        async with running() as address:
            host, port = address.split(":")
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(head.encode())
            async with asyncio.timeout(5):
                told = await reader.readuntil(b"\r\n\r\n")
                writer.write(b"{}")
                answer = await reader.read()
            writer.close()
            await writer.wait_closed()

        assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert answer.startswith(b"HTTP/1.1 200 ")

    @pytest.mark.parametrize("chunked", [True, False])
    async def test_too_long_a_body_is_refused(self, chunked):
        async def pieces():
            for _ in range(MAX_BODY_BYTES // 65_536 + 1):
                yield bytes(65_536)

        body = pieces() if chunked else bytes(MAX_BODY_BYTES + 1)
        async with running() as address, httpx.AsyncClient() as client:
            answer = await client.post(f"http://{address}{SECRETS}", content=body)

        assert answer.status_code == 413
        assert str(MAX_BODY_BYTES) in answer.json()["error"]["message"]

    @pytest.mark.parametrize(
        ("bytes_", "status"),
        [
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000, 431),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ?\r\n\r\n", 400),
            (b"GET /v1/models HTTP/1.1\r\n\r\n", 400),
        ],
    )
    async def test_what_is_no_http_is_refused(self, bytes_, status):
        async with running() as address:
            answer = await raw(address, bytes_)

        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert b'"error"' in answer

    async def test_handshake_in_pieces_opens_a_session(self):
        head = (
            b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        async with running() as address:
            host, port = address.split(":")
            reader, writer = await asyncio.open_connection(host, port)
            for piece in (head[:40], head[40:]):
                writer.write(piece)
                await writer.drain()
            async with asyncio.timeout(5):
                answer = await reader.readuntil(b"\r\n\r\n")
                event = await reader.readuntil(b'"session.created"')
            writer.close()
            await writer.wait_closed()

        assert answer.startswith(b"HTTP/1.1 101 ")
        assert event

    async def test_client_that_leaves_in_the_middle_leaves_nothing_behind(self, caplog):
        async with running() as address:
            host, port = address.split(":")
            _reader, writer = await asyncio.open_connection(host, port)
            writer.write(f"POST {SECRETS} HTTP/1.1\r\nHost: x\r\n".encode())
            writer.close()
            await writer.wait_closed()

        assert not caplog.records
