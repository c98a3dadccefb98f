"""Two hundred idle clients of the engine, as a process of its own."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest
from websockets.asyncio.client import connect

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = 200
MOST_BYTES = 2_000_000
CLEAR = json.dumps({"type": "input_audio_buffer.clear"})


def unique_bytes(process):
    """Return the memory that only this process holds (USS)."""
    return psutil.Process(process.pid).memory_full_info().uss


@pytest.mark.parametrize("options", [[], ["--deflate"]])
async def test_idle_client_costs_less_than_two_megabytes(options, record_property):
    command = [sys.executable, "manage.py", "realtime_engine", "--port", "0", *options]
    with subprocess.Popen(  # noqa: ASYNC220
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            line = await asyncio.to_thread(process.stdout.readline)
            url = re.match(r"ws://\S+", line)[0]
            async with AsyncExitStack() as stack, asyncio.timeout(60):
                # The first one loads what all share.
                await stack.enter_async_context(connect(url))
                before = unique_bytes(process)
                clients = [
                    await stack.enter_async_context(connect(url))
                    for _ in range(CLIENTS)
                ]
                for client in clients:
                    assert "session.created" in await client.recv()
                each = (unique_bytes(process) - before) / CLIENTS
                # All of them are still served.
                for client in clients:
                    await client.send(CLEAR)
                for client in clients:
                    assert "input_audio_buffer.cleared" in await client.recv()
        finally:
            process.terminate()
            process.communicate(timeout=30)

    record_property("idle_client_bytes", round(each))
    assert each <= MOST_BYTES
    assert process.returncode == 0
