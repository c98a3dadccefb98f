"""Going on with a conversation that was cut off: after a cut, a reload, a new page.

The page keeps a signed token of its session, good for the same visitor, widget, site
and origin alone. Whatever process it comes back to reads what was said from the record
and gives it to a new session of the model as text. Each session has a record of its
own; the token names all of them, the newest last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

from django.core.signing import BadSignature, TimestampSigner
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from realtime_widget.admission import Binding
from realtime_widget.beginning import Prepared
from realtime_widget.conf import get_conf
from realtime_widget.consumers.opening import Admitted
from realtime_widget.models import Conversation, Item
from realtime_widget.session.config import HistoryItem
from realtime_widget.session.transcript import Role

SALT: Final = "realtime_widget.resume"
# A conversation that ended longer ago is not gone on with.
RESUME_S: Final = 120.0
# Sessions one conversation may be made of, and what the model is given of them.
MAX_SESSIONS: Final = 20
MAX_ITEMS: Final = 60
MAX_CHARS: Final = 24_000
MAX_TOKEN_CHARS: Final = 2_000


def sessions_of(start: Mapping[str, Any], admitted: Admitted) -> tuple[str, ...]:
    """Return the sessions whose conversation the page wants to go on with.

    Args:
        start: The page's ``session.start``.
        admitted: Who asks.

    Returns:
        Their ids, the newest last; nothing without a token, or with one that is
        forged, too old, or somebody else's.
    """
    token = start.get("resume")
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_CHARS:
        return ()
    max_age_s = get_conf().HARD_MAX_SESSION_S + RESUME_S
    try:
        claims = TimestampSigner(salt=SALT).unsign_object(token, max_age=max_age_s)
    except (BadSignature, ValueError):
        return ()
    if not constant_time_compare(claims["b"], _digest(admitted)):
        return ()
    return tuple(claims["c"])


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
    chain = [*(sessions if said is not None else ()), own][-MAX_SESSIONS:]
    claims = {"b": _digest(admitted), "c": chain}
    config = replace(
        prepared.config,
        resume=TimestampSigner(salt=SALT).sign_object(claims),
        resumed=said is not None,
        history=said or (),
    )
    return replace(prepared, config=config)


def _digest(admitted: Admitted) -> str:
    """Return who may use the token; the site is bound with the widget's address."""
    visit, site = admitted.visit, getattr(admitted.site, "pk", None)
    user = str(admitted.user.pk or "")
    binding = Binding(visit.slug, str(visit.origin), user, admitted.session_key)
    return f"{site}:{binding.digest()}"


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
        .values_list("role", "text")[:MAX_ITEMS]
    )
    said: list[HistoryItem] = []
    left = MAX_CHARS
    for role, text in rows:
        left -= len(text)
        if left < 0:
            break
        said.append(HistoryItem(cast(Role, role), text))
    return tuple(reversed(said))
