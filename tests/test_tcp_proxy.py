"""The network that the fault tests break does what they believe."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress

import pytest

from tests.fakes.tcp_proxy import HOST, TcpProxy


@asynccontextmanager
async def echo_behind_proxy():
    async def echo(reader, writer):
        with suppress(ConnectionResetError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    proxy = TcpProxy(server.sockets[0].getsockname()[1]).start()
    writers = []

    async def connect():
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        writers.append(writer)
        return reader, writer

    try:
        yield proxy, connect
    finally:
        await asyncio.to_thread(proxy.stop)
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        server.close()


async def echoed(connection, data=b"words"):
    reader, writer = connection
    writer.write(data)
    async with asyncio.timeout(5):
        return await reader.readexactly(len(data))


async def test_bytes_pass_both_ways():
    async with echo_behind_proxy() as (proxy, connect):
        connection = await connect()
        assert await echoed(connection) == b"words"


async def test_cut_resets_what_is_open_and_refuses_what_comes_until_resumed():
    async with echo_behind_proxy() as (proxy, connect):
        connection = await connect()
        await echoed(connection)
        await asyncio.to_thread(proxy.cut)
        with pytest.raises(ConnectionResetError):
            await connection[0].readexactly(1)
        with pytest.raises(ConnectionRefusedError):
            await connect()
        await asyncio.to_thread(proxy.resume)
        assert await echoed(await connect()) == b"words"


async def test_stall_keeps_what_is_sent_until_resumed():
    async with echo_behind_proxy() as (proxy, connect):
        connection = await connect()
        await echoed(connection)
        await asyncio.to_thread(proxy.stall)
        late = asyncio.create_task(echoed(connection, b"late"))
        new = await connect()
        new_late = asyncio.create_task(echoed(new, b"new"))
        done, _waiting = await asyncio.wait([late, new_late], timeout=0.2)
        assert not done
        await asyncio.to_thread(proxy.resume)
        assert (await late, await new_late) == (b"late", b"new")


async def test_throttle_lets_so_much_pass_a_second():
    async with echo_behind_proxy() as (proxy, connect):
        await asyncio.to_thread(proxy.throttle, 50_000)
        connection = await connect()
        began_s = time.monotonic()
        assert await echoed(connection, bytes(10_000)) == bytes(10_000)
        # A lower bound, which no slow machine breaks: 0.2 s each way.
        assert time.monotonic() - began_s >= 0.35
        await asyncio.to_thread(proxy.resume)
        assert await echoed(connection) == b"words"
