"""A model that goes as a scenario says, and one session of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from realtime_widget.engine.conversation.core import SessionOptions
from realtime_widget.engine.driver import EngineSession, id_factory
from realtime_widget.engine.models import Model
from realtime_widget.engine.ports import (
    Dialogue,
    DialogueEvent,
    DialogueRequest,
    FunctionCall,
    Parts,
    Stt,
    TextDelta,
)
from realtime_widget.engine.rest.messages import RestAnswer
from realtime_widget.engine.scenario.script import (
    CallTool,
    ConnectionScript,
    Say,
    Scenario,
    Turn,
    Wait,
)
from realtime_widget.engine.scenario.wire import (
    RESPONSE_CREATED,
    Action,
    Delay,
    End,
    Stall,
    Wire,
)
from realtime_widget.exceptions import RealtimeWidgetError
from realtime_widget.protocol import events

_STARTED: Final = "input_audio_buffer.speech_started"
_COMMITTED: Final = "input_audio_buffer.committed"
_NO_TURN: Final = Turn()


class ScriptedFailure(RealtimeWidgetError):
    """The scenario lets an answer fail."""


class Progress:
    """How far a connection has come in its script.

    Args:
        script: The script.
    """

    def __init__(self, script: ConnectionScript) -> None:
        self._script = script
        self._answers = 0
        self._heard_before = 0
        self._speaks = False

    def follow(self, kind: str) -> None:
        """Take the type of the next event that the session sends."""
        if kind == RESPONSE_CREATED:
            self._answers += 1
        elif kind == _STARTED or (kind == _COMMITTED and not self._speaks):
            self._heard_before = self._answers
        self._speaks = kind == _STARTED or (self._speaks and kind != _COMMITTED)

    @property
    def turn(self) -> Turn:
        """The turn of the newest answer."""
        return self._at(self._answers - 1)

    @property
    def spoken_turn(self) -> Turn:
        """The turn that the newest speech belongs to: that of the answer after it."""
        return self._at(self._heard_before)

    def _at(self, index: int) -> Turn:
        turns = self._script.turns
        return turns[index] if 0 <= index < len(turns) else _NO_TURN


class ScenarioDialogue:
    """Takes the steps of the turn; without any, asks the model.

    Args:
        progress: Which turn it is.
        model: The model's own dialogue.
    """

    def __init__(self, progress: Progress, model: Dialogue) -> None:
        self._progress = progress
        self._model = model

    async def reply(self, request: DialogueRequest) -> AsyncIterator[DialogueEvent]:
        """Yield the answer."""
        steps = self._progress.turn.steps
        if steps is None:
            async for event in self._model.reply(request):
                yield event
            return
        for step in steps:
            if isinstance(step, Say):
                yield TextDelta(step.text)
            elif isinstance(step, Wait):
                await asyncio.sleep(step.wait_ms / 1000)
            elif isinstance(step, CallTool):
                yield FunctionCall(step.name, step.arguments)
            else:
                raise ScriptedFailure("the scenario lets this answer fail")


class ScenarioStt:
    """Hears what the turn says; without that, asks the model.

    Args:
        progress: Which turn it is.
        model: The model's own recogniser.
    """

    def __init__(self, progress: Progress, model: Stt) -> None:
        self._progress = progress
        self._model = model

    def transcribe(self, pcm: bytes, *, language: str = "", prompt: str = "") -> str:
        """Return the words."""
        hears = self._progress.spoken_turn.hears
        if hears is not None:
            return hears
        return self._model.transcribe(pcm, language=language, prompt=prompt)


class ScenarioSession(EngineSession):
    """A session whose events meet faults on their way out.

    Args:
        parts: The model's parts.
        options: What the session is given at its start.
        script: What happens on its connection.
    """

    def __init__(
        self, parts: Parts, options: SessionOptions, script: ConnectionScript
    ) -> None:
        self._progress = Progress(script)
        self._wire = Wire(script, id_factory())
        self._actions: deque[Action] = deque()
        self._due_s: float | None = None
        stt = parts.stt and ScenarioStt(self._progress, parts.stt)
        dialogue = ScenarioDialogue(self._progress, parts.dialogue)
        super().__init__(replace(parts, stt=stt, dialogue=dialogue), options)

    def _queue(self, sent: list[bytes]) -> None:
        for event in sent:
            self._progress.follow(str(events.decode(event).get("type")))
        super()._queue(sent)

    async def next_event(self) -> bytes:
        """Return the next event that the script lets through; cancelling loses none.

        Raises:
            UpstreamClosed: When the session has ended or the script ends it.
        """
        while True:
            while not self._actions:
                self._actions.extend(self._wire.feed(await super().next_event()))
            action = self._actions[0]
            if isinstance(action, bytes):
                self._actions.popleft()
                return action
            if isinstance(action, End):
                self.end_now(action.code, action.reason)
                raise self._closed()
            if isinstance(action, Stall):
                await self._ended()
                raise self._closed()
            await self._pass(action)
            self._actions.popleft()

    async def _pass(self, delay: Delay) -> None:
        """Wait; a wait that was cancelled goes on where it was."""
        now_s = self._loop.time()
        if self._due_s is None:
            self._due_s = now_s + delay.delay_ms / 1000
        await asyncio.sleep(max(0.0, self._due_s - now_s))
        self._due_s = None

    async def _ended(self) -> None:
        while self._end is None:
            self._readable.clear()
            await self._readable.wait()


class ScenarioModel(Model):
    """A model whose clients meet a scenario, one after the other.

    Args:
        model: What answers where the scenario says nothing.
        scenario: What happens.
    """

    def __init__(self, model: Model, scenario: Scenario) -> None:
        super().__init__(model.name, lambda _told: model.load())
        self._scenario = scenario
        self._met = 0

    async def meet(self) -> RestAnswer | None:
        """Refuse a client, or let it in, when the script says so."""
        handshake = self._scenario.connection(self._met).handshake
        refused = handshake.status is not None
        if refused:
            self._met += 1
        await asyncio.sleep(handshake.delay_ms / 1000)
        if handshake.status is None:
            return None
        status = HTTPStatus(handshake.status)
        error = {"message": status.phrase, "type": "server_error", "code": None}
        return RestAnswer(status, {"error": error})

    def open(self, options: SessionOptions) -> EngineSession:
        """Begin the session of the next connection."""
        script = self._scenario.connection(self._met)
        self._met += 1
        return ScenarioSession(self.parts, options, script)
