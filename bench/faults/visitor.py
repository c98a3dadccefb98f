"""A visitor who comes back: what the page does about a lost socket, in Python."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any, Final

import httpx
from websockets.exceptions import WebSocketException

from bench.faults.remembering import COUNT, RECALL, RECALLED, TELL
from bench.faults.world import SLUG, full_jitter_s
from tests.servers import RunningServer

# The page's own: the first wait is up to so long, and waits double up to the second.
FIRST_WAIT_S: Final = 0.3
MOST_WAIT_S: Final = 5.0
TRY_S: Final = 10.0
GIVE_UP_S: Final = 60.0
ANSWER_S: Final = 30.0
LOST = (OSError, WebSocketException, httpx.HTTPError, TimeoutError, ValueError)


class GaveUp(Exception):
    """The visitor could not come back within ``GIVE_UP_S``."""


class Visitor:
    """One conversation over as many sockets as it takes.

    Args:
        site: Where its pages are, through the network that breaks.

    Attributes:
        told: The words the model was told to remember, oldest first.
        sessions: Ids of the conversation's sessions, oldest first.
        resumed: Whether every later session went on with the earlier ones.
    """

    def __init__(self, site: RunningServer) -> None:
        self._site = site
        self._stack = AsyncExitStack()
        self._token = ""
        self._page: Any = None
        self.told: list[str] = []
        self.sessions: list[str] = []
        self.resumed = True

    async def arrive(self) -> None:
        """Open a session, or go on with the one before; once."""
        from tests.app.pages import open_page

        await self.leave()
        async with AsyncExitStack() as stack, asyncio.timeout(TRY_S):
            page = await stack.enter_async_context(open_page(self._site, SLUG))
            fields = {"resume": self._token} if self._token else {}
            started = await page.start(language="en", text_only=True, **fields)
            self._page, self._stack = page, stack.pop_all()
        if self._token:
            self.resumed = self.resumed and started["resumed"]
        self._token = started["resume"]
        self.sessions.append(started["session_id"])

    async def come_back(self) -> float:
        """Try until it works; return when it did, on the monotonic clock.

        Raises:
            GaveUp: If it does not work for ``GIVE_UP_S``.
        """
        until_s = time.monotonic() + GIVE_UP_S
        for tries in range(1_000):
            await asyncio.sleep(full_jitter_s(tries, FIRST_WAIT_S, MOST_WAIT_S))
            try:
                await self.arrive()
            except (*LOST, AssertionError):
                if time.monotonic() > until_s:
                    raise GaveUp from None
            else:
                return time.monotonic()
        raise GaveUp

    async def tell(self, word: str) -> None:
        """Tell the model a word and wait for its answer."""
        await self._page.say(TELL.format(word=word))
        self.told.append(word)

    async def begin_something_long(self) -> None:
        """Ask for an answer of five seconds and wait for its first words."""
        await self._page.send("message", text=COUNT)
        await self._page.expect("transcript")

    async def knows_all(self) -> bool:
        """Return whether the model knows every word it was told."""
        await self._page.send("message", text=RECALL)
        async with asyncio.timeout(ANSWER_S):
            while True:
                message = await self._page.expect("transcript")
                text = message.get("text") or ""
                if message["final"] and text.startswith(RECALLED):
                    return set(self.told) <= set(text.removeprefix(RECALLED).split())

    async def cut_off(self) -> tuple[float, int]:
        """Wait until the socket is gone; return when, and the close code."""
        _messages, _error, code = await self._page.ended()
        return time.monotonic(), code

    async def leave(self) -> None:
        """Close the socket, if there is one."""
        stack, self._stack = self._stack, AsyncExitStack()
        try:
            await stack.aclose()
        except LOST:
            pass
