"""What stands where a page would: its end of the bridge, and what runs the tools."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from realtime_widget.exceptions import UnknownTool
from realtime_widget.handlers import Handler, ToolContext, run_handler
from realtime_widget.session.ports import CALL_ID, SessionEnd
from realtime_widget.sessions.events import EVENT_NAMES, History


class Holder(Protocol):
    """The session as its ends see it."""

    def tell(self, kind: str, /, **data: Any) -> None:
        """Queue an event."""

    def begun(self, call_id: str, name: str) -> None:
        """Note that a tool has begun."""

    async def say(self, kind: str, /, **fields: Any) -> None:
        """Give the bridge a message as from a page."""


class PageEnd:
    """The page's end of the bridge: messages and audio become events.

    Args:
        session: Whose events they are.
        bytes_per_ms: Of audio.
    """

    def __init__(self, session: Holder, bytes_per_ms: int) -> None:
        self._session = session
        self._bytes_per_ms = bytes_per_ms
        self.started = asyncio.Event()
        self.history = History()
        self.item_id = ""
        self.played_ms: dict[str, int] = {}
        self.end: SessionEnd | None = None

    async def send_text(self, text: str) -> None:
        """Turn a message for a page into events."""
        message = json.loads(text)
        kind = message.pop("type")
        tell = self._session.tell
        if kind == "transcript":
            for event in self.history.take(message):
                tell(event.type, **event.data)
        elif kind == "session.started":
            self.started.set()
            tell("session_started", session_id=message["session_id"])
        elif kind == "handoff":
            tell("handoff", before=message["from"], after=message["to"])
        elif kind == "tool.started":
            self._session.begun(message["call_id"], message["name"])
        elif kind == "audio.start":
            self.item_id = message["item_id"]
        elif kind in EVENT_NAMES:
            tell(EVENT_NAMES[kind], **message)
        if kind == "audio.end":
            await self._report(done=True)

    async def send_audio(self, audio: bytes) -> None:
        """Pass audio on; what was passed on counts as heard."""
        self._session.tell("audio", audio=audio, item_id=self.item_id)
        passed_ms = len(audio) // self._bytes_per_ms
        self.played_ms[self.item_id] = self.played_ms.get(self.item_id, 0) + passed_ms
        await self._report(done=False)

    async def _report(self, *, done: bool) -> None:
        played_ms = self.played_ms.get(self.item_id, 0)
        if self.item_id:
            await self._session.say(
                "playback", item_id=self.item_id, played_ms=played_ms, done=done
            )


class CodeEnd:
    """Runs the session's tools.

    Args:
        session: Whose tools they are.
        handlers: Tool -> function; may grow.
        context: For the functions.
    """

    def __init__(
        self, session: Holder, handlers: Mapping[str, Handler], context: ToolContext
    ) -> None:
        self._session = session
        self._handlers = handlers
        self._context = context

    async def permit(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Refuse: there is no page to run it.

        Raises:
            UnknownTool: Always; ``add_tool`` gives the session functions of its own.
        """
        raise UnknownTool("There is no page in which this could run.")

    async def run(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Return the handler's result.

        Raises:
            ToolError: With words for the model.
            Exception: Whatever else the handler raises.
        """
        handler = self._handlers.get(name)
        if handler is None:
            raise UnknownTool("There is no function behind this tool.")
        call_id = CALL_ID.get()
        self._session.tell(
            "tool_start", call_id=call_id, name=name, arguments=dict(arguments)
        )
        context = replace(self._context, call_id=call_id)
        return await run_handler(handler, context, arguments)
