"""Push-to-talk: the visitor's turn is what is heard while a key is held.

Nothing detects the end of a turn then; the key does. What is shorter than the model's
side takes is dropped instead of being refused there.

Source: Realtime API, ``turn_detection`` null, ``input_audio_buffer.commit`` and
``input_audio_buffer.clear``, error ``input_audio_buffer_commit_empty`` (under 100 ms).
"""

from __future__ import annotations

from typing import Final

from realtime_widget.protocol.audio import AudioFormat
from realtime_widget.session.effects import Effects

# Less than this is refused by the model's side, and is no word either.
SHORTEST_TURN_MS: Final = 100


class TalkKey:
    """One key, up or down.

    Args:
        effects: Where events are collected.
        audio: Format of what the microphone sends.

    Attributes:
        held: Whether the visitor's turn runs.
    """

    def __init__(self, effects: Effects, audio: AudioFormat) -> None:
        self._effects = effects
        self._audio = audio
        self._heard_bytes = 0
        self._committed = 0
        self.held = False

    def press(self) -> None:
        """Begin a turn."""
        self.held = True
        self._heard_bytes = 0

    def heard(self, size_bytes: int) -> None:
        """Count audio of this turn that was sent to the model's side."""
        self._heard_bytes += size_bytes

    def release(self) -> bool:
        """End the turn.

        Returns:
            False when it was too short: then it is dropped.
        """
        if self._audio.duration_ms(self._heard_bytes) < SHORTEST_TURN_MS:
            self.drop()
            return False
        self.held = False
        self._committed += 1
        self._effects.upstream(
            {
                "type": "input_audio_buffer.commit",
                "event_id": f"commit_{self._committed}",
            }
        )
        return True

    def drop(self) -> None:
        """Forget the turn."""
        self.held = False
        self._effects.upstream({"type": "input_audio_buffer.clear"})
