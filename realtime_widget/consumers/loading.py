"""Telling a page how far the model it waits for is loaded."""

from __future__ import annotations

import asyncio
import json

from realtime_widget.consumers.sockets import BrowserSocket
from realtime_widget.exceptions import SessionClosed


class LoadingTeller:
    """Sends the page the share that is loaded; called on the event loop.

    Steps that come while one is sent are told as the last of them.

    Args:
        socket: The page's.
    """

    def __init__(self, socket: BrowserSocket) -> None:
        self._socket = socket
        self._share = 0.0
        self._sending: asyncio.Task[None] | None = None

    def __call__(self, share: float) -> None:
        """Tell the page soon.

        Args:
            share: What is loaded, 0 to 1.
        """
        self._share = share
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(), name="realtime loading")

    async def _send(self) -> None:
        told = -1.0
        while told != self._share:
            told = self._share
            state = {"type": "state", "state": "connecting", "progress": told}
            try:
                await self._socket.send_text(json.dumps(state))
            except SessionClosed:
                return
