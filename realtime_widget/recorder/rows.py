"""Writing and ending rows: plain functions for a thread, a transaction each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import (
    InterfaceError,
    OperationalError,
    connections,
    models,
    router,
    transaction,
)
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from realtime_widget.models import Conversation, Item, ToolCall, Usage

# An open conversation without a sign of life for so long lost its process.
LOST_AFTER = timedelta(seconds=60)
LOST_CODE = "worker_lost"
# Lost conversations that one look closes.
LOST_AT_ONCE = 100
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


Row = Conversation | Started | Item | ToolCall | Usage | Ended


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
        Conversation.objects.filter(pk=row.conversation.pk).update(model=row.model)
    return rows


def _items(rows: list[Item]) -> list[Item]:
    fields = ["position", "role", "source", "text", "status", "heard_ms", "agent"]
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
    return Usage.objects.bulk_create(rows)


def _end(rows: list[Ended]) -> list[Ended]:
    """End what is open; a conversation that another process ended stays as it is."""
    return [row for row in rows if end_conversation(row)]


WRITERS: dict[type, Callable[[list[Any]], Sequence[Any]]] = {
    Conversation: _open,
    Started: _start,
    Item: _items,
    ToolCall: _calls,
    Usage: _usage,
    Ended: _end,
}


def end_conversation(row: Ended) -> bool:
    """End one conversation; False if it has ended already."""
    changed = Conversation.objects.filter(
        pk=row.conversation.pk, status=Conversation.Status.OPEN
    ).update(
        status=Conversation.Status.ENDED,
        reason=row.reason,
        error_code=row.error_code,
        duration_s=row.duration_s,
        ended_at=row.ended_at,
        heartbeat_at=row.ended_at,
    )
    row.conversation.status = Conversation.Status.ENDED
    row.conversation.reason = row.reason
    row.conversation.error_code = row.error_code
    row.conversation.duration_s = row.duration_s
    row.conversation.ended_at = row.ended_at
    return bool(changed)


def beat(conversation_ids: Sequence[UUID]) -> None:
    """Note that these conversations are alive."""
    Conversation.objects.filter(
        pk__in=conversation_ids, status=Conversation.Status.OPEN
    ).update(heartbeat_at=timezone.now())


def end_lost() -> list[Ended]:
    """End conversations whose process died, as of their last sign of life."""
    sign = Coalesce(F("heartbeat_at"), F("started_at"))
    lost = (
        Conversation.objects.filter(status=Conversation.Status.OPEN)
        .annotate(sign_of_life_at=sign)
        .filter(sign_of_life_at__lt=timezone.now() - LOST_AFTER)
    )
    ended = []
    for conversation in lost[:LOST_AT_ONCE]:
        seen_at: datetime = conversation.sign_of_life_at
        duration_s = (seen_at - conversation.started_at).total_seconds()
        row = Ended(conversation, "error", LOST_CODE, max(0.0, duration_s), seen_at)
        if end_conversation(row):
            ended.append(row)
    return ended
