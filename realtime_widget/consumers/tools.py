"""A session's tools: its handlers and whom they work for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from realtime_widget.exceptions import SessionClosed, UnknownTool
from realtime_widget.handlers import Handler, ToolContext, permit, run_handler
from realtime_widget.session.ports import CALL_ID

Tell = Callable[[str], Awaitable[None]]


class SessionTools:
    """Runs the calls of one session.

    Only functions that the widget's agent has on this site can be reached, however
    the model spells their names.

    Args:
        handlers: Tool name -> function.
        context: What every handler of this session is told.
        tell: Sends a message to the page, whichever that is.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        context: ToolContext,
        tell: Tell,
    ) -> None:
        self._handlers = handlers
        self._context = context
        self._tell = tell

    async def permit(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Check a call that the page is to run.

        Raises:
            ToolError: With words for the model.
            Exception: Whatever the site's own check raises.
        """
        await permit(self._handler(name), self._context)

    async def run(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Return the handler's JSON-serialisable result.

        Raises:
            ToolError: With words for the model.
            Exception: Whatever else the handler raises.
        """
        handler = self._handler(name)
        progress = Progress(self._tell, name)
        context = replace(
            self._context, call_id=CALL_ID.get(), on_progress=progress.note
        )
        try:
            return await run_handler(handler, context, arguments)
        finally:
            progress.end()

    def _handler(self, name: str) -> Handler:
        handler = self._handlers.get(name)
        if handler is None:
            raise UnknownTool("There is no function behind this tool.")
        return handler


class Progress:
    """Shows the page how far one call is; the latest note wins.

    Args:
        tell: Sends a message to the page.
        name: The tool.
    """

    def __init__(self, tell: Tell, name: str) -> None:
        self._tell = tell
        self._name = name
        self._call_id = CALL_ID.get()
        self._loop = asyncio.get_running_loop()
        self._latest = ""
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    def note(self, words: str) -> None:
        """Take a note from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._take, words)
        except RuntimeError:
            pass  # a thread that finishes after its loop has ended

    def end(self) -> None:
        """Show nothing more: the call is answered."""
        self._ended = True
        if self._task is not None:
            self._task.cancel()

    def _take(self, words: str) -> None:
        if self._ended:
            return
        self._latest = words
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(
                self._show(), name=f"realtime-progress-{self._call_id}"
            )

    async def _show(self) -> None:
        shown = None
        while shown != self._latest:
            shown = self._latest
            message = {
                "type": "tool.started",
                "call_id": self._call_id,
                "name": self._name,
                "status": "running",
                "note": shown,
            }
            try:
                await self._tell(json.dumps(message))
            except SessionClosed:
                return
