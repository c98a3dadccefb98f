"""A server that is stopped in the middle of a call leaves a closed record."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from realtime_widget.models import Item
from tests.app.pages import open_page
from tests.app.rows import ended_conversation, make_widget
from tests.servers import HOST, RunningServer

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent.parent
COMMANDS = {
    "daphne": ["daphne", "-b", HOST, "-p", "{port}", "tests.asgi:application"],
    "uvicorn": ["uvicorn", "--host", HOST, "--port", "{port}", "--lifespan", "off"]
    + ["--timeout-graceful-shutdown", "5", "tests.asgi:application"],
}


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def wait_until_healthy(server, process):
    until_s = time.monotonic() + 30
    while time.monotonic() < until_s:
        assert process.poll() is None, "the server ended by itself"
        try:
            answer = httpx.get(f"{server.url}/realtime/health", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        assert answer.status_code == 200
        return
    raise AssertionError("the server did not start")


@pytest.fixture(params=["daphne", "uvicorn"])
def process(request, transactional_db):
    """Return a server in a process of its own, on this test's database."""
    server = RunningServer(request.param, free_port())
    command = [part.format(port=server.port) for part in COMMANDS[request.param]]
    name = str(connection.settings_dict["NAME"])
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE_NAME": name,
    }
    child = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_healthy(server, child)
        yield server, child
    finally:
        child.kill()
        child.wait()


async def test_stopped_server_ends_its_conversations(process):
    server, child = process
    await sync_to_async(make_widget)(text_only=True, text_box=True)
    async with open_page(server) as page:
        await page.start(language="en")
        await page.say("Hello")
        await page.send("message", text="My last words", respond=False)
        await page.send("ping", t=1)
        await page.expect("pong")
        child.send_signal(signal.SIGTERM)
        await page.ended()
    conversation = await ended_conversation()
    assert conversation.reason == "draining"
    assert await Item.objects.filter(text="My last words").aexists()
    assert await sync_to_async(child.wait)(15) is not None
