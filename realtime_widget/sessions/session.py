"""One conversation that server code holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from realtime_widget.beginning import Prepared
from realtime_widget.conf import get_conf
from realtime_widget.exceptions import SessionClosed
from realtime_widget.handlers import SessionGuardrails, dict_handler
from realtime_widget.protocol.browser import StopReason
from realtime_widget.quotas import QuotaMeter
from realtime_widget.recorder import SessionRecorder, current_writer
from realtime_widget.session.bridge import Bridge
from realtime_widget.session.config import AgentSpec, ToolSpec
from realtime_widget.session.ports import (
    Fact,
    HandoffFact,
    ToolFact,
    UpstreamPort,
    UsageFact,
)
from realtime_widget.sessions.ends import CodeEnd, PageEnd
from realtime_widget.sessions.events import HistoryItem, SessionEvent, Tapped

ToolFunction = Callable[[dict[str, Any]], Any]


class RealtimeSession:
    """One conversation held by server code. Made by ``open_session``."""

    def __init__(
        self,
        prepared: Prepared,
        *,
        meter: QuotaMeter | None,
        behind: AsyncExitStack,
        record: bool,
        raw_events: bool,
    ) -> None:
        self._config = prepared.config
        self._dial = prepared.connect
        self._behind = behind
        self._raw_events = raw_events
        self._events: asyncio.Queue[SessionEvent | None] = asyncio.Queue()
        self._handlers = dict(prepared.handlers)
        self._agent = self._config.agent
        self._recorder: SessionRecorder | None = None
        if record:
            self._recorder = SessionRecorder(prepared.conversation, current_writer())
        self._page = PageEnd(self, self._config.audio.bytes_per_ms)
        self._bridge = Bridge(
            self._config,
            browser=self._page,
            tools=CodeEnd(self, self._handlers, prepared.context),
            recorder=meter or self,
            connect=self._connect,
            guardrails=SessionGuardrails(prepared.guards, prepared.context),
        )
        if meter is not None:
            goodbye = partial(
                self._bridge.say_goodbye, get_conf().QUOTA_GRACE_S, "quota"
            )
            meter.watch(self, goodbye)
        self._task: asyncio.Task[Any] | None = None
        self._remote_calls: set[str] = set()
        self._turn_open = False

    # --- what a caller does ---------------------------------------------------

    @property
    def session_id(self) -> str:
        """Return the id of the session and of its ``Conversation``."""
        return self._config.session_id

    @property
    def agent(self) -> AgentSpec:
        """Return who answers now."""
        return self._agent

    @property
    def history(self) -> list[HistoryItem]:
        """Return the messages so far, in the conversation's order."""
        return [*self._page.history.items]

    async def __aenter__(self) -> RealtimeSession:
        """Return the session; leaving ends it."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End the session."""
        await self.close()

    async def __aiter__(self) -> AsyncIterator[SessionEvent]:
        """Yield what happens, until the session ends.

        Raises:
            SessionClosed: After the last event, if the session ended by an error.
        """
        while (event := await self._events.get()) is not None:
            yield event
        self._events.put_nowait(None)  # for whoever else iterates
        end = self._bridge.end
        if end is not None and end.error_code:
            raise SessionClosed(f"the session ended: {end.error_code}")

    async def send_audio(self, audio: bytes, *, commit: bool = False) -> None:
        """Let the model hear audio in the session's format, whole samples.

        Args:
            audio: Where the widget's turns end by a key, it begins a turn.
            commit: Whether that turn ends with it and is answered.
        """
        by_key = self._config.turn_detection.kind == "none"
        if by_key and not self._turn_open:
            self._turn_open = True
            await self.say("turn.start")
        await self._bridge.receive_audio(audio)
        if by_key and commit:
            self._turn_open = False
            await self.say("turn.commit")

    async def send_message(self, text: str, *, respond: bool = True) -> None:
        """Say something in writing, as the visitor."""
        await self.say("message", text=text, respond=respond)

    async def send_user_message_content(self, content: list[dict[str, str]]) -> None:
        """Add a message of parts ``{"type": "input_text", "text": ...}``; it is answered.

        Raises:
            ValueError: For a part of another type.
        """
        if any(part.get("type") != "input_text" for part in content):
            raise ValueError("Only parts of the type input_text can be sent.")
        await self.send_message("\n".join(part["text"] for part in content))

    async def interrupt(self) -> None:
        """Stop the answer; what was passed on so far counts as heard."""
        item_id = self._page.item_id
        played_ms = self._page.played_ms.get(item_id, 0)
        await self.say("interrupt", item_id=item_id, played_ms=played_ms)

    async def approve_tool_call(self, call_id: str, *, always: bool = False) -> None:
        """Let a call run that asked for the visitor's word."""
        await self.say("tool.approval", call_id=call_id, approve=True, always=always)

    async def reject_tool_call(self, call_id: str) -> None:
        """Do not let it run; the model is told."""
        await self.say("tool.approval", call_id=call_id, approve=False)

    def handed_over(self, name: str) -> None:
        """Note that the model has passed the conversation on."""
        if name != self._agent.name:
            self._agent = self._config.agents[name]

    def begun(self, call_id: str, name: str) -> None:
        """Tell of a call that the model's side makes by itself, once."""
        label, dot, _tool = name.partition(".")
        remote = dot and any(server.label == label for server in self._agent.mcp)
        if remote and call_id not in self._remote_calls:
            self._remote_calls.add(call_id)
            self.tell("tool_start", call_id=call_id, name=name)

    def update_agent(self, agent: AgentSpec) -> None:
        """Let another agent go on. Another voice counts only before the first sound."""
        self._agent = agent
        self._bridge.update_agent(agent)

    def update_session(
        self, *, instructions: str | None = None, voice: str | None = None
    ) -> None:
        """Change what the agent is told or its voice; the rest stays."""
        agent = self._agent
        if instructions is not None:
            agent = replace(agent, instructions=instructions)
        if voice is not None:
            agent = replace(agent, voice=voice)
        self.update_agent(agent)

    def add_tool(self, definition: Mapping[str, Any], handler: ToolFunction) -> None:
        """Give the agent a function for this session.

        For a tool of the agent that runs in the page it stands in for the page; then
        the name is enough, and what the row demands holds.

        Args:
            definition: ``name``, ``description`` and ``parameters`` (JSON Schema).
            handler: ``def`` or ``async def`` of the arguments as one dict.

        Raises:
            ValueError: Without a name, or when there is a tool of this name.
        """
        name = str(definition.get("name") or "")
        if not name:
            raise ValueError("A tool needs a name.")
        present = next((t for t in self._agent.tools if t.name == name), None)
        if present is not None and present.runs_on != "browser":
            raise ValueError(f"The tool {name!r} is there already.")
        self._handlers[name] = dict_handler(name, handler)
        spec = ToolSpec(
            name=name,
            description=str(definition.get("description", "")),
            parameters=definition.get("parameters")
            or {"type": "object", "properties": {}},
            checks_arguments=True,
        )
        if present is not None:
            spec = replace(present, runs_on="server")
        others = (tool for tool in self._agent.tools if tool.name != name)
        self.update_agent(replace(self._agent, tools=(*others, spec)))

    def remove_tool(self, name: str) -> None:
        """Take a tool away from the agent, if it has it."""
        kept = tuple(tool for tool in self._agent.tools if tool.name != name)
        self.update_agent(replace(self._agent, tools=kept))

    async def close(self, reason: StopReason = "user") -> None:
        """End the session and have its record written; idempotent."""
        self._bridge.stop(reason)
        if self._task is not None:
            await asyncio.wait([self._task])

    # --- inside ------------------------------------------------------------------

    async def start(self) -> None:
        """Begin; ``open_session`` has done it.

        Raises:
            SessionClosed: If the model does not take the session.
        """
        session_id = self.session_id
        self._task = asyncio.create_task(
            self._run(), name=f"realtime session {session_id}"
        )
        started = asyncio.create_task(
            self._page.started.wait(), name=f"realtime start {session_id}"
        )
        try:
            await asyncio.wait([self._task, started], return_when="FIRST_COMPLETED")
        except asyncio.CancelledError:
            # Nobody gets it any more, so nobody else could end it.
            self._bridge.stop("user")
            raise
        finally:
            started.cancel()
        if self._bridge.end is not None:
            await self._task
            raise SessionClosed(f"the session was not begun: {self._bridge.end}")

    async def _run(self) -> None:
        try:
            ended = await self._bridge.run()
        finally:
            if self._recorder is not None and self._bridge.end is not None:
                self._recorder.stop(self._bridge.end)
                await current_writer().drain()
            await self._behind.aclose()
            self._events.put_nowait(None)
        self._page.end = ended

    async def _connect(self) -> UpstreamPort:
        upstream = await self._dial()
        return Tapped(
            upstream, self.tell, lambda: self._agent.name, raw=self._raw_events
        )

    async def say(self, kind: str, /, **fields: Any) -> None:
        """Give the bridge a message as from a page."""
        await self._bridge.receive_message({"type": kind, **fields})

    def tell(self, kind: str, /, **data: Any) -> None:
        """Queue an event for whoever iterates."""
        self._events.put_nowait(SessionEvent(kind, data))

    def record(self, fact: Fact) -> None:
        """Write a fact down, and tell those that no page is told."""
        if self._recorder is not None:
            self._recorder.record(fact)
        if isinstance(fact, ToolFact):
            self.begun(fact.call_id, fact.name)
            self.tell(
                "tool_end",
                call_id=fact.call_id,
                name=fact.name,
                arguments=fact.arguments,
                output=fact.output,
                status=fact.status,
            )
        elif isinstance(fact, HandoffFact):
            self.handed_over(fact.after)
        elif isinstance(fact, UsageFact):
            self.tell("usage", usage=dict(fact.usage), kind=fact.kind)
