"""Runs one session of the engine: the state machine, its clock and its work.

Recognition and synthesis block, so they run in two threads that all sessions of a
process share. Everything else happens on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.conversation.core import Conversation, SessionOptions
from realtime_widget.engine.conversation.item_rules import decode_audio
from realtime_widget.engine.conversation.work import (
    Close,
    Drop,
    Reply,
    Speak,
    Transcribe,
    Work,
)
from realtime_widget.engine.ports import AudioDelta, FunctionCall, Parts
from realtime_widget.exceptions import EventRefused, ProtocolError, UpstreamClosed
from realtime_widget.protocol import events
from realtime_widget.protocol.audio import MAX_APPEND_BYTES

logger = logging.getLogger(__name__)

# Longer events are looked into for audio, which is then taken a second at a time:
# detection of speech runs on the event loop, some 5 ms for a second.
LONG_EVENT_BYTES: Final = 128 * 1024
SLICE_BYTES: Final = 48_000
# Events that wait for a client before answers wait too: 8 s of audio and its base64.
OUTGOING_LIMIT_BYTES: Final = 512 * 1024
# A client that has so much unread is gone.
OUTGOING_MAX_BYTES: Final = 64 * 1024 * 1024
_NORMAL: Final = 1000
_OVERRUN: Final = 1008
_FAILED: Final = 1011

_workers: Final = ThreadPoolExecutor(2, thread_name_prefix="realtime-engine")


class EngineSession:
    """One client's session; made and used on a running event loop.

    Args:
        parts: What hears, thinks and speaks.
        options: What the session is given at its start.
    """

    def __init__(self, parts: Parts, options: SessionOptions | None = None) -> None:
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._talk = Conversation(
            make_vad=parts.vad if parts.hears else None,
            speaks=parts.speaks,
            spoken=parts.spoken,
            options=options or SessionOptions(),
            new_id=id_factory(),
            now_s=self._loop.time(),
            now_unix_s=time.time(),
        )
        self.session_id = str(self._talk.session.public["id"])
        self._outgoing: deque[bytes] = deque()
        self._outgoing_bytes = 0
        self._readable = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._timer: asyncio.TimerHandle | None = None
        # Key of the work -> its tasks, kept so that none is collected while it runs.
        self._tasks: dict[str, set[asyncio.Task[None]]] = {}
        self._dropped: set[str] = set()
        self._end: tuple[int, str] | None = None
        self._drains: tuple[int, str] | None = None
        # Shown each event as soon as there is one, long before a client reads it.
        self.watch: Callable[[bytes], None] | None = None
        self._step()

    # --- the client's side ---------------------------------------------------

    def receive(self, event: bytes) -> None:
        """Take one client event; mistakes are answered with ``error`` events.

        Raises:
            UpstreamClosed: If the session has ended.
        """
        if self._end is not None:
            raise self._closed()
        try:
            self._take(event)
        except Exception:
            # The detector of speech may be the site's own code.
            logger.exception("Engine session %s failed.", self.session_id)
            self._talk.refuse(errors.engine_failed())
            self._talk.close(_FAILED, "internal error")
        self._step()

    def _take(self, event: bytes) -> None:
        now_s = self._loop.time()
        audio = events.scan_append(event)
        if audio is not None and len(audio) <= MAX_APPEND_BYTES:
            self._talk.append(audio, now_s)
            return
        try:
            parsed = events.decode_strictly(event)
        except ProtocolError:
            self._talk.refuse(errors.not_json())
            return
        self._talk.receive(parsed, now_s)

    async def receive_fairly(self, event: bytes) -> None:
        """Take one client event, long audio in slices: other sessions go on between.

        Raises:
            UpstreamClosed: If the session has ended.
        """
        audio = _long_audio(event) if len(event) > LONG_EVENT_BYTES else None
        if audio is None:
            self.receive(event)
            return
        for at in range(0, len(audio), SLICE_BYTES):
            self.receive(events.append_audio(audio[at : at + SLICE_BYTES]))
            await asyncio.sleep(0)

    def refuse(self, error: EventRefused, event_id: Any = None) -> None:
        """Answer a message that the session is not to see.

        Args:
            error: What was wrong.
            event_id: The client's id of it.

        Raises:
            UpstreamClosed: If the session has ended.
        """
        if self._end is not None:
            raise self._closed()
        self._talk.refuse(error, event_id)
        self._step()

    def refuse_binary(self) -> None:
        """Answer a frame that is no text.

        Raises:
            UpstreamClosed: If the session has ended.
        """
        self.refuse(errors.not_text())

    async def next_event(self) -> bytes:
        """Return the next server event; cancelling this loses none.

        Raises:
            UpstreamClosed: When the session has ended and all events were read.
        """
        while not self._outgoing:
            if self._end is not None:
                raise self._closed()
            self._readable.clear()
            await self._readable.wait()
        event = self._outgoing.popleft()
        self._outgoing_bytes -= len(event)
        if self._outgoing_bytes < OUTGOING_LIMIT_BYTES:
            self._room.set()
        return event

    def refuse_and_end(self, error: EventRefused, code: int, reason: str) -> None:
        """Tell the client what was wrong, and end the session."""
        self._talk.refuse(error)
        self._step()
        self._finish(code, reason)

    def drain(self, code: int, reason: str) -> None:
        """End the session as soon as nobody speaks and nothing is being made."""
        self._drains = (code, reason)
        self._step()

    def end_now(self, code: int, reason: str) -> None:
        """End the session, whatever is going on; idempotent."""
        self._finish(code, reason)

    async def room(self) -> None:
        """Wait until the client has read most of what it was sent."""
        await self._room.wait()

    @property
    def end(self) -> tuple[int, str]:
        """Close code and reason of a session that has ended."""
        return self._end or (_NORMAL, "")

    async def close(self) -> None:
        """End the session and its work; idempotent. A thread may finish its sentence."""
        self._finish(_NORMAL, "")
        tasks = [task for tasks in self._tasks.values() for task in tasks]
        await asyncio.gather(*tasks, return_exceptions=True)

    def _closed(self) -> UpstreamClosed:
        code, _reason = self.end
        return UpstreamClosed("the engine's session has ended", close_code=code)

    # --- steps ---------------------------------------------------------------

    def _step(self) -> None:
        """Send what the state machine wants sent, do what it wants done."""
        if self._drains is not None and not self._talk.busy:
            self._talk.close(*self._drains)
            self._drains = None
        outbox = self._talk.outbox
        if not outbox.events and not outbox.work:
            return
        sent, work = self._talk.take()
        if sent and self._end is None:
            self._queue(sent)
        for one in work:
            self._do(one)
        self._set_timer()

    def _queue(self, sent: list[bytes]) -> None:
        """Keep events until the client reads them."""
        if self.watch is not None:
            for event in sent:
                self.watch(event)
        self._outgoing.extend(sent)
        self._outgoing_bytes += sum(map(len, sent))
        self._readable.set()
        if self._outgoing_bytes >= OUTGOING_LIMIT_BYTES:
            self._room.clear()
        if self._outgoing_bytes >= OUTGOING_MAX_BYTES:
            self._finish(_OVERRUN, "events are not read")

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._end is None:
            self._timer = self._loop.call_at(self._talk.wake_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._talk.tick(self._loop.time())
        self._step()
        if self._timer is None:
            self._set_timer()

    def _finish(self, code: int, reason: str) -> None:
        if self._end is None:
            self._end = (code, reason)
        self._room.set()
        self._readable.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for tasks in self._tasks.values():
            for task in tasks:
                task.cancel()

    # --- work ----------------------------------------------------------------

    def _do(self, work: Work) -> None:
        if isinstance(work, Close):
            self._finish(work.code, work.reason)
        elif self._end is not None:
            return
        elif isinstance(work, Drop):
            self._drop(work.key)
        elif isinstance(work, Transcribe):
            self._start(work.work_id, "recognise", self._transcribe(work))
        elif isinstance(work, Reply):
            self._start(work.response_id, "reply", self._reply(work))
        else:
            self._start(work.response_id, "speak", self._speak(work))

    def _start(self, key: str, what: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=f"realtime-engine-{what}-{key}")
        tasks = self._tasks.setdefault(key, set())
        tasks.add(task)

        def forget(_task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            if not tasks:
                self._tasks.pop(key, None)

        task.add_done_callback(forget)

    def _drop(self, key: str) -> None:
        if key.startswith("work"):
            # A recognition ends by itself, at once if no thread has begun it, so that
            # the state machine always hears how it ended.
            if key in self._tasks:
                self._dropped.add(key)
            return
        for task in self._tasks.get(key, ()):
            task.cancel()

    async def _transcribe(self, work: Transcribe) -> None:
        words: str | None = None
        try:
            words = await self._loop.run_in_executor(
                _workers, self._transcribe_now, work
            )
        except Exception:
            logger.exception("Engine session %s: recognition failed.", self.session_id)
        self._dropped.discard(work.work_id)
        self._talk.recognised(work.work_id, words, self._loop.time())
        self._step()

    def _transcribe_now(self, work: Transcribe) -> str:
        """Find out the words; called in a thread."""
        if work.work_id in self._dropped or self._parts.stt is None:
            return ""
        return self._parts.stt.transcribe(
            work.pcm, language=work.language, prompt=work.prompt
        )

    async def _reply(self, work: Reply) -> None:
        answer = self._parts.dialogue.reply(work.request)
        try:
            async for event in answer:
                await self._room.wait()
                now_s = self._loop.time()
                if isinstance(event, FunctionCall):
                    self._talk.called(
                        work.response_id, event.name, event.arguments, now_s
                    )
                elif isinstance(event, AudioDelta):
                    self._talk.sounded(work.response_id, event.pcm, event.text, now_s)
                else:
                    self._talk.said(work.response_id, event.text, now_s)
                self._step()
        except Exception:
            logger.exception("Engine session %s: no answer was made.", self.session_id)
            self._talk.reply_failed(work.response_id, self._loop.time())
        else:
            self._talk.replied(work.response_id, self._loop.time())
        finally:
            close = getattr(answer, "aclose", None)
            if close is not None:
                await close()
        self._step()

    async def _speak(self, work: Speak) -> None:
        if self._parts.tts is None:
            return
        try:
            if work.pcm is not None:
                audio = iter((work.pcm,))
            else:
                audio = self._parts.tts.speak(
                    work.text, voice=work.voice, speed=work.speed
                )
            while True:
                await self._room.wait()
                pcm = await self._loop.run_in_executor(_workers, next, audio, None)
                if pcm is None:
                    break
                self._talk.spoken(work.response_id, pcm, self._loop.time())
                self._step()
        except Exception:
            logger.exception("Engine session %s: synthesis failed.", self.session_id)
            self._talk.work_failed(work.response_id, self._loop.time())
        else:
            self._talk.sentence_done(work.response_id, self._loop.time())
        self._step()


def _long_audio(event: bytes) -> bytes | None:
    """Return the audio of an append, None for any other event and for a wrong one."""
    audio = events.scan_append(event)
    if audio is None:
        try:
            parsed = events.decode(event)
            if parsed.get("type") != events.APPEND:
                return None
            audio = decode_audio(parsed.get("audio"), "audio")
        except ProtocolError:
            return None
    return audio if len(audio) <= MAX_APPEND_BYTES else None


def id_factory() -> Callable[[str], str]:
    """Return a function that makes ids: unguessable once a session, then counted.

    They are at most 32 characters of letters, digits and ``_``.
    """
    session = secrets.token_hex(8)
    count = 0

    def new_id(prefix: str) -> str:
        nonlocal count
        count += 1
        return f"{prefix}_{session}{count:06x}"

    return new_id
