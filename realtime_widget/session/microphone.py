"""Ways of the visitor's audio that are not the straight one.

Where the model's side finds the turns itself, audio goes straight to its connection.
Here two things matter besides: how much of a turn was sent, and that no frame overtakes
the ``commit`` or ``clear`` of the turn before, which wait in the writer's queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from realtime_widget.protocol.events import append_audio
from realtime_widget.session.ports import AudioPort
from realtime_widget.session.waiting import WaitingEvents

if TYPE_CHECKING:
    from realtime_widget.session.core import SessionCore

# Base64 and envelope make so much of a byte of audio, at the shortest frames.
_PER_AUDIO_BYTE: Final = 1.5
_ENVELOPE_BYTES: Final = len(append_audio(b""))


class HeldMicrophone:
    """An ``AudioPort`` that counts, and keeps the order with other events.

    Args:
        upstream: The model's end.
        waiting: The writer's queue of events that are not sent yet.
        heard: Called with the size of each frame's audio in bytes.
    """

    def __init__(
        self,
        upstream: AudioPort,
        waiting: WaitingEvents,
        heard: Callable[[int], None],
    ) -> None:
        self._upstream = upstream
        self._waiting = waiting
        self._heard = heard

    async def send(self, event: bytes) -> None:
        """Send one ``input_audio_buffer.append``."""
        # Base64 makes four bytes of three; its padding is less than a sample's time.
        self._heard((len(event) - _ENVELOPE_BYTES) * 3 // 4)
        if self._waiting:
            self._waiting.put_audio(event)
        else:
            await self._upstream.send(event)


class KeptMicrophone:
    """An ``AudioPort`` that keeps what is said while there is no model's side.

    Once there is one, the audio goes there in its order, behind everything that waits.

    Args:
        waiting: The writer's queue of events that are not sent yet.
        max_audio_bytes: More is not kept: the oldest is forgotten.
    """

    def __init__(self, waiting: WaitingEvents, max_audio_bytes: float) -> None:
        self._waiting = waiting
        self._upstream: AudioPort | None = None
        self._kept: deque[bytes] = deque()
        self._left_bytes = int(max_audio_bytes * _PER_AUDIO_BYTE)

    @property
    def keeps(self) -> bool:
        """Return whether there is nobody to send to."""
        return self._upstream is None

    async def send(self, event: bytes) -> None:
        """Send or keep one ``input_audio_buffer.append``."""
        if self._upstream is None:
            self._kept.append(event)
            self._left_bytes -= len(event)
            while self._left_bytes < 0:
                self._left_bytes += len(self._kept.popleft())
        elif self._waiting:
            self._waiting.put_audio(event)
        else:
            await self._upstream.send(event)

    def keep(self) -> None:
        """Keep what comes from now on."""
        self._upstream = None

    def release(self, upstream: AudioPort) -> None:
        """Send what was kept, and what comes from now on."""
        self._upstream = upstream
        while self._kept:
            event = self._kept.popleft()
            self._left_bytes += len(event)
            self._waiting.put_audio(event)


class Microphones:
    """The ways of one session, and which of them the visitor's audio takes now.

    Args:
        core: Says what is listened for.
        waiting: The writer's queue of events that are not sent yet.
    """

    def __init__(self, core: SessionCore, waiting: WaitingEvents) -> None:
        self._core = core
        self._waiting = waiting
        self._upstream: AudioPort | None = None
        self._held: HeldMicrophone | None = None
        self._kept: KeptMicrophone | None = None

    def join(self, upstream: AudioPort) -> None:
        """Take the model's end that there is from now on."""
        self._upstream = upstream
        self._held = HeldMicrophone(upstream, self._waiting, self._core.talk_key.heard)

    def leave(self) -> None:
        """Note that there is none."""
        self._upstream = None

    def settle(self) -> bool:
        """Keep what is said while the model's side is replaced, then let it go.

        Returns:
            Whether something waits for the writer now.
        """
        kept = self._kept
        if self._core.renewal.under_way:
            if kept is None:
                config = self._core.config
                most = config.limits.reconnect_s * 1000 * config.audio.bytes_per_ms
                self._kept = KeptMicrophone(self._waiting, most)
            elif not kept.keeps:
                kept.keep()
        elif kept is not None and kept.keeps and self._upstream is not None:
            kept.release(self._upstream)
            return True
        return False

    @property
    def way(self) -> AudioPort | None:
        """Return where the visitor's audio goes; None where nobody listens."""
        listens = self._core.listens
        if listens == "always":
            return self._kept or self._upstream
        return self._held if listens == "held" else None
