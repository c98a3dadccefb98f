"""The listening side of a session: buffer, turns, and recognition ahead of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.conversation.input_audio import InputAudio
from realtime_widget.engine.conversation.session_object import SessionObject
from realtime_widget.engine.conversation.turns import Detection, Turn, TurnDetector
from realtime_widget.engine.conversation.work import Drop, Outbox, Transcribe
from realtime_widget.engine.ports import VAD_FRAME_MS, Vad

_MIN_COMMIT_MS: Final = 100
# Held before a turn beyond its prefix: the frames that a start takes to be noticed.
_NOTICE_MS: Final = 8 * VAD_FRAME_MS


@dataclass(slots=True)
class Recognition:
    """Words being found out.

    Attributes:
        work_id: Its id.
        done: Whether it has ended.
        words: What it found, None while it runs or when it failed.
    """

    work_id: str
    done: bool = False
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """One turn of the user, as audio.

    Attributes:
        item_id: The id that was announced for its item.
        pcm: 16-bit little-endian mono PCM at 24 kHz.
        recognition: Begun while its end was still being judged, None if not.
    """

    item_id: str
    pcm: bytes = field(repr=False)
    recognition: Recognition | None = None


class Listening:
    """Follows what is appended.

    Args:
        session: The session's configuration.
        make_vad: Makes a detector of speech.
        outbox: Where events and work go.
    """

    def __init__(
        self, session: SessionObject, make_vad: Callable[[], Vad], outbox: Outbox
    ) -> None:
        self._session = session
        self._make_vad = make_vad
        self._outbox = outbox
        self._audio = InputAudio()
        self._detection: Detection | None = None
        self._detector: TurnDetector | None = None
        self._vad: Vad | None = None
        self._item_id = ""
        self._start_ms = 0
        self._ahead: Recognition | None = None
        # Dropped or not: while one runs, no other begins, so that a hesitant speaker
        # does not fill the workers with guesses.
        self._running: Recognition | None = None
        # The pause that goes on, None in speech and between turns.
        self._pause: Turn | None = None
        self.configure()

    @property
    def speaking(self) -> bool:
        """Whether a turn of the user goes on."""
        return self._detector is not None and self._detector.speaking

    @property
    def written_ms(self) -> int:
        """Audio that was ever appended."""
        return self._audio.written_ms

    def configure(self) -> None:
        """Follow the session's configuration.

        Raises:
            EventRefused: If its format needs a package that is missing.
        """
        try:
            self._audio.set_format(self._session.input_format)
        except ImportError:
            raise errors.invalid_because(
                "session.audio.input.format", "G.711 needs the engine's speech parts"
            ) from None
        detection = self._session.detection
        if detection != self._detection:
            self._detection = detection
            self._listen_anew()

    def append(self, data: bytes) -> list[Turn]:
        """Take audio in the session's format; return what became known."""
        pcm = self._audio.append(data)
        if self._vad is None or self._detector is None or self._detection is None:
            return []
        turns = self._detector.feed(self._vad.feed(pcm))
        if not turns and not self._detector.speaking:
            self._audio.keep(self._detection.prefix_padding_ms + _NOTICE_MS)
        return turns

    def started(self, turn: Turn) -> None:
        """Begin a turn: its item gets its id now."""
        self._item_id = self._outbox.new_id("item")
        self._start_ms = turn.at_ms
        self._outbox.send(
            "input_audio_buffer.speech_started",
            audio_start_ms=turn.at_ms,
            item_id=self._item_id,
        )

    def paused(self, turn: Turn) -> None:
        """Begin to find out the words: the turn may be over."""
        self._pause = turn
        if self._running is None:
            pcm = self._audio.copy(self._start_ms, turn.at_ms)
            self._ahead = self._running = self.recognise(pcm)

    def resumed(self) -> None:
        """Forget those words: the turn goes on."""
        self._pause = None
        if self._ahead is not None:
            self._outbox.ask(Drop(self._ahead.work_id))
            self._ahead = None

    def stopped(self, turn: Turn) -> Utterance:
        """End a turn and return it."""
        self._outbox.send(
            "input_audio_buffer.speech_stopped",
            audio_end_ms=turn.at_ms,
            item_id=self._item_id,
        )
        pcm = self._audio.copy(self._start_ms, turn.at_ms)
        self._audio.keep(self._audio.written_ms - turn.at_ms)
        return self._utterance(pcm)

    def commit(self) -> Utterance:
        """Return all that is held as a turn, as the client wishes.

        Raises:
            EventRefused: If that is less than 100 ms.
        """
        self._audio.flush()
        if self._audio.held_ms < _MIN_COMMIT_MS:
            raise errors.buffer_too_small(self._audio.held_ms)
        self.resumed()
        if not self.speaking:
            self._item_id = self._outbox.new_id("item")
        utterance = self._utterance(self._audio.take_all())
        self._listen_anew()
        return utterance

    def clear(self) -> None:
        """Forget what is held and the turn that goes on."""
        self.resumed()
        self._audio.clear()
        self._listen_anew()

    def recognise(self, pcm: bytes) -> Recognition:
        """Ask for the words of some audio."""
        recognition = Recognition(self._outbox.new_id("work"))
        language, prompt = self._session.language, self._session.speech_prompt()
        self._outbox.ask(Transcribe(recognition.work_id, pcm, language, prompt))
        return recognition

    def recognised(self, work_id: str, words: str | None) -> None:
        """Take the result of a recognition that was begun ahead of time."""
        running = self._running
        if running is not None and running.work_id == work_id:
            running.done, running.words = True, words
            self._running = None
            if self._pause is not None and self._ahead is None:
                self.paused(self._pause)

    def _utterance(self, pcm: bytes) -> Utterance:
        self._pause = None
        ahead, self._ahead = self._ahead, None
        return Utterance(self._item_id, pcm, ahead)

    def _listen_anew(self) -> None:
        self.resumed()
        if self._detection is None:
            self._vad = self._detector = None
        else:
            self._vad = self._make_vad()
            self._detector = TurnDetector(self._detection, self._audio.written_ms)
