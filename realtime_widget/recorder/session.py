"""What one session hands to the record."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from realtime_widget.models import (
    Conversation,
    ConversationEvent,
    Item,
    ToolCall,
    Usage,
)
from realtime_widget.recorder.rows import Ended, Started
from realtime_widget.recorder.writer import RecordWriter
from realtime_widget.session.ports import (
    ErrorFact,
    Fact,
    GuardrailFact,
    HandoffFact,
    ItemFact,
    SessionEnd,
    StartedFact,
    ToolFact,
    UsageFact,
)

# Positions leave room, because a transcript may come after its answer.
POSITION_STEP = 1_000
ID_CHARS = 100
LANGUAGE_CHARS = 35
# A page that makes one mistake after the other fills no table.
MAX_EVENTS = 200


class SessionRecorder:
    """Records one session; every method returns at once and never raises.

    Args:
        conversation: Not saved yet; it is written with the first batch.
        writer: Of the running loop.
    """

    def __init__(self, conversation: Conversation, writer: RecordWriter) -> None:
        self._conversation = conversation
        self._provider_asked = conversation.provider_name
        self._writer = writer
        self._order: list[str] = []
        self._positions: dict[str, int] = {}
        self._followers: dict[str, str] = {}
        self._first_seen: dict[str, datetime] = {}
        self._usages = 0
        self._events = 0
        self._ended = False
        conversation.heartbeat_at = conversation.started_at
        writer.put(("conversation", conversation.pk), conversation)
        writer.keep_alive(conversation)

    def record(self, fact: Fact) -> None:
        """Queue one fact; a later one of the same item or call replaces it."""
        if self._ended:
            return
        if isinstance(fact, ItemFact):
            self._item(fact)
        elif isinstance(fact, ToolFact):
            self._call(fact)
        elif isinstance(fact, UsageFact):
            self._usage(fact)
        elif isinstance(fact, GuardrailFact | HandoffFact | ErrorFact):
            self._event(fact)
        else:
            self._started(fact)

    def stop(self, end: SessionEnd) -> None:
        """End the conversation's record; only the first call counts."""
        if self._ended:
            return
        self._ended = True
        row = Ended(
            self._conversation,
            end.reason,
            end.error_code,
            round(end.duration_s, 3),
            timezone.now(),
        )
        self._writer.forget(self._conversation)
        self._writer.put(("ended", self._conversation.pk), row)
        self._writer.wake()

    def _started(self, fact: StartedFact) -> None:
        conversation = self._conversation
        # A provider that stands in for the one that was asked has named its own model.
        if conversation.provider_name == self._provider_asked:
            conversation.model = _text(fact.model, ID_CHARS)
        row = Started(conversation, conversation.model)
        self._writer.put(("started", conversation.pk), row)

    def _item(self, fact: ItemFact) -> None:
        item = Item(
            conversation=self._conversation,
            item_id=_text(fact.item_id, ID_CHARS),
            position=self._position(fact),
            role=fact.role,
            source=fact.source,
            text=_text(fact.text),
            status=fact.status,
            heard_ms=fact.heard_ms,
            agent=_text(fact.agent, ID_CHARS),
            language=_text(fact.language, LANGUAGE_CHARS),
            generated_text=_text(fact.generated),
            created_at=self._first_seen.setdefault(fact.item_id, timezone.now()),
        )
        self._writer.put(("item", self._conversation.pk, fact.item_id), item)

    def _position(self, fact: ItemFact) -> int:
        """Return the item's place: behind the item that it follows.

        A spoken question's words often come after the answer has begun; it still
        stands before it.
        """
        if fact.item_id in self._positions:
            return self._positions[fact.item_id]
        index = len(self._order)
        if fact.item_id in self._followers:
            index = self._order.index(self._followers[fact.item_id])
        elif fact.previous_item_id in self._positions:
            index = self._order.index(fact.previous_item_id) + 1
        before = self._positions[self._order[index - 1]] if index else 0
        if index == len(self._order):
            position = before + POSITION_STEP
        else:
            position = (before + self._positions[self._order[index]]) // 2
        self._order.insert(index, fact.item_id)
        self._positions[fact.item_id] = position
        if fact.previous_item_id:
            self._followers.setdefault(fact.previous_item_id, fact.item_id)
        return position

    def _call(self, fact: ToolFact) -> None:
        call = ToolCall(
            conversation=self._conversation,
            call_id=_text(fact.call_id, ID_CHARS),
            name=_text(fact.name, ID_CHARS),
            arguments=_text(fact.arguments),
            output=_text(fact.output),
            status=fact.status,
            duration_ms=max(0, fact.duration_ms),
        )
        self._writer.put(("call", self._conversation.pk, fact.call_id), call)

    def _event(self, fact: GuardrailFact | HandoffFact | ErrorFact) -> None:
        self._events += 1
        if self._events > MAX_EVENTS:
            return
        if isinstance(fact, HandoffFact):
            event = ConversationEvent(
                kind=ConversationEvent.Kind.HANDOFF,
                name=_text(fact.after, ID_CHARS),
                before=_text(fact.before, ID_CHARS),
                item_id=_text(fact.call_id, ID_CHARS),
            )
        elif isinstance(fact, ErrorFact):
            event = ConversationEvent(
                kind=ConversationEvent.Kind.ERROR, name=_text(fact.code, ID_CHARS)
            )
        else:
            event = ConversationEvent(
                kind=ConversationEvent.Kind.GUARDRAIL,
                name=_text(fact.name, ID_CHARS),
                stage=fact.stage,
                item_id=_text(fact.item_id, ID_CHARS),
            )
        event.conversation = self._conversation
        self._writer.put(("event", self._conversation.pk, self._events), event)

    def _usage(self, fact: UsageFact) -> None:
        self._usages += 1
        conversation = self._conversation
        stood_in = conversation.provider_name != self._provider_asked
        answered = fact.kind == "response"
        usage = Usage(
            conversation=conversation,
            kind=fact.kind,
            # One that stands in for the provider that was asked has its own model.
            model=conversation.model
            if stood_in and answered
            else _text(fact.model, ID_CHARS),
            provider_kind=conversation.provider_kind,
            response_id=_text(fact.response_id, ID_CHARS),
            raw=dict(fact.usage),
        )
        self._writer.put(("usage", self._conversation.pk, self._usages), usage)


def _text(text: str, limit_chars: int | None = None) -> str:
    """Return what every database can store: no NUL, no lone surrogate, not longer."""
    clean = text.replace("\0", "").encode("utf-8", "replace").decode()
    return clean[:limit_chars]
