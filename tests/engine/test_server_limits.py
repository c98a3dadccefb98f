"""Clients that flood the engine's server or do not read, and a server that stops."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import threading
from base64 import b64encode
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from realtime_widget.engine.limits import Allowance, Limits
from realtime_widget.engine.models import Model, Models
from realtime_widget.engine.server import serve
from realtime_widget.protocol.audio import MAX_APPEND_BYTES
from tests.engine.machine import user_text
from tests.engine.ports import address_of, running
from tests.fakes import schema
from tests.fakes.engine import ScriptedDialogue, loud, make_parts

CUT_OFF = (4000, "invalid_request_error.rate_limit_exceeded")


async def read(socket):
    async with asyncio.timeout(10):
        event = json.loads(await socket.recv())
    schema.check("server", event)
    return event


async def until(socket, kind):
    while (event := await read(socket))["type"] != kind:
        pass
    return event


async def end_of(socket):
    """Read to the end; return the errors before it and how it was closed."""
    told = []
    try:
        while True:
            event = await read(socket)
            if event["type"] == "error":
                told.append(event["error"])
    except ConnectionClosed:
        return told, (socket.close_code, socket.close_reason)


def append(pcm, **fields):
    audio = b64encode(pcm).decode()
    return json.dumps({**fields, "type": "input_audio_buffer.append", "audio": audio})


@asynccontextmanager
async def session(address, **options):
    async with connect(f"ws://{address}/v1/realtime", **options) as socket:
        assert (await read(socket))["type"] == "session.created"
        yield socket


class TestAllowance:
    def test_so_much_at_once_and_more_with_time(self):
        allowance = Allowance(3, 2, now_s=10)

        assert [allowance.take(1, 10) for _ in range(4)] == [True, True, True, False]
        assert allowance.take(1, 10.5)
        assert not allowance.take(1, 10.9)
        assert allowance.take(1, 11.0)

    def test_it_grows_no_further_than_at_the_start(self):
        allowance = Allowance(3, 2, now_s=10)

        assert not allowance.take(4, 1_000)
        assert allowance.take(3, 1_000)
        assert not allowance.take(0.1, 1_000)


class TestFlood:
    @pytest.mark.parametrize(
        ("limits", "message"),
        [
            (Limits(events_at_once=20, events_per_s=0), "{}"),
            (Limits(bytes_at_once=129_200, bytes_per_s=0), append(bytes(4_800))),
            (Limits(events_at_once=20, events_per_s=0), b"\0"),
        ],
    )
    async def test_client_is_told_and_cut_off(self, limits, message):
        async with running(limits=limits) as address, session(address) as socket:
            for _ in range(21):
                await socket.send(message)
            told, closed = await end_of(socket)

        assert told[-1]["code"] == "rate_limit_exceeded"
        assert closed == CUT_OFF

    async def test_others_are_served_meanwhile(self):
        limits = Limits(events_at_once=20, events_per_s=0)
        async with (
            running(limits=limits) as address,
            session(address) as other,
            session(address) as flooding,
        ):
            for _ in range(21):
                await flooding.send("{}")
            _told, closed = await end_of(flooding)
            await other.send('{"type": "input_audio_buffer.clear"}')

            assert closed == CUT_OFF
            assert (await read(other))["type"] == "input_audio_buffer.cleared"

    async def test_microphone_stays_far_below_the_limits(self):
        limits = Limits()

        assert limits.events_per_s >= 10 * 100
        assert limits.bytes_per_s >= 50 * 64_000

    async def test_event_beyond_the_limit_ends_the_socket(self):
        async with (
            running(limits=Limits(event_bytes=10_000)) as address,
            session(address) as socket,
        ):
            await socket.send("x" * 10_001)
            _told, (code, _reason) = await end_of(socket)

        assert code == 1009


class TestLongAudio:
    @pytest.mark.parametrize("head", [{}, {"event_id": "e1"}])
    async def test_more_than_15_mib_in_one_event_is_refused(self, head):
        async with running() as address, session(address) as socket:
            await socket.send(append(bytes(MAX_APPEND_BYTES + 2), **head))
            refused = (await read(socket))["error"]
            await socket.send('{"type": "input_audio_buffer.commit"}')
            empty = (await read(socket))["error"]

        assert (refused["code"], refused["param"]) == ("invalid_value", "audio")
        assert refused["event_id"] == head.get("event_id")
        assert empty["code"] == "input_audio_buffer_commit_empty"

    @pytest.mark.parametrize("head", [{}, {"event_id": "e1"}])
    async def test_15_mib_are_taken_and_others_are_answered_in_between(self, head):
        manual = {"audio": {"input": {"turn_detection": None}}}
        update = {"type": "session.update", "session": {"type": "realtime", **manual}}
        async with (
            running() as address,
            session(address) as other,
            session(address) as socket,
        ):
            await socket.send(json.dumps(update))
            await until(socket, "session.updated")
            await socket.send(append(bytes(MAX_APPEND_BYTES), **head))
            await socket.send('{"type": "input_audio_buffer.commit"}')
            committed = asyncio.create_task(
                until(socket, "input_audio_buffer.committed")
            )
            rounds = 0
            while not committed.done():
                await other.send('{"type": "input_audio_buffer.clear"}')
                await read(other)
                rounds += 1

            assert (await committed)["item_id"]
            assert rounds > 1

    async def test_turns_are_found_in_it_as_in_a_microphones(self):
        async with running() as address, session(address) as socket:
            await socket.send(append(bytes(96_000) + loud(2_000) + bytes(96_000)))
            started = await until(socket, "input_audio_buffer.speech_started")
            stopped = await until(socket, "input_audio_buffer.speech_stopped")

        assert 1_600 <= started["audio_start_ms"] <= 2_000
        assert 3_900 <= stopped["audio_end_ms"] <= 4_600


class TestNotReading:
    """A client that takes nothing of what it is sent."""

    @staticmethod
    @asynccontextmanager
    async def unread(address):
        """Have some 8 MB on the way to a client that does not read."""
        image = "data:image/png;base64," + "A" * 4_000_000
        content = [{"type": "input_image", "image_url": image}]
        item = {"type": "message", "role": "user", "content": content}
        host, port = address.split(":")
        sock = sockets.socket()
        # The kernel would take the whole of it.
        sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 65_536)
        sock.connect((host, int(port)))
        async with session(address, sock=sock, max_size=None) as socket:
            socket.transport.pause_reading()
            event = {"type": "conversation.item.create", "item": item}
            await socket.send(json.dumps(event))
            yield socket
            socket.transport.abort()

    @staticmethod
    async def logged(caplog, words):
        async with asyncio.timeout(10):
            while words not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def test_it_is_told_when_it_reads_again_in_time(self, caplog):
        async with (
            running(limits=Limits(unread_s=0.2)) as address,
            self.unread(address) as socket,
        ):
            await self.logged(caplog, "does not read and is cut off")
            socket.transport.resume_reading()
            told, closed = await end_of(socket)

        assert [error["code"] for error in told] == ["rate_limit_exceeded"]
        assert closed == CUT_OFF

    async def test_it_is_dropped_when_it_never_does(self):
        async with (
            running(limits=Limits(unread_s=0.1)) as address,
            self.unread(address) as socket,
            asyncio.timeout(10),
        ):
            while any("realtime-engine" in t.get_name() for t in asyncio.all_tasks()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            socket.transport.resume_reading()
            _told, (code, _reason) = await end_of(socket)

        assert code in {4000, 1006}

    async def test_server_that_stops_does_not_wait_for_it(self):
        server = await serve("127.0.0.1", 0, make_parts())
        async with self.unread(address_of(server)), asyncio.timeout(10):
            await server.close()


class TestStop:
    """A server that is told to stop."""

    async def test_it_does_not_wait_for_those_who_ask_for_nothing(self):
        server = await serve("127.0.0.1", 0, make_parts())
        host, port = address_of(server).split(":")
        reader, writer = await asyncio.open_connection(host, port)
        async with session(address_of(server)):  # by now both were accepted
            writer.write(b"GET /v1/mod")
        async with asyncio.timeout(5):
            await server.close()
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    async def test_session_whose_model_was_being_loaded_ends_as_it_begins(self):
        begun, gate = threading.Event(), threading.Event()

        def load():
            begun.set()
            gate.wait(10)
            return make_parts()

        server = await serve(
            "127.0.0.1", 0, Models(Model("slow", lambda _told: load()))
        )
        async with connect(f"ws://{address_of(server)}/v1/realtime") as socket:
            await asyncio.to_thread(begun.wait, 10)
            closes = asyncio.create_task(server.close())
            await asyncio.sleep(0)
            gate.set()
            await until(socket, "session.created")
            _told, closed = await end_of(socket)
            async with asyncio.timeout(10):
                await closes

        assert closed == (1001, "The server is shutting down.")

    async def test_answer_in_progress_ends_before_the_session_does(self):
        gate = asyncio.Event()
        parts = make_parts(dialogue=ScriptedDialogue(["One. ", gate, "Two."]))
        async with await serve("127.0.0.1", 0, parts) as server:
            address = address_of(server)
            async with session(address) as talking, session(address) as idle:
                item = {"type": "conversation.item.create", "item": user_text("Go")}
                await talking.send(json.dumps(item))
                text = {"output_modalities": ["text"]}
                create = {"type": "response.create", "response": text}
                await talking.send(json.dumps(create))
                await until(talking, "response.output_text.delta")
                drained = asyncio.create_task(server.drain(60))
                told, closed = await end_of(idle)
                with pytest.raises(OSError, match="refused|failed"):
                    await connect(f"ws://{address}/v1/realtime")
                gate.set()
                done = await until(talking, "response.done")
                _told, closed_too = await end_of(talking)
                await drained

        assert told == []
        assert closed == closed_too == (1001, "The server is shutting down.")
        assert done["response"]["status"] == "completed"
        assert done["response"]["output"][0]["content"][0]["text"] == "One. Two."

    async def test_one_who_speaks_is_waited_for_so_long_and_no_longer(self):
        async with await serve("127.0.0.1", 0, make_parts()) as server:
            address = address_of(server)
            async with session(address) as socket:
                await socket.send(append(loud(1_000)))
                await until(socket, "input_audio_buffer.speech_started")
                await server.drain(0.05)
                await socket.send('{"type": "response.cancel"}')
                assert (await read(socket))["type"] == "error"
                await server.close()
                _told, closed = await end_of(socket)

        assert closed == (1001, "The server is shutting down.")
