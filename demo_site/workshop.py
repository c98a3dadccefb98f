"""What the workshop can promise: prices, free times, bookings."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from demo_site.models import Appointment, OpeningHours

SLOT_MINUTES: Final = 30
DAYS_AHEAD: Final = 60


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of the price list."""

    service: Appointment.Service
    price_eur: Decimal
    words: str


OFFERS: Final = (
    Offer(
        Appointment.Service.TUNE_UP,
        Decimal(69),
        "Gears, brakes, bearings and bolts: everything set right and test-ridden.",
    ),
    Offer(
        Appointment.Service.BRAKE_SERVICE,
        Decimal(35),
        "Fresh pads, clean discs or rims, new cables where the old ones rub.",
    ),
    Offer(
        Appointment.Service.PUNCTURE_REPAIR,
        Decimal(15),
        "While you wait, with a look at what caused it.",
    ),
    Offer(
        Appointment.Service.WHEEL_TRUING,
        Decimal(25),
        "Round, straight and evenly tensioned again.",
    ),
)


class NotBookable(Exception):
    """A time that cannot be had; its text tells the customer why."""


def hours_of(day: datetime.date) -> OpeningHours | None:
    """Return the opening hours of a day, None when the shop is closed."""
    return OpeningHours.objects.filter(
        weekday=day.weekday(), opens__isnull=False
    ).first()


def book(
    customer: Any, day: datetime.date, time: datetime.time, service: str
) -> Appointment:
    """Take a place in the workshop.

    Raises:
        NotBookable: When the shop is closed then, or the time is past or taken.
    """
    _check_time(day, time)
    try:
        with transaction.atomic():
            return Appointment.objects.create(
                customer=customer, day=day, time=time, service=service
            )
    except IntegrityError:
        raise NotBookable("That time is already taken.") from None


def _check_time(day: datetime.date, time: datetime.time) -> None:
    now = timezone.localtime()
    if datetime.datetime.combine(day, time) <= now.replace(tzinfo=None):
        raise NotBookable("That time has already passed.")
    if day > now.date() + datetime.timedelta(days=DAYS_AHEAD):
        raise NotBookable(f"We only plan {DAYS_AHEAD} days ahead.")
    hours = hours_of(day)
    if hours is None:
        raise NotBookable(f"We are closed on {day:%A}s.")
    if (
        hours.opens is None
        or hours.closes is None
        or not (hours.opens <= time < hours.closes)
    ):
        raise NotBookable(
            f"On {day:%A}s we are open from {hours.opens:%H:%M} to {hours.closes:%H:%M}."
        )
    if time.minute % SLOT_MINUTES:
        raise NotBookable("Appointments begin on the hour or at half past.")


def next_free(
    after: datetime.date, wanted: datetime.time
) -> tuple[datetime.date, datetime.time] | None:
    """Return the nearest free time to the wanted one, on that day or a later one."""
    for ahead in range(DAYS_AHEAD):
        day = after + datetime.timedelta(days=ahead)
        free = sorted(free_times(day), key=lambda time: _distance(time, wanted))
        if free:
            return day, free[0]
    return None


def free_times(day: datetime.date) -> Iterator[datetime.time]:
    """Yield the times of a day that can still be booked."""
    hours = hours_of(day)
    if hours is None or hours.opens is None or hours.closes is None:
        return
    taken = set(
        Appointment.objects.filter(day=day, cancelled_at=None).values_list(
            "time", flat=True
        )
    )
    now = timezone.localtime().replace(tzinfo=None)
    moment = datetime.datetime.combine(day, hours.opens)
    while moment.time() < hours.closes and moment.date() == day:
        if moment > now and moment.time() not in taken:
            yield moment.time()
        moment += datetime.timedelta(minutes=SLOT_MINUTES)


def _distance(one: datetime.time, other: datetime.time) -> int:
    return abs((one.hour - other.hour) * 60 + one.minute - other.minute)
