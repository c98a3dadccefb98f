"""The engine on a real port."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.engine.ports import running
from tests.fakes import schema


async def read(socket):
    async with asyncio.timeout(5):
        event = json.loads(await socket.recv())
    schema.check("server", event)
    return event


@pytest.mark.parametrize(
    ("offered", "selected"),
    [
        (None, None),
        (["realtime"], "realtime"),
        (["realtime", "openai-insecure-api-key.ek_x"], "realtime"),
        (["something-else"], None),
    ],
)
async def test_session_begins_with_and_without_the_subprotocol(offered, selected):
    async with running() as address:
        url = f"ws://{address}/v1/realtime?model=gpt-realtime-2.1"
        async with connect(url, subprotocols=offered) as socket:
            created = await read(socket)

            assert created["type"] == "session.created"
            assert created["session"]["model"] == "gpt-realtime-2.1"
            assert socket.subprotocol == selected


@pytest.mark.parametrize(
    "path", ["/", "/v1/realtime/x", "/v1/models", "/v1/realtime?call_id=rtc_1"]
)
async def test_other_addresses_are_not_found(path):
    async with running() as address:
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://{address}{path}")

        assert caught.value.response.status_code == 404


@pytest.mark.parametrize(
    "options",
    [
        {"additional_headers": {"Authorization": "Bearer right"}},
        {"additional_headers": {"api-key": "right"}},
        {"subprotocols": ["realtime", "openai-insecure-api-key.right"]},
    ],
)
async def test_required_key_is_taken_wherever_clients_put_it(options):
    async with (
        running(key="right") as address,
        connect(f"ws://{address}/v1/realtime", **options) as socket,
    ):
        assert (await read(socket))["type"] == "session.created"


@pytest.mark.parametrize(
    ("path", "headers", "code", "close_code"),
    [
        ("/v1/realtime", {"Authorization": "Bearer wrong"}, "invalid_api_key", 3000),
        ("/v1/realtime", {}, "invalid_api_key", 3000),
        ("/v1/realtime?intent=transcription&model=x", {"api-key": "right"}, "invalid_model", 4000),
    ],
)  # fmt: skip
async def test_refused_client_gets_an_error_and_a_close(
    path, headers, code, close_code
):
    async with (
        running(key="right") as address,
        connect(f"ws://{address}{path}", additional_headers=headers) as socket,
    ):
        assert (await read(socket))["error"]["code"] == code
        with pytest.raises(ConnectionClosed):
            await read(socket)
        assert socket.close_code == close_code
        assert socket.close_reason == f"invalid_request_error.{code}"


async def test_binary_frame_is_answered_and_the_session_goes_on():
    async with running() as address, connect(f"ws://{address}/v1/realtime") as socket:
        await read(socket)
        await socket.send(b"\0\1")
        assert (await read(socket))["error"]["code"] == "invalid_event"
        await socket.send('{"type": "input_audio_buffer.clear"}')

        assert (await read(socket))["type"] == "input_audio_buffer.cleared"


async def test_old_session_is_closed_with_its_reason():
    async with (
        running(max_session_s=0.06) as address,
        connect(f"ws://{address}/v1/realtime") as socket,
    ):
        await read(socket)
        assert (await read(socket))["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionClosed):
            await read(socket)
        assert socket.close_code == 1001
        assert socket.close_reason.startswith("Your session hit the maximum duration")


async def test_lost_client_leaves_nothing_behind():
    async with running() as address:
        socket = await connect(f"ws://{address}/v1/realtime")
        await read(socket)
        socket.transport.abort()
        async with asyncio.timeout(5):
            while any("engine" in t.get_name() for t in asyncio.all_tasks()):  # noqa: ASYNC110
                await asyncio.sleep(0.001)


async def test_stopping_server_closes_its_sessions():
    async with running() as address:
        socket = await connect(f"ws://{address}/v1/realtime")
        await read(socket)
    with pytest.raises(ConnectionClosed):
        await read(socket)

    assert socket.close_code == 1001
