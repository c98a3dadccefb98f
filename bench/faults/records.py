"""What the site's own records say about the calls of a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.faults.remembering import TELL
from bench.faults.visitor import Visitor


def kept(visitors: Iterable[Visitor]) -> bool:
    """Return whether every word that was told is in the record, once and in order.

    Several of a visitor's ids may be one record: a session that is kept for a visitor
    who returns goes on in its own.
    """
    from realtime_widget.models import Item

    for visitor in visitors:
        said = (
            Item.objects.filter(conversation__in=visitor.sessions, role="user")
            .order_by("conversation__started_at", "position", "pk")
            .values_list("text", flat=True)
        )
        told = [TELL.format(word=word) for word in visitor.told]
        if [text for text in said if text in set(told)] != told:
            return False
    return True


def open_among(sessions: Iterable[str]) -> int:
    """Return how many of these sessions' records are still open."""
    from realtime_widget.models import Conversation

    return _of(sessions, Conversation).exclude(status="ended").count()


def all_there(sessions: list[str]) -> bool:
    """Return whether every session has a record."""
    from realtime_widget.models import Conversation

    return bool(_of(sessions, Conversation).count() == len(set(sessions)))


def _of(sessions: Iterable[str], conversations: Any) -> Any:
    return conversations.objects.filter(pk__in=list(sessions))
