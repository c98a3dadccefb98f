"""Signs of life, and conversations whose process died without closing them.

Every process notes its calls as alive every ``HEARTBEAT_S`` seconds. A conversation
of which nothing was noted for three times as long has lost its process. It is ended
by whoever looks first: a process with calls of its own, the health address, or
``manage.py realtime_reap``. All of these are functions for a thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from realtime_widget.conf import get_conf
from realtime_widget.models import Conversation
from realtime_widget.models.outgoing import AT_THE_END, queue_deliveries
from realtime_widget.recorder.rows import LOST_CODE, Ended

# So many signs of life must be missing.
MISSED_BEATS = 3
# Lost conversations that one look ends.
LOST_AT_ONCE = 100


def beat(conversation_ids: Sequence[UUID]) -> None:
    """Note that these conversations are alive, and open again what was taken for lost.

    A process is taken for lost when it could not reach the database for long, or when
    its clock is wrong.
    """
    now = timezone.now()
    own = Conversation.objects.filter(pk__in=conversation_ids)
    noted = own.filter(status=Conversation.Status.OPEN).update(heartbeat_at=now)
    if noted < len(conversation_ids):
        own.filter(error_code=LOST_CODE).update(
            status=Conversation.Status.OPEN,
            reason="",
            error_code="",
            duration_s=0.0,
            ended_at=None,
            heartbeat_at=now,
        )


def lost_after_s() -> float:
    """Return how long a conversation may be without a sign of life."""
    return MISSED_BEATS * get_conf().HEARTBEAT_S


def end_lost() -> list[Ended]:
    """End conversations whose process died, as of their last sign of life."""
    sign = Coalesce(F("heartbeat_at"), F("started_at"))
    lost = (
        Conversation.objects.filter(status=Conversation.Status.OPEN)
        .annotate(sign_of_life_at=sign)
        .filter(sign_of_life_at__lt=timezone.now() - timedelta(seconds=lost_after_s()))
    )
    ended = []
    for conversation in lost[:LOST_AT_ONCE]:
        seen_at: datetime = conversation.sign_of_life_at
        duration_s = max(0.0, (seen_at - conversation.started_at).total_seconds())
        row = Ended(conversation, "error", LOST_CODE, duration_s, seen_at)
        # Unless somebody has noted or ended it meanwhile.
        unchanged = Conversation.objects.filter(
            status=Conversation.Status.OPEN, heartbeat_at=conversation.heartbeat_at
        )
        with transaction.atomic():
            if row.write(unchanged):
                ended.append(row)
                queue_deliveries([conversation], AT_THE_END)
    return ended


class Watch:
    """When to look: every heartbeat, and not soon after the database was away.

    While it was away no process could note a sign of life; each of them gets the time
    to do so before anybody is taken for lost.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked_s = float("-inf")
        self._away_s = float("-inf")

    def due(self, now_s: float) -> bool:
        """Tell whether to look now; whoever asks does look."""
        with self._lock:
            soon = now_s - self._looked_s < get_conf().HEARTBEAT_S
            if soon or now_s - self._away_s < lost_after_s():
                return False
            self._looked_s = now_s
            return True

    def database_away(self, now_s: float) -> None:
        """Note that the database does not answer."""
        with self._lock:
            self._away_s = now_s


_watch = Watch()


def look_for_lost() -> list[Ended]:
    """Do ``end_lost`` unless this process has looked within the last heartbeat.

    Raises:
        DatabaseError: If the database is away.
    """
    if not _watch.due(time.monotonic()):
        return []
    try:
        return end_lost()
    except DatabaseError:
        _watch.database_away(time.monotonic())
        raise
