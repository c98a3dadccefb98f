"""The one task that sends to the page: messages first, audio at its pace."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from realtime_widget.exceptions import SessionClosed
from realtime_widget.session.playback import Playback
from realtime_widget.session.ports import BrowserPort, NoPage

# A page that lets so many messages wait, or such long ones, is not reading.
MAX_WAITING_MESSAGES: Final = 2_000
MAX_WAITING_CHARS: Final = 512 * 1024


class PageSender:
    """Everything on its way to the page.

    Whoever has something for the page leaves it here and never waits.

    Args:
        browser: The page's end; another one after ``change``.
        playback: The queue of audio, which knows its pace.
        now: The clock, in seconds.
        outlives: Whether a page that is gone is no end: whoever gave it sees that by
            himself, and changes it.

    Attributes:
        sending_since_s: When the send that is not over began, None between sends.
    """

    def __init__(
        self,
        browser: BrowserPort,
        playback: Playback,
        now: Callable[[], float],
        *,
        outlives: bool = False,
    ) -> None:
        self._browser = browser
        self._playback = playback
        self._now = now
        self._outlives = outlives
        self._sending: asyncio.Task[None] | None = None
        self._messages: deque[str] = deque()
        self._waiting_chars = 0
        self._wake = asyncio.Event()
        self._paced = False
        self._finishing = False
        self.sending_since_s: float | None = None

    @property
    def overfull(self) -> bool:
        """Return whether more messages wait than a reading page ever leaves."""
        return (
            len(self._messages) > MAX_WAITING_MESSAGES
            or self._waiting_chars > MAX_WAITING_CHARS
        )

    def message(self, message: Mapping[str, Any]) -> None:
        """Send a message; it overtakes all audio that waits."""
        text = json.dumps(message)
        self._messages.append(text)
        self._waiting_chars += len(text)
        self._wake.set()

    def audio_came(self) -> None:
        """Look at the queue of audio, unless it waits for its time anyway. HOT."""
        if not self._paced:
            self._wake.set()

    def change(self, browser: BrowserPort) -> None:
        """Send to another page from now on; nothing of what waited for the last one."""
        self._browser = browser
        self._messages.clear()
        self._waiting_chars = 0
        if self._sending is not None:
            # It may wait for a page that takes nothing any more.
            self._sending.cancel()

    def finish(self) -> None:
        """Let ``run`` return when the last message is sent."""
        self._finishing = True
        self._wake.set()

    async def run(self) -> None:
        """Send until ``finish``.

        Raises:
            SessionClosed: If the page is gone, and with it all there was to do.
        """
        while True:
            sending = self._sending = asyncio.create_task(
                self._send_all(), name="realtime sending"
            )
            try:
                await asyncio.wait({sending})
            finally:
                sending.cancel()
            if sending.cancelled():
                continue  # for another page
            failure = sending.exception()
            if failure is None:
                return
            if not (self._outlives and isinstance(failure, SessionClosed)):
                raise failure
            self.change(NoPage())

    async def _send_all(self) -> None:
        while True:
            piece = self._next()
            if piece is not None:
                await self._send(piece)
            elif self._finishing:
                return
            else:
                await self._wait()

    def _next(self) -> bytes | str | None:
        if self._messages:
            text = self._messages.popleft()
            self._waiting_chars -= len(text)
            return text
        if self._finishing:
            return None
        piece = self._playback.take(self._now())
        return json.dumps(piece) if isinstance(piece, dict) else piece

    async def _send(self, piece: bytes | str) -> None:
        self.sending_since_s = self._now()
        try:
            if isinstance(piece, bytes):
                await self._browser.send_audio(piece)
            else:
                await self._browser.send_text(piece)
        finally:
            self.sending_since_s = None

    async def _wait(self) -> None:
        """Wait for a message, for audio, or until waiting audio is due."""
        self._wake.clear()
        now_s = self._now()
        due_s = self._playback.next_due_s(now_s)
        if due_s is None:
            await self._wake.wait()
            return
        self._paced = True
        timer = asyncio.get_running_loop().call_later(due_s - now_s, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            self._paced = False
            timer.cancel()
