"""Writing and ending rows: plain functions for a thread, a transaction each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import (
    InterfaceError,
    OperationalError,
    connections,
    models,
    router,
    transaction,
)

from realtime_widget.models import (
    Conversation,
    ConversationEvent,
    Item,
    Recording,
    ToolCall,
    Usage,
)
from realtime_widget.models.outgoing import AT_THE_END, STARTED, queue_deliveries
from realtime_widget.models.price_book import PriceBook
from realtime_widget.recorder.costs import put_cost
from realtime_widget.recorder.redaction import redact_rows

# Why a conversation ended whose process could not say why.
LOST_CODE = "worker_lost"
# The database is away, as opposed to a row that it will never take.
AWAY = (OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True)
class Started:
    """The model accepted the session."""

    conversation: Conversation
    model: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over."""

    conversation: Conversation
    reason: str
    error_code: str
    duration_s: float
    ended_at: datetime

    def write(self, conversations: models.QuerySet[Conversation]) -> bool:
        """Write the end into the row that these hold, and note it on ours.

        Returns:
            Whether they held it.
        """
        values = {
            "status": Conversation.Status.ENDED,
            "reason": self.reason,
            "error_code": self.error_code,
            "duration_s": self.duration_s,
            "ended_at": self.ended_at,
            "heartbeat_at": self.ended_at,
        }
        for name, value in values.items():
            setattr(self.conversation, name, value)
        return bool(conversations.filter(pk=self.conversation.pk).update(**values))


Row = (
    Conversation
    | Started
    | Item
    | ToolCall
    | ConversationEvent
    | Usage
    | Recording
    | Ended
)


@dataclass(slots=True)
class Written:
    """What a batch did.

    Attributes:
        rows: The rows that stand in the database now, in the order given.
        refused: Rows the database will never take.
    """

    rows: list[Row] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)


def write_rows(rows: Sequence[Row]) -> Written:
    """Write a batch; one bad row does not hold up the others.

    Raises:
        OperationalError: If the database is away; nothing was written.
        InterfaceError: The same, as some drivers say it.
    """
    redact_rows(rows)
    try:
        with transaction.atomic():
            return Written(rows=_write(rows))
    except AWAY:
        raise
    except Exception:
        if len(rows) == 1:
            return Written(refused=list(rows))
    together = Written()
    for row in rows:
        alone = write_rows([row])
        together.rows += alone.rows
        together.refused += alone.refused
    return together


def _write(rows: Sequence[Row]) -> list[Row]:
    """Write rows by kind; the kinds in an order that their keys allow."""
    written: set[int] = set()
    for kind, write in WRITERS.items():
        of_kind = [row for row in rows if isinstance(row, kind)]
        if of_kind:
            written.update(id(row) for row in write(of_kind))
    return [row for row in rows if id(row) in written]


def _open(rows: list[Conversation]) -> list[Conversation]:
    Conversation.objects.bulk_create(rows, ignore_conflicts=True)
    return rows


def _start(rows: list[Started]) -> list[Started]:
    for row in rows:
        Conversation.objects.filter(pk=row.conversation.pk).update(
            model=row.model,
            provider_name=row.conversation.provider_name,
            provider_kind=row.conversation.provider_kind,
        )
    queue_deliveries((row.conversation for row in rows), [STARTED])
    return rows


def _items(rows: list[Item]) -> list[Item]:
    fields = ["position", "role", "source", "text", "status", "heard_ms", "agent"]
    fields += ["language", "generated_text"]
    _put(rows, "item_id", fields)
    return rows


def _calls(rows: list[ToolCall]) -> list[ToolCall]:
    _put(rows, "call_id", ["name", "arguments", "output", "status", "duration_ms"])
    return rows


def _put(rows: list[Any], key: str, fields: list[str]) -> None:
    """Insert rows, or bring those that are there up to date."""
    model: type[models.Model] = type(rows[0])
    connection = connections[router.db_for_write(model)]
    # MySQL takes any unique key for the conflict and none by name.
    named = connection.features.supports_update_conflicts_with_target
    model._default_manager.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["conversation", key] if named else None,
        update_fields=fields,
    )


def _usage(rows: list[Usage]) -> list[Usage]:
    book = PriceBook.load()
    for row in rows:
        put_cost(row, book)
    return Usage.objects.bulk_create(rows)


def _recordings(rows: list[Recording]) -> list[Recording]:
    return Recording.objects.bulk_create(rows)


def _events(rows: list[ConversationEvent]) -> list[ConversationEvent]:
    return ConversationEvent.objects.bulk_create(rows)


def _end(rows: list[Ended]) -> list[Ended]:
    """End what is open; a conversation that another process ended stays as it is."""
    ended = [row for row in rows if _end_one(row)]
    queue_deliveries((row.conversation for row in ended), AT_THE_END)
    return ended


WRITERS: dict[type, Callable[[list[Any]], Sequence[Any]]] = {
    Conversation: _open,
    Started: _start,
    Item: _items,
    ToolCall: _calls,
    ConversationEvent: _events,
    Usage: _usage,
    Recording: _recordings,
    Ended: _end,
}


def _end_one(row: Ended) -> bool:
    """End one conversation; False if it has ended already.

    One that was taken for lost is put right without a word: its own process knows
    best how it ended, and the site was told of an end.
    """
    if row.write(Conversation.objects.filter(status=Conversation.Status.OPEN)):
        return True
    row.write(Conversation.objects.filter(error_code=LOST_CODE))
    return False
