"""Going on with a conversation that was cut off: after a cut, a reload, a new page.

The page keeps a signed token of its session. The process that still has the call gives
it back (``calls``). Every other one reads what was said from the record and gives it to
a new session of the model as text. Each session has a record of its own; the token
names all of them, the newest last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

from django.utils import timezone

from realtime_widget import resume_tokens
from realtime_widget.admission import Binding
from realtime_widget.beginning import Prepared
from realtime_widget.consumers.opening import Admitted
from realtime_widget.models import Conversation, Item
from realtime_widget.resume_tokens import RESUME_S
from realtime_widget.session.config import HistoryItem
from realtime_widget.session.transcript import Role

# What the model is given of a conversation.
MAX_ITEMS: Final = 60
MAX_CHARS: Final = 24_000


def sessions_of(start: Mapping[str, Any], admitted: Admitted) -> tuple[str, ...]:
    """Return the sessions whose conversation the page wants to go on with.

    Args:
        start: The page's ``session.start``.
        admitted: Who asks.

    Returns:
        Their ids, the newest last; nothing for a new conversation, and for a token
        that is not this visitor's.
    """
    return resume_tokens.sessions_of(start.get("resume"), *_bound(admitted))


def resumed(
    prepared: Prepared, admitted: Admitted, sessions: tuple[str, ...]
) -> Prepared:
    """Return a session that goes on where the others ended; asks the database.

    Args:
        prepared: The new session.
        admitted: Whose it is.
        sessions: From ``sessions_of``; nothing for a new conversation.
    """
    said = _said(sessions)
    own = prepared.config.session_id
    chain = [*(sessions if said is not None else ()), own]
    config = replace(
        prepared.config,
        resume=resume_tokens.resume_token(chain, *_bound(admitted)),
        resumed=said is not None,
        history=said or (),
    )
    return replace(prepared, config=config)


def _bound(admitted: Admitted) -> tuple[Binding, Any]:
    """Return who may use the token, and where."""
    visit, user = admitted.visit, str(admitted.user.pk or "")
    binding = Binding(visit.slug, str(visit.origin), user, admitted.session_key)
    return binding, getattr(admitted.site, "pk", None)


def _said(sessions: tuple[str, ...]) -> tuple[HistoryItem, ...] | None:
    """Return what was said last, oldest first; None when it is too late to go on."""
    if not sessions:
        return None
    newest = Conversation.objects.filter(pk=UUID(sessions[-1])).first()
    since = timezone.now() - timedelta(seconds=RESUME_S)
    if newest is None or (newest.ended_at is not None and newest.ended_at < since):
        return None
    rows = (
        Item.objects.filter(conversation_id__in=[UUID(one) for one in sessions])
        .exclude(text="")
        .order_by("-conversation__started_at", "-position", "-pk")
        .values_list("role", "text", "conversation_id", "item_id")[:MAX_ITEMS]
    )
    said: list[HistoryItem] = []
    left = MAX_CHARS
    for role, text, session_id, item_id in rows:
        left -= len(text)
        if left < 0:
            break
        said.append(HistoryItem(cast(Role, role), text, str(session_id), item_id))
    return tuple(reversed(said))
