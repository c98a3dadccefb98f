"""A visitor's page without a browser: HTTP, then a real socket."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import httpx
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from realtime_widget.protocol.browser import PROTOCOL
from tests.asgi import application

WAIT_S = 30


class Page:
    """One page's socket; messages are taken in the order they came."""

    def __init__(self, socket):
        self.socket = socket
        self.audio_bytes = 0

    async def send(self, kind, **fields):
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def start(self, **fields):
        """Start the session and return ``session.started``."""
        await self.send("session.start", **fields)
        return await self.expect("session.started")

    async def expect(self, kind):
        """Return the next message of this type, passing over others."""
        async with asyncio.timeout(WAIT_S):
            while True:
                message = await self.socket.recv()
                if isinstance(message, bytes):
                    self.audio_bytes += len(message)
                    continue
                message = json.loads(message)
                if message["type"] == kind:
                    return message

    async def first_of(self, kind, other, wait_s):
        """Return the next message of one of two types."""
        async with asyncio.timeout(wait_s):
            while True:
                message = await self.socket.recv()
                if isinstance(message, str):
                    message = json.loads(message)
                    if message["type"] in (kind, other):
                        return message

    async def say(self, text):
        """Type a message and return the words of the answer."""
        await self.send("message", text=text)
        while True:
            message = await self.expect("transcript")
            if message["role"] == "assistant" and message["final"]:
                return message["text"]

    async def ended(self):
        """Return the types of what still came, the last error, and the close code."""
        messages = []
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    message = await self.socket.recv()
                    if isinstance(message, str):
                        messages.append(json.loads(message))
        except ConnectionClosed:
            pass
        errors = [m["code"] for m in messages if m["type"] == "error"]
        return messages, errors[-1] if errors else "", self.socket.close_code


async def ask(server, slug="support", *, origin=None, cookie="", body=None, **kwargs):
    """Return the HTTP answer to opening a session."""
    headers = {"Origin": origin or server.url}
    if cookie:
        headers["Cookie"] = cookie
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(
            f"{server.url}/realtime/widgets/{slug}/session",
            json={} if body is None else body,
            headers=headers,
            **kwargs,
        )


@asynccontextmanager
async def socket_of(server, path, token, *, origin=None, cookie="", **options):
    """Open a socket as a page does, with any token.

    ``protocols`` are offered instead of ours; other options are the client's own.
    """
    protocols = options.pop("protocols", None)
    offered = [PROTOCOL] if protocols is None else protocols
    if token is not None:
        offered = [*offered, f"token.{token}"]
    async with connect(
        server.ws_url + path,
        origin=origin or server.url,
        subprotocols=offered or None,
        additional_headers={"Cookie": cookie} if cookie else {},
        compression=None,
        proxy=None,
        close_timeout=1,
        **options,
    ) as socket:
        yield Page(socket)


@asynccontextmanager
async def open_page(server, slug="support", *, origin=None, cookie="", resume=""):
    """Open a session's socket, token and all; ``resume`` is told ahead."""
    body = {"resume": resume} if resume else {}
    answer = await ask(server, slug, origin=origin, cookie=cookie, body=body)
    assert answer.status_code == 200, answer.text
    granted = answer.json()
    path = granted["url"].removeprefix(server.ws_url)
    async with socket_of(
        server, path, granted["token"], origin=origin, cookie=cookie
    ) as page:
        assert page.socket.subprotocol == PROTOCOL
        yield page


class RealtimeSocket(WebsocketCommunicator):
    """The application without a server, where a test needs its task or loop."""

    def __init__(self, path="/realtime/ws/support/"):
        headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
        super().__init__(application, path, headers)

    async def start(self, **fields):
        """Start the session and return ``session.started``."""
        await self.send_json_to({"type": "session.start", **fields})
        while True:
            message = await self.receive_json_from(WAIT_S)
            if message["type"] == "session.started":
                return message

    async def ended(self):
        """Return the last error and the close code."""
        error = ""
        while True:
            output = await self.receive_output(WAIT_S)
            if output["type"] == "websocket.close":
                await self.wait(WAIT_S)
                return error, output["code"]
            if "text" in output and output["text"]:
                message = json.loads(output["text"])
                error = message["code"] if message["type"] == "error" else error


@sync_to_async
def granted_token(slug="support"):
    """Return a token for a page of the site."""
    answer = Client().post(
        f"/realtime/widgets/{slug}/session",
        "{}",
        content_type="application/json",
        headers={"origin": "http://testserver"},
    )
    return answer.json()["token"]


async def joined(communicator):
    """Return the communicator with its socket open, by a token of its own."""
    communicator.scope["subprotocols"] = [PROTOCOL, f"token.{await granted_token()}"]
    accepted, protocol = await communicator.connect(WAIT_S)
    assert (accepted, protocol) == (True, PROTOCOL)
    return communicator
