"""A network between two programs that a test can break."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading

HOST = "127.0.0.1"
CHUNK_BYTES = 64 * 1024
# SO_LINGER with no time: closing sends RST, as a machine that lost power would.
RESET = struct.pack("ii", 1, 0)


class TcpProxy:
    """Passes bytes between its own port and another, until told otherwise.

    It runs in a thread, so that servers of any process can be behind it; every
    method may be called from anywhere and returns when it has taken effect.

    Args:
        target_port: Where the real server listens on this machine.

    Attributes:
        port: Where to connect instead.
    """

    def __init__(self, target_port):
        self._target_port = target_port
        self._bytes_per_s = None
        self._flowing = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="tcp-proxy", daemon=True
        )
        self._pairs = set()
        self._server = None
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]

    def start(self):
        """Begin to pass on; return the proxy."""
        self._thread.start()
        self._call(self._open())
        return self

    def stop(self):
        """Close everything."""
        self._call(self._cut())
        self._call(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def point_at(self, target_port):
        """Send new connections to another server, as a balancer does."""
        self._target_port = target_port

    # --- faults

    def cut(self):
        """Reset every connection and refuse new ones."""
        self._call(self._cut())

    def stall(self):
        """Keep connections and take new ones, but pass nothing on."""
        self._call(self._set_flowing(flowing=False))

    def throttle(self, bytes_per_s):
        """Pass on so much a second, in each direction of each connection."""
        self._call(self._set_flowing(flowing=True, bytes_per_s=bytes_per_s))

    def resume(self):
        """Be a good network again, after any of the others."""
        self._call(self._open())

    # --- inside, on the proxy's own loop

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self):
        await self._set_flowing(flowing=True)
        if self._server is None:
            if self._listening.fileno() < 0:
                self._listening = socket.create_server((HOST, self.port))
            self._server = await asyncio.start_server(self._serve, sock=self._listening)

    async def _cut(self):
        if self._server is not None:
            self._server.close()
            self._server = None
        for pair in list(self._pairs):
            pair.reset()

    async def _set_flowing(self, *, flowing, bytes_per_s=None):
        self._bytes_per_s = bytes_per_s
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()

    async def _serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(
                HOST, self._target_port
            )
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        pair.tasks = [
            asyncio.create_task(self._pass(reader, far_writer)),
            asyncio.create_task(self._pass(far_reader, writer)),
        ]
        await asyncio.wait(pair.tasks, return_when=asyncio.FIRST_COMPLETED)
        self._pairs.discard(pair)
        await pair.end()

    async def _pass(self, reader, writer):
        try:
            while data := await reader.read(CHUNK_BYTES):
                await self._flowing.wait()
                if self._bytes_per_s:
                    await asyncio.sleep(len(data) / self._bytes_per_s)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass

    async def _end_tasks(self):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Pair:
    """The two connections of one client."""

    def __init__(self, near, far):
        self._writers = (near, far)
        self.tasks = []

    def reset(self):
        for writer in self._writers:
            end = writer.get_extra_info("socket")
            if end is not None and end.fileno() >= 0:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
        for task in self.tasks:
            task.cancel()

    async def end(self):
        for task in self.tasks:
            task.cancel()
        for writer in self._writers:
            writer.close()
