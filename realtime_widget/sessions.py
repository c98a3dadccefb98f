"""A session for server code: scripts, tests, other transports.

    async with await open_session("support", user=ann) as session:
        await session.send_message("Where is my order 1042?")
        async for event in session:
            if event.type == "audio":
                phone.play(event.audio)

The widget's own agents, tools, guardrails and model work in it, and it is recorded, as
in a visitor's page. There is no page: its limits on opening (places, tokens, quotas)
do not count here, and tools that run in the page are answered by ``add_tool``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from realtime_widget.configs import Staff, find_widget, session_config, session_staff
from realtime_widget.connectors import Connect, make_connect
from realtime_widget.exceptions import SessionClosed, UnknownTool
from realtime_widget.handlers import (
    SessionGuardrails,
    ToolContext,
    dict_handler,
    run_handler,
)
from realtime_widget.messages import best_language
from realtime_widget.models import Conversation
from realtime_widget.protocol.browser import StopReason
from realtime_widget.recorder import SessionRecorder, current_writer
from realtime_widget.session.bridge import Bridge
from realtime_widget.session.config import AgentSpec, SessionConfig, ToolSpec
from realtime_widget.session.ports import (
    CALL_ID,
    Fact,
    HandoffFact,
    SessionEnd,
    ToolFact,
    UpstreamPort,
    UsageFact,
)
from realtime_widget.sessions_events import (
    EVENT_NAMES,
    History,
    HistoryItem,
    SessionEvent,
    Tapped,
)
from realtime_widget.threads import row_pool

ToolFunction = Callable[[dict[str, Any]], Any]

NO_WIDGET: Final = "There is no enabled widget of this slug on this site."


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a session is made of, read from rows."""

    config: SessionConfig
    people: Staff
    context: ToolContext
    connect: Connect
    conversation: Conversation


async def open_session(
    slug: str,
    *,
    user: Any = None,
    site: Any = None,
    language: str = "",
    variables: Mapping[str, Any] | None = None,
    text_only: bool = False,
    connect: Connect | None = None,
    record: bool = True,
    greeting: bool = True,
    raw_events: bool = False,
) -> RealtimeSession:
    """Return a session of a widget that has started.

    Args:
        slug: Of the widget.
        user: Whom tools act for; nobody when None.
        site: The ``Site``; None for a widget that is on every site.
        language: Language of the talk, "" when unknown.
        variables: What a page would say about itself.
        text_only: Without audio.
        connect: Opens another model's end than the widget's.
        record: Whether the conversation is written down.
        greeting: Whether the agent speaks first, where the widget says so.
        raw_events: Whether the model's own events are told, too.

    Raises:
        LookupError: If there is no such widget.
        SessionClosed: If the model does not take the session.
    """
    given = variables or {}
    parts = await row_pool.run(
        lambda: _read(slug, user or AnonymousUser(), site, language, given)
    )
    if text_only:
        parts = replace(parts, config=replace(parts.config, text_only=True))
    if not greeting:
        parts = replace(parts, config=replace(parts.config, greeting=""))
    if connect is not None:
        parts = replace(parts, connect=connect)
    session = RealtimeSession(parts, record=record, raw_events=raw_events)
    await session._start()
    return session


def _read(
    slug: str, user: Any, site: Any, language: str, variables: Mapping[str, Any]
) -> _Parts:
    widget = find_widget(slug, site)
    if widget is None:
        raise LookupError(NO_WIDGET)
    session_id = uuid4()
    people = session_staff(
        widget, user=user, site=site, language=language, variables=variables
    )
    config = session_config(
        widget,
        user=user,
        site=site,
        language=language,
        text_only=False,
        variables=variables,
        session_id=session_id,
        people=people,
    )
    conversation = Conversation(
        id=session_id,
        widget=widget,
        widget_slug=widget.slug,
        site=site,
        user=user if user.is_authenticated else None,
        language=language,
        provider_name=widget.provider.name if widget.provider else "",
        provider_kind=widget.provider.kind if widget.provider else "local",
        model=config.model,
        agent_name=config.agent.name,
        started_at=timezone.now(),
    )
    context = ToolContext(
        user=user,
        site=site,
        widget=widget.slug,
        conversation_id=str(session_id),
        language=best_language(language),
    )
    return _Parts(config, people, context, make_connect(widget.provider), conversation)


class RealtimeSession:
    """One conversation held by server code. Made by ``open_session``."""

    def __init__(self, parts: _Parts, *, record: bool, raw_events: bool) -> None:
        self._parts = parts
        self._raw_events = raw_events
        self._events: asyncio.Queue[SessionEvent | None] = asyncio.Queue()
        self.handlers = dict(parts.people.handlers)
        self.context = parts.context
        self.bytes_per_ms = parts.config.audio.bytes_per_ms
        self._agent = parts.config.agent
        self._recorder: SessionRecorder | None = None
        if record:
            self._recorder = SessionRecorder(parts.conversation, current_writer())
        self._page = _Page(self)
        self._bridge = Bridge(
            parts.config,
            browser=self._page,
            tools=_Code(self),
            recorder=self,
            connect=self._connect,
            guardrails=SessionGuardrails(parts.people.guards, parts.context),
        )
        self._task: asyncio.Task[Any] | None = None
        self._remote_calls: set[str] = set()
        self._turn_open = False

    # --- what a caller does ---------------------------------------------------

    @property
    def session_id(self) -> str:
        """Return the id of the session and of its ``Conversation``."""
        return self._parts.config.session_id

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
        by_key = self._parts.config.turn_detection.kind == "none"
        if by_key and not self._turn_open:
            self._turn_open = True
            await self._say("turn.start")
        await self._bridge.receive_audio(audio)
        if by_key and commit:
            self._turn_open = False
            await self._say("turn.commit")

    async def send_message(self, text: str, *, respond: bool = True) -> None:
        """Say something in writing, as the visitor."""
        await self._say("message", text=text, respond=respond)

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
        await self._say("interrupt", item_id=item_id, played_ms=played_ms)

    async def approve_tool_call(self, call_id: str, *, always: bool = False) -> None:
        """Let a call run that asked for the visitor's word."""
        await self._say("tool.approval", call_id=call_id, approve=True, always=always)

    async def reject_tool_call(self, call_id: str) -> None:
        """Do not let it run; the model is told."""
        await self._say("tool.approval", call_id=call_id, approve=False)

    def handed_over(self, name: str) -> None:
        """Note that the model has passed the conversation on."""
        if name != self._agent.name:
            self._agent = self._parts.config.agents[name]

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
        self.handlers[name] = dict_handler(name, handler)
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

    async def _start(self) -> None:
        session_id = self.session_id
        self._task = asyncio.create_task(
            self._run(), name=f"realtime session {session_id}"
        )
        started = asyncio.create_task(
            self._page.started.wait(), name=f"realtime start {session_id}"
        )
        await asyncio.wait([self._task, started], return_when="FIRST_COMPLETED")
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
            self._events.put_nowait(None)
        self._page.end = ended

    async def _connect(self) -> UpstreamPort:
        upstream = await self._parts.connect()
        return Tapped(
            upstream, self.tell, lambda: self._agent.name, raw=self._raw_events
        )

    async def _say(self, kind: str, **fields: Any) -> None:
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


class _Page:
    """The page's end of the bridge: messages and audio become events.

    Args:
        session: Whose events they are.
    """

    def __init__(self, session: RealtimeSession) -> None:
        self._session = session
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
        passed_ms = len(audio) // self._session.bytes_per_ms
        self.played_ms[self.item_id] = self.played_ms.get(self.item_id, 0) + passed_ms
        await self._report(done=False)

    async def _report(self, *, done: bool) -> None:
        played_ms = self.played_ms.get(self.item_id, 0)
        if self.item_id:
            await self._session._say(
                "playback", item_id=self.item_id, played_ms=played_ms, done=done
            )


class _Code:
    """Runs the session's tools.

    Args:
        session: Whose tools they are.
    """

    def __init__(self, session: RealtimeSession) -> None:
        self._session = session

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
        handler = self._session.handlers.get(name)
        if handler is None:
            raise UnknownTool("There is no function behind this tool.")
        call_id = CALL_ID.get()
        self._session.tell(
            "tool_start", call_id=call_id, name=name, arguments=dict(arguments)
        )
        context = replace(self._session.context, call_id=call_id)
        return await run_handler(handler, context, arguments)
