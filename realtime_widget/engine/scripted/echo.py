"""The dialogue of the model ``echo``: it says back what it was told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from realtime_widget.engine.dialogue.messages import item_text
from realtime_widget.engine.ports import (
    AudioDelta,
    DialogueEvent,
    DialogueRequest,
    TextDelta,
)
from realtime_widget.protocol.audio import PCM16

# Mean absolute sample that a quiet room stays below at the gain of usual microphones.
ROOM_NOISE: Final = 300
_PIECE_BYTES: Final = 1_000 * PCM16.bytes_per_ms


class EchoDialogue:
    """Gives back the last item: its own sound if it was spoken, else its text."""

    async def reply(self, request: DialogueRequest) -> AsyncIterator[DialogueEvent]:
        """Yield the last item."""
        last = request.items[-1] if request.items else {}
        text = str(last.get("output") or "") or item_text(last)
        if not request.heard:
            yield TextDelta(text)
            return
        for at in range(0, len(request.heard), _PIECE_BYTES):
            yield AudioDelta(request.heard[at : at + _PIECE_BYTES], text)
            text = ""
