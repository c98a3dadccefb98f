"""The items of one conversation.

Source: Realtime API, conversation items (GA).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from realtime_widget.engine.conversation import errors
from realtime_widget.engine.g711 import pcm16_24k_to_g711
from realtime_widget.protocol.audio import PCM16, AudioFormat

# Of longer conversations the oldest items are forgotten, as with ``truncation: auto``.
MAX_ITEMS: Final = 1000
# What a client may ask back of what was said, over all items: the newest.
MAX_KEPT_AUDIO_BYTES: Final = 30_000 * PCM16.bytes_per_ms


class Sentence(NamedTuple):
    """A sentence of a spoken answer, and where its audio ends in the item."""

    text: str
    end_ms: int


@dataclass(slots=True, eq=False)
class Item:
    """One item, with what is known beyond its public form.

    Attributes:
        body: The public form, without the words of what a user said aloud.
        transcript: Those words; None while they are not known.
        failed: Whether they could not be found out.
        audio: What a user said, as PCM; b"" when it is not kept.
        audio_ms: How long the item's audio lasts, spoken by whomever.
        sentences: A spoken answer, sentence by sentence.
        heard_ms: How much of it was heard when it was truncated.
        done: Whether nothing will be added to it.
    """

    body: dict[str, Any]
    transcript: str | None = ""
    failed: bool = False
    audio: bytes = b""
    audio_ms: int = 0
    sentences: list[Sentence] = field(default_factory=list)
    heard_ms: int | None = None
    done: bool = True

    @property
    def item_id(self) -> str:
        """The item's id."""
        return str(self.body["id"])

    @property
    def waits(self) -> bool:
        """Whether its words are still being found out."""
        return self.transcript is None

    @property
    def wordless(self) -> bool:
        """Whether a user was heard and no word was found in it: a noise, a cough."""
        if self.waits or self.failed or self.transcript or not self.audio_ms:
            return False
        return self.body.get("role") == "user" and len(self.body["content"]) == 1

    def public(self) -> dict[str, Any]:
        """Return the item as events show it."""
        return self.body

    def retrieved(self, wire: AudioFormat) -> dict[str, Any]:
        """Return the item as ``conversation.item.retrieve`` shows it, audio included."""
        body = deepcopy(self.body)
        if self.audio:
            data = self.audio
            if wire.name != "pcm16":
                data = pcm16_24k_to_g711(data, wire.name)
            part = next(p for p in body["content"] if p["type"] == "input_audio")
            part["audio"] = b64encode(data).decode()
        return body

    def context(self) -> dict[str, Any]:
        """Return the item as the dialogue sees it: with the words it knows about."""
        if self.transcript:
            return self._with_transcript("input_audio", self.transcript)
        if self.heard_ms is not None:
            return self._with_transcript("output_audio", self.heard_words())
        return self.body

    def heard_words(self) -> str:
        """Return the words within the first ``heard_ms`` of a spoken answer."""
        heard_ms = self.audio_ms if self.heard_ms is None else self.heard_ms
        start_ms = 0
        words: list[str] = []
        for sentence in self.sentences:
            if sentence.end_ms <= heard_ms:
                words.append(sentence.text)
            elif start_ms < heard_ms:
                part = (heard_ms - start_ms) / (sentence.end_ms - start_ms)
                cut = sentence.text.split()
                words.append(" ".join(cut[: int(len(cut) * part)]))
            start_ms = sentence.end_ms
        return " ".join(words).strip()

    def truncate(self, audio_end_ms: int) -> None:
        """Forget an answer's audio behind a point, and its whole transcript.

        Raises:
            EventRefused: If this is no spoken answer, or a shorter one.
        """
        parts = self.body.get("content") or ()
        spoken = any(part.get("type") == "output_audio" for part in parts)
        if self.body.get("role") != "assistant" or not (spoken or self.sentences):
            raise errors.not_truncatable()
        if audio_end_ms > self.audio_ms:
            raise errors.audio_shorter(self.audio_ms, audio_end_ms)
        self.heard_ms = min(audio_end_ms, self.heard_ms or audio_end_ms)
        self.audio_ms = self.heard_ms
        for part in parts:
            part.pop("transcript", None)

    def _with_transcript(self, kind: str, words: str) -> dict[str, Any]:
        content = [
            {**part, "transcript": words} if part.get("type") == kind else part
            for part in self.body.get("content", ())
        ]
        return {**self.body, "content": content}


class Items:
    """Items in their order."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._by_id: dict[str, Item] = {}

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._by_id

    def find(self, item_id: str) -> Item | None:
        """Return an item, None when there is none of this id."""
        return self._by_id.get(item_id)

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Place an item and return the id of the one before it.

        Args:
            item: A new item.
            after: Id of the item it follows, ``root`` for the first place, None or ""
                for the last one.

        Raises:
            EventRefused: If its id is taken or there is no such item to follow.
        """
        if item.item_id in self._by_id:
            raise errors.item_exists(item.item_id)
        if not after:
            place = len(self._items)
        elif after == "root":
            place = 0
        elif after in self._by_id:
            place = self._items.index(self._by_id[after]) + 1
        else:
            raise errors.no_previous_item(after)
        self._items.insert(place, item)
        self._by_id[item.item_id] = item
        previous = self._items[place - 1].item_id if place else None
        if len(self._items) > MAX_ITEMS:
            self.remove(self._items[0])
        return previous

    def remove(self, item: Item) -> None:
        """Take an item out."""
        self._items.remove(item)
        del self._by_id[item.item_id]

    def bound_audio(self) -> None:
        """Forget the oldest audio beyond what is kept for retrieval."""
        left = MAX_KEPT_AUDIO_BYTES
        for item in reversed(self._items):
            left -= len(item.audio)
            if left < 0:
                item.audio = b""
