"""A connection to a server that spells its events otherwise: the bridge speaks GA.

Source: names and shapes as in ``protocol.dialects``; which dialect a server speaks is
seen in its first event.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from realtime_widget.exceptions import ProtocolError
from realtime_widget.protocol import events
from realtime_widget.protocol.dialects import beta_events, ga
from realtime_widget.upstream.ports import Connection
from realtime_widget.upstream.providers import Dialect

_APPEND: Final = b'{"type":"input_audio_buffer.append"'
_ITEM_CREATED: Final = "conversation.item.created"


class BetaConnection:
    """Speaks GA with the bridge and the beta with a server.

    Args:
        connection: The open connection.
        dialect: ``beta``, or ``auto`` to look at the server's first event: one that
            speaks GA is then left alone.
    """

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._beta: bool | None = True if dialect == "beta" else None
        self._ready: deque[bytes] = deque()
        self._spoken = SpokenWords()

    async def send(self, event: bytes) -> None:
        """Send one client event. HOT for audio, which both dialects spell alike.

        Raises:
            UpstreamError: When the connection is over.
        """
        if self._beta and not event.startswith(_APPEND):
            event = events.encode(beta_events.client_to_beta(events.decode(event)))
        await self._connection.send(event)

    async def receive(self) -> bytes:
        """Return the next server event; cancelling this loses none. HOT for audio.

        Raises:
            UpstreamError: When the connection is over.
        """
        if self._ready:
            return self._ready.popleft()
        event = await self._connection.receive()
        if self._beta is False:
            return event
        audio = beta_events.audio_to_ga(event)
        if audio is not None:
            return audio
        self._ready.extend(self._translated(event))
        return self._ready.popleft()

    async def close(self) -> None:
        """End the connection; idempotent, never raises."""
        await self._connection.close()

    def _translated(self, event: bytes) -> list[bytes]:
        try:
            told = events.decode(event)
        except ProtocolError:
            return [event]  # the bridge counts it
        if self._beta is None:
            session = told.get("session")
            if isinstance(session, dict):
                self._beta = ga.detect(session) == "beta"
        if not self._beta:
            return [event]
        self._spoken.complete(told)
        return [events.encode(one) for one in _to_ga(told)]


class SpokenWords:
    """The words of spoken answers, which the preview tells piece by piece alone."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}

    def complete(self, told: dict[str, Any]) -> None:
        """Put all words into an ``audio_transcript.done`` that comes without them."""
        kind, item_id = told.get("type"), str(told.get("item_id"))
        if kind == "response.audio_transcript.delta":
            words = self._words.get(item_id, "")
            self._words[item_id] = words + str(told.get("delta", ""))
        elif kind == "response.audio_transcript.done":
            words = self._words.pop(item_id, "")
            told.setdefault("transcript", words)
        elif kind == "response.done":
            self._words.clear()  # of answers that were cut off


def _to_ga(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Return GA's events for one of the beta's.

    An item is announced once in the beta, and is complete then or with its
    ``response.output_item.done``.
    """
    event = beta_events.server_to_ga(told)
    item = event.get("item")
    complete = isinstance(item, dict) and item.get("status") != "in_progress"
    kind = told.get("type")
    if complete and kind in (_ITEM_CREATED, "response.output_item.done"):
        done = {"type": "conversation.item.done", "item": item}
        previous = {"previous_item_id": event.get("previous_item_id")}
        return [event, {**done, **previous} if kind == _ITEM_CREATED else done]
    return [event]
