"""Recording the sound of one call, beside the audio path.

A frame costs one append to a list here; threads mix and write what was collected. A
recording that fails is dropped, and the call knows nothing of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Final

from django.core.files import File

from realtime_widget.models import Conversation, Recording
from realtime_widget.models.recordings import recording_name, recording_storage
from realtime_widget.protocol.audio import AudioFormat
from realtime_widget.recorder.stereo import Begin, Cut, Piece, Sound, StereoFile
from realtime_widget.recorder.writer import RecordWriter
from realtime_widget.session.ports import BrowserPort
from realtime_widget.threads import ThreadPool

logger = logging.getLogger(__name__)

# Collected before a thread takes it: some two seconds of both voices.
CHUNK_BYTES: Final = 256 * 1024
# A disk that is slower than the talk ends the recording, not the talk.
WAITING_BYTES: Final = 4 * 1024 * 1024
ABOUT_AUDIO: Final = '{"type": "audio.'

sound_pool = ThreadPool(2, "realtime-sound")
_saving: set[asyncio.Task[None]] = set()


class CallRecording:
    """Collects both voices of one call.

    Args:
        conversation: Whose sound it is.
        audio: Format of both voices.
        writer: Writes the row, behind the conversation's own.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        conversation: Conversation,
        audio: AudioFormat,
        writer: RecordWriter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conversation = conversation
        self._writer = writer
        self._clock = clock
        self._stereo = StereoFile(audio)
        self._pieces: list[Piece] = []
        self._waiting_bytes = 0
        self._writing: asyncio.Task[None] | None = None
        self.failed = False

    def heard(self, frame: bytes) -> None:
        """Take a frame of the visitor. HOT."""
        self._take(Sound(self._clock(), "visitor", frame))

    def said(self, frame: bytes) -> None:
        """Take a frame of the agent as it is sent to the page. HOT."""
        self._take(Sound(self._clock(), "agent", frame))

    def told(self, text: str) -> None:
        """Take a message to the page, for those that are about audio."""
        if not text.startswith(ABOUT_AUDIO):
            return
        message = json.loads(text)
        if message["type"] == "audio.start":
            self._pieces.append(Begin(message["item_id"]))
        elif message["type"] == "audio.interrupted":
            self._pieces.append(Cut(message["item_id"], message["heard_ms"]))

    def page(self, page: BrowserPort) -> BrowserPort:
        """Return a page's end that is recorded."""
        return _RecordedPage(page, self)

    def end(self) -> None:
        """Store what was recorded, in a task of its own; nobody waits for it."""
        task = asyncio.create_task(self._finish(), name="realtime recording")
        _saving.add(task)
        task.add_done_callback(_saving.discard)

    def _take(self, sound: Sound) -> None:
        if self.failed:
            return
        self._pieces.append(sound)
        self._waiting_bytes += len(sound.frame)
        if self._waiting_bytes < CHUNK_BYTES:
            return
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        elif self._waiting_bytes > WAITING_BYTES:
            self._fail("too slow")

    async def _write(self) -> None:
        pieces, self._pieces = self._pieces, []
        self._waiting_bytes = 0
        now_s = self._clock()
        try:
            await sound_pool.run(lambda: self._stereo.feed(pieces, now_s))
        except Exception as exc:
            self._fail(type(exc).__name__)

    def _fail(self, why: str) -> None:
        self.failed = True
        self._pieces.clear()
        logger.error("Recording of %s dropped: %s", self._conversation.pk, why)

    async def _finish(self) -> None:
        if self._writing is not None:
            await asyncio.wait([self._writing])
        await self._write()
        try:
            row = None if self.failed else await sound_pool.run(self._save)
        except Exception as exc:
            self._fail(type(exc).__name__)
            row = None
        finally:
            self._stereo.close()
        if row is not None:
            self._writer.put(("recording", self._conversation.pk), row)
            self._writer.wake()

    def _save(self) -> Recording | None:
        """Put the file into the storage; None for a call without a sound."""
        duration_s = self._stereo.duration_s
        if not duration_s:
            return None
        name = recording_storage().save(recording_name(), File(self._stereo.finish()))
        return Recording(
            conversation=self._conversation, file_name=name, duration_s=duration_s
        )


class _RecordedPage:
    """A page's end that a recording listens to; a ``BrowserPort``."""

    def __init__(self, page: BrowserPort, recording: CallRecording) -> None:
        self._page = page
        self._recording = recording

    async def send_text(self, text: str) -> None:
        """Send one JSON message.

        Raises:
            SessionClosed: If the page is gone.
        """
        self._recording.told(text)
        await self._page.send_text(text)

    async def send_audio(self, audio: bytes) -> None:
        """Send one frame. HOT.

        Raises:
            SessionClosed: If the page is gone.
        """
        await self._page.send_audio(audio)
        self._recording.said(audio)


async def recordings_saved(within_s: float) -> None:
    """Wait for recordings that are being stored, for a server that stops."""
    if _saving:
        await asyncio.wait(set(_saving), timeout=within_s)
