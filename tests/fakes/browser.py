"""A page that notes what it gets, and the other ends of a bridge."""

from __future__ import annotations

import asyncio
import json

from realtime_widget.exceptions import SessionClosed


class RecordingBrowser:
    """A ``BrowserPort`` that keeps everything with its time."""

    def __init__(self):
        self.messages = []
        self.frames = []
        self.log = []
        self.gone = False
        self._reading = asyncio.Event()
        self._reading.set()
        self._arrived = asyncio.Event()

    async def send_text(self, text):
        await self._take()
        message = json.loads(text)
        self.messages.append(message)
        self.log.append(message["type"])
        self._arrived.set()

    async def send_audio(self, audio):
        await self._take()
        self.frames.append((asyncio.get_running_loop().time(), audio))
        self.log.append(audio)
        self._arrived.set()

    async def _take(self):
        if self.gone:
            raise SessionClosed("the page is gone")
        await self._reading.wait()

    @property
    def reads(self):
        """Return whether what is sent arrives."""
        return self._reading.is_set() and not self.gone

    def stall(self):
        """Stop reading: sends wait."""
        self._reading.clear()

    def resume(self):
        """Read again."""
        self._reading.set()

    async def wait_for(self, kind, **fields):
        """Return the first message of this kind with these fields; wait for it."""
        async with asyncio.timeout(60):
            while True:
                for message in self.of(kind):
                    if all(message.get(k) == v for k, v in fields.items()):
                        return message
                self._arrived.clear()
                await self._arrived.wait()

    def of(self, kind):
        """Return all messages of a kind."""
        return [message for message in self.messages if message["type"] == kind]

    @property
    def states(self):
        """Return the states the page was shown, in order."""
        return [message["state"] for message in self.of("state")]

    @property
    def audio_bytes(self):
        """Return how much audio came."""
        return sum(len(frame) for _, frame in self.frames)


class RecordingRecorder:
    """A ``RecorderPort`` that keeps facts."""

    def __init__(self):
        self.facts = []

    def record(self, fact):
        self.facts.append(fact)

    def of(self, kind):
        """Return the facts of a class."""
        return [fact for fact in self.facts if isinstance(fact, kind)]


class HandlerTools:
    """A ``ToolPort`` over plain async functions of keyword arguments."""

    def __init__(self, **handlers):
        self.handlers = handlers
        self.started = []
        self.running = 0
        self.most = 0

    async def permit(self, name, arguments):
        await self.handlers.get("permit", _allowed)(name, arguments)

    async def run(self, name, arguments):
        self.started.append((name, dict(arguments)))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            return await self.handlers[name](**arguments)
        finally:
            self.running -= 1


async def _allowed(name, arguments):
    """Let every call of the page go on."""
