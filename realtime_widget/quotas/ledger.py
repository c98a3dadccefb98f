"""Quotas: taking from them, and giving back what was not used; functions for a thread.

Counts are rows of the site's database, so they survive restarts, hold in every process
and need no cache. One conditional UPDATE takes a slice: the database lets it pass only
while the limit allows it, whoever else takes at the same moment. A session takes its
first slices before the model is dialled, more while it talks, and gives back at its
end what it did not use. A process that dies costs its visitors one slice at most.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db.models import F, QuerySet
from django.utils.crypto import salted_hmac

from realtime_widget.conf import get_conf
from realtime_widget.exceptions import QuotaUsedUp
from realtime_widget.messages import quota_words
from realtime_widget.models import Quota, QuotaCount
from realtime_widget.models.days import site_today
from realtime_widget.models.quotas import MILLION
from realtime_widget.protocol.browser import CloseCode

ADDRESS_SALT: Final = "realtime_widget.quota.address"
# Takes of a rest that somebody else was faster to take from.
TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks for a session, and where.

    Attributes:
        user: The signed-in user or nobody.
        address: From ``client_address``, "" for server code, which has none.
        widget_id: Of the widget's row.
        site_id: Of the site, None where there is none.
        provider_id: Of the provider's row, None for the embedded engine without one.
        language: The visitor's.
        resumed: Whether this goes on with a conversation that counted already.
    """

    user: Any
    address: str
    widget_id: int
    site_id: int | None
    provider_id: int | None
    language: str = ""
    resumed: bool = False


@dataclass(slots=True)
class Claim:
    """What a session holds of one quota.

    Attributes:
        words: What the visitor is told when it is used up.
        taken: In millionths of the unit.
        dry: Whether there was nothing left at the last try.
    """

    quota_id: int
    unit: str
    subject: str
    period_start: date
    limit: int
    words: str
    taken: int = 0
    dry: bool = False


@dataclass(slots=True)
class Reservation:
    """What a session holds of all quotas that concern it.

    Attributes:
        complete: Whether all was taken that is to be taken at first.
        settled: Whether the session is over, or gave up waiting; nothing is taken then.
    """

    claims: list[Claim] = field(default_factory=list)
    complete: bool = False
    settled: bool = False
    # A thread may still take for a session that ends just now.
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)


def check(subject: Subject) -> None:
    """Take nothing, but tell whether something is left of every quota.

    Raises:
        QuotaUsedUp: If not.
    """
    for claim in _claims(subject):
        used = _rows(claim).values_list("used_millionths", flat=True).first() or 0
        if used + _least(claim) > claim.limit:
            raise _used_up(claim)


def reserve(subject: Subject, reservation: Reservation) -> None:
    """Take the first slice of every quota.

    Args:
        subject: Who asks.
        reservation: Empty, or as a try left it that the database failed: this goes on
            there. Settle it whatever becomes of it; also in another thread and at any
            time, when nobody waits for this any more.

    Raises:
        QuotaUsedUp: If one of them is used up; what was taken of others is still held.
    """
    taken = {claim.quota_id for claim in reservation.claims}
    for claim in _claims(subject):
        if claim.quota_id in taken:
            continue
        QuotaCount.objects.get_or_create(**_place(claim))
        with reservation.lock:
            if reservation.settled:
                return
            if not _take(claim, _slice(claim.unit)):
                raise _used_up(claim)
            reservation.claims.append(claim)
    reservation.complete = True


def top_up(reservation: Reservation, spent: Mapping[str, int]) -> None:
    """Take more slices where what was taken runs out; marks claims that got none.

    Args:
        reservation: Of a running session.
        spent: Unit -> millionths used so far.
    """
    with reservation.lock:
        if reservation.settled:
            return
        for claim in reservation.claims:
            size = _slice(claim.unit)
            missing = spent.get(claim.unit, 0) + size // 2 - claim.taken
            if missing > 0 and claim.unit != Quota.Unit.SESSIONS:
                claim.dry = not _take(claim, max(size, missing))


def settle(
    reservation: Reservation, spent: Mapping[str, int], *, began: bool = True
) -> None:
    """Give back what was not used, or take what was used beyond.

    Each claim is settled once: what the database failed at is done by the next call.

    Args:
        reservation: Of a session that is over. It holds nothing behind this.
        spent: Unit -> millionths used.
        began: Whether the model took the session; one that it refused does not count.
    """
    with reservation.lock:
        reservation.settled = True
        while reservation.claims:
            claim = reservation.claims[-1]
            used = spent.get(claim.unit, 0)
            if claim.unit == Quota.Unit.SESSIONS:
                used = claim.taken if began else 0
            more = used - claim.taken
            if more:
                _rows(claim).update(used_millionths=F("used_millionths") + more)
            reservation.claims.pop()


def _claims(subject: Subject) -> list[Claim]:
    """Return what concerns a subject, in an order that is always the same."""
    today = site_today()
    rows = list(Quota.objects.filter(enabled=True).order_by("pk"))
    groups: set[int] = set()
    if subject.user.is_authenticated and any(row.group_id for row in rows):
        groups = set(subject.user.groups.values_list("pk", flat=True))
    claims = []
    for row in rows:
        key = _key(row, subject, groups)
        counted = subject.resumed and row.unit == Quota.Unit.SESSIONS
        if not key or counted:
            continue
        words = quota_words(
            row.message, row.next_start(today), today, language=subject.language
        )
        start = row.period_start(today)
        claims.append(Claim(row.pk, row.unit, key, start, row.limit_millionths, words))
    return claims


def _key(quota: Quota, subject: Subject, groups: set[int]) -> str:
    """Return under what a subject counts, "" when the quota is not about it."""
    places = (
        (quota.widget_id, subject.widget_id),
        (quota.site_id, subject.site_id),
        (quota.provider_id, subject.provider_id),
    )
    if any(wanted is not None and wanted != here for wanted, here in places):
        return ""
    if quota.group_id is not None and quota.group_id not in groups:
        return ""
    user_id = subject.user.pk if subject.user.is_authenticated else None
    if quota.user_id is not None and quota.user_id != user_id:
        return ""
    if quota.scope == Quota.Scope.ADDRESS:
        if not subject.address:
            return ""
        mac = salted_hmac(ADDRESS_SALT, subject.address, algorithm="sha256")
        return mac.hexdigest()[:32]
    found = {
        Quota.Scope.USER: user_id,
        Quota.Scope.GROUP: quota.group_id,
        Quota.Scope.WIDGET: subject.widget_id,
        Quota.Scope.SITE: subject.site_id,
        Quota.Scope.PROVIDER: subject.provider_id,
    }[Quota.Scope(quota.scope)]
    return "" if found is None else str(found)


def _slice(unit: str) -> int:
    """Return how much is taken at once, in millionths."""
    conf = get_conf()
    sizes = {
        Quota.Unit.SECONDS: conf.QUOTA_SLICE_S,
        Quota.Unit.SESSIONS: 1,
        Quota.Unit.TOKENS: conf.QUOTA_SLICE_TOKENS,
        Quota.Unit.USD: conf.QUOTA_SLICE_USD,
    }
    return max(1, int(sizes[Quota.Unit(unit)] * MILLION))


def _least(claim: Claim) -> int:
    """Return the least with which a session may begin."""
    return MILLION if claim.unit == Quota.Unit.SESSIONS else 1


def _place(claim: Claim) -> dict[str, Any]:
    return {
        "quota_id": claim.quota_id,
        "subject": claim.subject,
        "period_start": claim.period_start,
    }


def _rows(claim: Claim) -> QuerySet[QuotaCount]:
    return QuotaCount.objects.filter(**_place(claim))


def _take(claim: Claim, size: int) -> bool:
    """Take a slice, or the rest where less is left; False when nothing is.

    The condition is part of the UPDATE: the database checks it on the row as it then
    is, under the row's lock.
    """
    rows = _rows(claim)
    whole = rows.filter(used_millionths__lte=claim.limit - size)
    if whole.update(used_millionths=F("used_millionths") + size):
        claim.taken += size
        return True
    if claim.unit == Quota.Unit.SESSIONS:
        return False
    for _ in range(TRIES):
        used = rows.values_list("used_millionths", flat=True).first()
        rest = claim.limit - (used or 0)
        if used is None or rest <= 0:
            return False
        if rows.filter(used_millionths=used).update(used_millionths=claim.limit):
            claim.taken += rest
            return True
    return False


def _used_up(claim: Claim) -> QuotaUsedUp:
    return QuotaUsedUp(
        f"quota {claim.quota_id} is used up",
        close_code=CloseCode.LIMIT,
        words=claim.words,
    )
