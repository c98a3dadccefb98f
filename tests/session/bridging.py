"""A bridge between a scripted upstream and a recording page, in virtual time."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from contextlib import asynccontextmanager

from realtime_widget.session.bridge import Bridge
from tests.fakes.browser import HandlerTools, RecordingBrowser, RecordingRecorder
from tests.fakes.clock import settle
from tests.fakes.upstream import ScriptedUpstream
from tests.session.driving import MS, config


class Session:
    """One session with everything around it."""

    def __init__(
        self,
        *,
        handlers=None,
        connect=None,
        guardrails=None,
        outlives_page=False,
        **fields,
    ):
        self.upstream = ScriptedUpstream()
        self.browser = RecordingBrowser()
        self.recorder = RecordingRecorder()
        self.tools = HandlerTools(**(handlers or {}))
        self.loop = asyncio.get_running_loop()
        self.bridge = Bridge(
            config(**fields),
            browser=self.browser,
            tools=self.tools,
            recorder=self.recorder,
            connect=connect or self._connect,
            guardrails=guardrails,
            outlives_page=outlives_page,
            monotonic=self.loop.time,
        )
        self.task = None

    async def _connect(self):
        return self.upstream

    def run(self):
        self.task = asyncio.create_task(self.bridge.run(), name="bridge")

    async def start(self):
        """Bring the session to its start."""
        self.upstream.emit("session.created", session={"type": "realtime", "id": "s1"})
        await self.upstream.expect("session.update")
        self.upstream.emit("session.updated", session={"type": "realtime"})
        await self.browser.wait_for("state", state="listening")

    @property
    def now(self):
        return self.loop.time()

    async def page(self, kind, **fields):
        """Send a message of the page."""
        return await self.bridge.receive_message({"type": kind, **fields})

    def respond(self, response_id="resp_1"):
        self.upstream.emit("response.created", response={"id": response_id})

    def speak(self, ms, item_id="item_1", response_id="resp_1", byte=b"\1"):
        """Emit audio of an answer in deltas of 200 ms."""
        for start in range(0, ms, 200):
            part = min(200, ms - start)
            self.upstream.emit(
                "response.output_audio.delta",
                item_id=item_id,
                response_id=response_id,
                output_index=0,
                content_index=0,
                delta=b64encode(byte * part * MS).decode(),
            )

    def say(self, text, item_id="item_1", response_id="resp_1"):
        """Emit all the words of an answer."""
        self.upstream.emit(
            "response.output_audio_transcript.done",
            item_id=item_id,
            response_id=response_id,
            output_index=0,
            content_index=0,
            transcript=text,
        )

    def end_response(self, response_id="resp_1", item_id="item_1", status="completed"):
        self.upstream.emit(
            "response.output_audio.done",
            item_id=item_id,
            response_id=response_id,
            output_index=0,
            content_index=0,
        )
        self.upstream.emit(
            "response.done", response={"id": response_id, "status": status}
        )

    def call(self, call_id, name, arguments="{}", response_id="resp_1"):
        self.upstream.emit(
            "response.output_item.done",
            output_index=0,
            response_id=response_id,
            item={
                "id": f"item_{call_id}",
                "type": "function_call",
                "status": "completed",
                "call_id": call_id,
                "name": name,
                "arguments": arguments,
            },
        )

    def hear(self):
        """Emit the start of the visitor's speech."""
        self.upstream.emit(
            "input_audio_buffer.speech_started", audio_start_ms=10, item_id="user_1"
        )


@asynccontextmanager
async def session(*, started=True, **fields):
    """Give a running session; at the end nothing of it may be left."""
    talk = Session(**fields)
    talk.run()
    try:
        if started:
            await talk.start()
        yield talk
        talk.bridge.stop("user")
        await talk.task
    finally:
        talk.task.cancel()
    await settle()
    left = [
        t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task()
    ]
    assert not left, f"tasks are left: {left}"
    if talk.browser.messages and talk.browser.reads:
        assert talk.browser.log[-1] == "session.stopped"
    assert len(talk.browser.of("session.stopped")) <= 1
