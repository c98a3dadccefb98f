"""The items that the model's side has, in their order: what a handoff may leave out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from realtime_widget.session import fields
from realtime_widget.session.ports import HandoffItem, ItemKind
from realtime_widget.session.transcript import Transcript

# Of longer talks the oldest are forgotten, so a filter does not see them.
MAX_ITEMS: Final = 1_000
# Words that came with an item are kept so far; those that were said, by the transcript.
MAX_TEXT_CHARS: Final = 500
KINDS: Final = ("message", "function_call", "function_call_output")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of one item.

    Attributes:
        line_id: Where its words are in the transcript.
        text: Its words as they came with it, "" when they come later.
    """

    item_id: str
    kind: ItemKind
    role: str
    name: str
    call_id: str
    line_id: str
    text: str


class ItemLog:
    """The items of one session."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._order: list[str] = []

    def note(
        self, item: Mapping[str, Any], previous_item_id: str, line_id: str
    ) -> None:
        """Take an item as the model's side has it now.

        Args:
            item: As in ``conversation.item.added``; its id is a checked one.
            previous_item_id: The item before it, "" to append.
            line_id: What the transcript calls it.
        """
        item_id = fields.text(item, "id")
        kind = fields.optional_text(item, "type")
        entry = _Entry(
            item_id=item_id,
            kind=cast(ItemKind, kind if kind in KINDS else "other"),
            role=fields.optional_text(item, "role"),
            name=fields.optional_text(item, "name")[: fields.MAX_ID_CHARS],
            call_id=fields.optional_text(item, "call_id"),
            line_id=line_id,
            text=_text(item),
        )
        if item_id not in self._entries:
            self._place(item_id, previous_item_id)
        self._entries[item_id] = entry
        if len(self._order) > MAX_ITEMS:
            self.drop([self._order[0]])

    def clear(self) -> None:
        """Forget everything: the model's side begins anew."""
        self._entries.clear()
        self._order.clear()

    def drop(self, item_ids: Collection[str]) -> None:
        """Forget items that the model's side has no more."""
        for item_id in item_ids:
            self._entries.pop(item_id, None)
        self._order = [item_id for item_id in self._order if item_id in self._entries]

    def shown(self, transcript: Transcript, call_id: str) -> tuple[HandoffItem, ...]:
        """Return the items with the words that are known now.

        Args:
            transcript: Has the words.
            call_id: The call that hands over: it stays, whatever a filter says.
        """
        return tuple(
            HandoffItem(
                item_id=entry.item_id,
                kind=entry.kind,
                role=entry.role,
                text=transcript.words_of(entry.line_id) or entry.text,
                name=entry.name,
                call_id=entry.call_id,
            )
            for entry in map(self._entries.__getitem__, self._order)
            if not call_id or entry.call_id != call_id
        )

    def _place(self, item_id: str, previous_item_id: str) -> None:
        if previous_item_id in self._entries:
            at = self._order.index(previous_item_id) + 1
            self._order.insert(at, item_id)
        else:
            self._order.append(item_id)


def left_out(items: Collection[HandoffItem], kept: Collection[str]) -> list[str]:
    """Return what a filter leaves out; a call goes with its answer, never alone.

    Args:
        items: What it was given.
        kept: Ids of what it returned.
    """
    gone_calls = {
        item.call_id for item in items if item.call_id and item.item_id not in kept
    }
    return [
        item.item_id
        for item in items
        if item.item_id not in kept or item.call_id in gone_calls
    ]


def _text(item: Mapping[str, Any]) -> str:
    """Return the words that an item came with."""
    content = item.get("content")
    parts = content if isinstance(content, list) else []
    words = [
        fields.optional_text(part, "text") or fields.optional_text(part, "transcript")
        for part in parts
        if isinstance(part, Mapping)
    ]
    if item.get("type") == "function_call_output":
        words.append(fields.optional_text(item, "output"))
    return " ".join(filter(None, words))[:MAX_TEXT_CHARS]
