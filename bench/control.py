"""The control: a plain aiohttp proxy that does the bridge's work and nothing else.

Binary audio from the page becomes ``input_audio_buffer.append``, audio deltas become
binary frames, every other event goes on as it is. ``python -m bench.control --port N
--model ws://...`` - written the way one would write it first: json, base64, aiohttp,
the standard event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json

import aiohttp
from aiohttp import web

MODEL = web.AppKey("model", str)
CLIENT = web.AppKey("client", aiohttp.ClientSession)


async def pump_up(
    page: web.WebSocketResponse, model: aiohttp.ClientWebSocketResponse
) -> None:
    """Carry the microphone."""
    async for message in page:
        if message.type == aiohttp.WSMsgType.BINARY:
            audio = base64.b64encode(message.data).decode()
            body = {"type": "input_audio_buffer.append", "audio": audio}
            await model.send_str(json.dumps(body))


async def pump_down(
    page: web.WebSocketResponse, model: aiohttp.ClientWebSocketResponse
) -> None:
    """Carry the answers."""
    async for message in model:
        body = json.loads(message.data)
        if body["type"] == "response.output_audio.delta":
            await page.send_bytes(base64.b64decode(body["delta"]))
        else:
            await page.send_str(json.dumps(body))


async def proxy(request: web.Request) -> web.WebSocketResponse:
    """Bridge one page."""
    page = web.WebSocketResponse(compress=False)
    await page.prepare(request)
    client = request.app[CLIENT]
    async with client.ws_connect(request.app[MODEL], max_msg_size=1 << 24) as model:
        pumps = [
            asyncio.create_task(pump_up(page, model)),
            asyncio.create_task(pump_down(page, model)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
    return page


async def close_client(app: web.Application) -> None:
    """Close the shared client."""
    await app[CLIENT].close()


def main() -> None:
    """Run the control."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", required=True)
    options = parser.parse_args()

    async def application() -> web.Application:
        app = web.Application()
        app[MODEL] = options.model
        app[CLIENT] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        app.router.add_get("/", proxy)
        app.on_cleanup.append(close_client)
        return app

    web.run_app(application(), host="127.0.0.1", port=options.port, print=None)


if __name__ == "__main__":
    main()
