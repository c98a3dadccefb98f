"""Testing a site's agent in plain pytest: no network, no key, no voice.

    @pytest.mark.django_db(transaction=True)
    async def test_an_order_is_looked_up(ann, order):
        model = [Call("order_status", order_number="1042"), Say("It is on its way.")]
        async with await scripted_session("support", model, user=ann) as talk:
            turn = await talk.ask("Where is my order 1042?")
        assert turn.tools["order_status"].output["status"] == "shipped"
        assert turn.text == "It is on its way."

The model's answers are written down, everything else is real: the widget's rows, its
tools with their permissions, its guardrails, its handoffs, its record.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from realtime_widget.engine.loopback import LoopbackConnection
from realtime_widget.engine.models import all_models
from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.scenario.reading import read_scenario
from realtime_widget.engine.scenario.session import ScenarioModel
from realtime_widget.session.ports import UpstreamPort
from realtime_widget.sessions import RealtimeSession, SessionEvent, open_session

__all__ = ["Call", "Say", "ToolRun", "Turn", "ScriptedSession", "scripted_session"]

ANSWER_S: Final = 10.0


class Say:
    """An answer of the model: some words.

    Args:
        text: What it says.
    """

    def __init__(self, text: str) -> None:
        self.step = {"say": text}


class Call:
    """An answer of the model: a call of a tool.

    Args:
        tool: Its name.
        **arguments: What the tool is given.
    """

    def __init__(self, tool: str, /, **arguments: Any) -> None:
        self.step = {"call": {"name": tool, "arguments": arguments}}


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One call as it went.

    Attributes:
        arguments: As the model gave them.
        output: What the model was told.
        status: As in the record: completed, failed, rejected ...
    """

    arguments: dict[str, Any]
    output: Any
    status: str


@dataclass(slots=True)
class Turn:
    """What followed something that was said.

    Attributes:
        text: The agent's words, one answer a line.
        tools: Name -> the last call of it.
        events: All events, in order.
    """

    text: str = ""
    tools: dict[str, ToolRun] = field(default_factory=dict)
    events: list[SessionEvent] = field(default_factory=list)

    def of(self, kind: str) -> list[SessionEvent]:
        """Return the events of one type."""
        return [event for event in self.events if event.type == kind]


class ScriptedSession:
    """A conversation with a model whose answers are written down.

    Args:
        session: The session itself, for everything that is not asking.
    """

    def __init__(self, session: RealtimeSession) -> None:
        self.session = session
        self._events = session.__aiter__()

    async def __aenter__(self) -> ScriptedSession:
        """Return the session; leaving ends it."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End the session."""
        await self.session.close()

    async def ask(self, text: str) -> Turn:
        """Say something, and return what followed until the agent listens again.

        Raises:
            TimeoutError: If the agent does not come to an end within 10 s.
        """
        await self.session.send_message(text)
        return await self.wait()

    async def wait(self) -> Turn:
        """Return what follows until the agent listens again, or asks the visitor.

        Raises:
            TimeoutError: If neither happens within 10 s.
        """
        turn = Turn()
        async with asyncio.timeout(ANSWER_S):
            async for event in self._events:
                turn.events.append(event)
                if event.type == "tool_end":
                    arguments = json.loads(event.arguments or "{}")
                    output = json.loads(event.output) if event.output else None
                    turn.tools[event.name] = ToolRun(arguments, output, event.status)
                if event.type == "state" and event.state == "listening":
                    break
        said = [
            event.item.text
            for event in turn.of("conversation.item.completed")
            if event.item.role == "assistant"
        ]
        turn.text = "\n".join(said)
        return turn


async def scripted_session(
    slug: str, answers: Sequence[Say | Call | Sequence[Say | Call]], **options: Any
) -> ScriptedSession:
    """Return a session of a widget whose model says what is written down.

    Args:
        slug: Of the widget.
        answers: One for each time the model answers, also after a tool; a list for
            an answer of several parts. After the last one the model quotes what it
            was told.
        **options: As for ``open_session``; it is in writing unless ``text_only`` says
            otherwise, and counts under no quota unless ``counted`` does.
    """
    turns = [
        {
            "steps": [
                step.step for step in ([one] if isinstance(one, Say | Call) else one)
            ]
        }
        for one in answers
    ]
    base = all_models(EngineOptions(), "scripted").default
    model = ScenarioModel(base, read_scenario({"connections": [{"turns": turns}]}))

    async def connect() -> UpstreamPort:
        return LoopbackConnection(model)

    options.setdefault("text_only", True)
    options.setdefault("greeting", False)
    options.setdefault("counted", False)
    session = await open_session(slug, connect=connect, **options)
    talk = ScriptedSession(session)
    await talk.wait()
    return talk
