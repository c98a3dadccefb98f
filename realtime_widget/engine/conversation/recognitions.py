"""From what users said to its words: which recognition belongs to which item."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from realtime_widget.engine.conversation import errors, usage
from realtime_widget.engine.conversation.items import Item, Items
from realtime_widget.engine.conversation.listening import Listening, Recognition
from realtime_widget.engine.conversation.session_object import SessionObject
from realtime_widget.engine.conversation.work import Outbox
from realtime_widget.engine.ports import Heard

_EVENT: Final = "conversation.item.input_audio_transcription"
# Words with the blank before them, as tokenisers cut; together they are the whole text.
_TOKENS: Final = re.compile(r"\s*\S+|\s+")


class Recognitions:
    """Finds out words and tells the client those it asked for.

    Args:
        session: The session's configuration.
        listening: The listening side, None when the engine cannot hear.
        items: The conversation.
        outbox: Where events go.
    """

    def __init__(
        self,
        session: SessionObject,
        listening: Listening | None,
        items: Items,
        outbox: Outbox,
    ) -> None:
        self._session = session
        self._listening = listening
        self._items = items
        self._outbox = outbox
        # Work -> its item, and whether the client is told the words.
        self._running: dict[str, tuple[Item, bool]] = {}

    @property
    def busy(self) -> bool:
        """Whether words are being found out."""
        return bool(self._running)

    def begin(self, items: Iterable[Item], *, told: bool = False) -> None:
        """Begin to find out the words of items that came as audio only.

        Args:
            items: Some items, of which others may need nothing.
            told: Whether the client is told; it is for what came by the buffer.

        Raises:
            EventRefused: If the engine cannot hear.
        """
        begun = [item for item, _told in self._running.values()]
        for item in items:
            if not item.waits or item in begun:
                continue
            if self._listening is None:
                raise errors.voice_unavailable()
            recognition = self._listening.recognise(item.audio)
            self._running[recognition.work_id] = (item, told)
        self._items.bound_audio()

    def follow(self, item: Item, begun: Recognition | None) -> None:
        """Find out the words of a turn, or use what was begun before its end."""
        if begun is None:
            self.begin((item,), told=True)
        elif begun.done:
            self._known(item, begun.words, told=True)
        else:
            self._running[begun.work_id] = (item, True)

    def ended(self, work_id: str, words: str | None) -> None:
        """Take the end of a recognition; None when it failed."""
        if self._listening is not None:
            self._listening.recognised(work_id, words)
        item, told = self._running.pop(work_id, (None, False))
        if item is not None:
            self._known(item, words, told=told)

    def _known(self, item: Item, words: str | None, *, told: bool) -> None:
        item.transcript = str(words or "")
        item.failed = words is None
        if not told or not self._session.transcribes:
            return
        if item.item_id not in self._items:
            return  # deleted in the meantime
        where = {"item_id": item.item_id, "content_index": 0}
        if words is None:
            error = {
                "type": "transcription_error",
                "code": "audio_unintelligible",
                "message": "The audio could not be transcribed.",
            }
            self._outbox.send(f"{_EVENT}.failed", **where, error=error)
            return
        item.body["content"][0]["transcript"] = item.transcript
        model = str(self._session.transcription.get("model") or "")
        sure = self._logprobs(words)
        if words:
            self._outbox.send(f"{_EVENT}.delta", **where, delta=words, **sure)
        self._outbox.send(
            f"{_EVENT}.completed",
            **where,
            transcript=words,
            usage=usage.transcription_usage(model, words, item.audio_ms),
            **sure,
        )

    def _logprobs(self, words: str) -> dict[str, Any]:
        """Return how sure the words are, if the client and the recogniser say so."""
        if not self._session.wants_logprobs or not isinstance(words, Heard):
            return {}
        return {
            "logprobs": [
                {
                    "token": token,
                    "bytes": list(token.encode(errors="replace")),
                    "logprob": words.logprob,
                }
                for token in _TOKENS.findall(words)
            ]
        }
