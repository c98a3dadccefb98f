"""What the shop's agent can do. The widget finds this file by its name."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from django.utils import timezone

from demo_site import spoken, workshop
from demo_site.models import Appointment, OpeningHours, Order
from realtime_widget.handlers import ToolContext, function_handler

Service = Literal["tune-up", "brake service", "puncture repair", "wheel truing"]

SIGN_IN = {
    "message": "Please sign in on this page first, then I can look that up for you.",
    "signed_in": False,
}


ARABIC_WEEKDAYS = (
    "الاثنين",
    "الثلاثاء",
    "الأربعاء",
    "الخميس",
    "الجمعة",
    "السبت",
    "الأحد",
)


@function_handler
async def order_status(context: ToolContext, order_number: str) -> dict[str, Any]:
    """Look up where an order of the signed-in customer is.

    Use it for questions such as "Where is my order?", "Has my order been shipped?"
    or "When will my bike arrive?".

    Args:
        order_number: The number of the order as digits, for example 1042.
    """
    if not context.user.is_authenticated:
        return SIGN_IN
    number = spoken.order_number(order_number)
    order = await Order.objects.filter(customer=context.user, number=number).afirst()
    if order is None:
        return {
            "message": f"I cannot find an order {number} in your account.",
            "found": False,
        }
    today = timezone.localdate()
    return {
        "message": f"Order {number}, {order.item}, {_progress(order, today)}.",
        "found": True,
        "order_number": order.number,
        "item": order.item,
        "status": order.status,
        "expected_on": order.expected_on,
    }


def _progress(order: Order, today: datetime.date) -> str:
    """Return the rest of the sentence that tells how far an order is."""
    when = ""
    if order.expected_on is not None and order.expected_on >= today:
        when = spoken.day_words(order.expected_on, today)
    match order.status:
        case Order.Status.READY:
            return "is ready to collect at our shop"
        case Order.Status.SHIPPED:
            return f"is on its way and should arrive {when or 'soon'}"
        case Order.Status.DELIVERED:
            return "has been delivered"
        case Order.Status.IN_WORKSHOP:
            return f"is in our workshop and should be ready {when or 'soon'}"
    return "has been received and will be prepared next"


@function_handler
def book_appointment(
    context: ToolContext, day: str, time: str, service: Service
) -> dict[str, Any]:
    """Book an appointment in the workshop for the signed-in customer.

    Args:
        day: The day of the visit: a weekday such as Tuesday, tomorrow, or a date
            such as 2026-11-24.
        time: The time of the visit, for example 10:00 or half past two.
        service: What is to be done.
    """
    if not context.user.is_authenticated:
        return SIGN_IN
    today = timezone.localdate()
    date, clock = spoken.day(day, today), spoken.clock_time(time)
    if date is None or clock is None:
        return {"message": "Which day and which time would suit you?", "booked": False}
    try:
        appointment = workshop.book(context.user, date, clock, service)
    except workshop.NotBookable as exc:
        return {"message": f"{exc} {_instead(date, clock)}", "booked": False}
    return {
        "message": (
            f"Your {service} is booked {spoken.day_words(date, today)}"
            f" at {spoken.time_words(clock)}."
        ),
        "booked": True,
        "service": service,
        "day": appointment.day,
        "time": f"{appointment.time:%H:%M}",
    }


def _instead(date: datetime.date, clock: datetime.time) -> str:
    """Return an offer of the nearest free time."""
    today = timezone.localdate()
    free = workshop.next_free(max(date, today), clock)
    if free is None:
        return "There is nothing free in the next weeks, please call us."
    when = f"{spoken.day_words(free[0], today)} at {spoken.time_words(free[1])}"
    return f"I could offer you a place {when}."


@function_handler
async def cancel_appointment(context: ToolContext, day: str = "") -> dict[str, Any]:
    """Cancel a booked appointment of the signed-in customer.

    Args:
        day: The day of the appointment, when the customer names one. Empty: the
            next one.
    """
    if not context.user.is_authenticated:
        return SIGN_IN
    today = timezone.localdate()
    rows = Appointment.objects.filter(
        customer=context.user, cancelled_at=None, day__gte=today
    )
    date = spoken.day(day, today) if day else None
    if date is not None:
        rows = rows.filter(day=date)
    appointment = await rows.afirst()
    if appointment is None:
        when = f" {spoken.day_words(date, today)}" if date else ""
        return {"message": f"You have no appointment{when}.", "cancelled": False}
    appointment.cancelled_at = timezone.now()
    await appointment.asave(update_fields=["cancelled_at"])
    return {
        "message": (
            f"Your {appointment.service} {spoken.day_words(appointment.day, today)}"
            f" at {spoken.time_words(appointment.time)} is cancelled."
        ),
        "cancelled": True,
        "service": appointment.service,
        "day": appointment.day,
        "time": f"{appointment.time:%H:%M}",
    }


@function_handler
def opening_hours(context: ToolContext, day: str = "") -> dict[str, Any]:
    """Tell when the shop is open.

    Use it for questions such as "When are you open on Saturday?", "What are your
    opening hours?" or "Are you open now?".

    Args:
        day: The day asked about: a weekday such as Saturday, today or tomorrow.
            Empty: the whole week.
    """
    date = spoken.day(day, timezone.localdate()) if day else None
    if date is None:
        return _whole_week()
    hours = workshop.hours_of(date)
    if hours is None or hours.opens is None or hours.closes is None:
        return {"message": f"On {date:%A} we are closed.", "day": date, "open": False}
    return {
        "message": (
            f"On {date:%A} we are open from {spoken.time_words(hours.opens)}"
            f" to {spoken.time_words(hours.closes)}."
        ),
        "day": date,
        "open": True,
        "opens": f"{hours.opens:%H:%M}",
        "closes": f"{hours.closes:%H:%M}",
    }


def _whole_week() -> dict[str, Any]:
    """Return the hours of every day, days with equal hours said together."""
    groups: list[tuple[list[str], str]] = []
    for row in OpeningHours.objects.all():
        hours = "closed"
        if row.opens is not None and row.closes is not None:
            hours = (
                f"open from {spoken.time_words(row.opens)}"
                f" to {spoken.time_words(row.closes)}"
            )
        if groups and groups[-1][1] == hours:
            groups[-1][0].append(str(row))
        else:
            groups.append(([str(row)], hours))
    said = ". ".join(
        f"{days[0]} to {days[-1]} we are {hours}"
        if len(days) > 1
        else f"{days[0]} we are {hours}"
        for days, hours in groups
    )
    return {
        "message": f"{said}.",
        "week": {day: hours for days, hours in groups for day in days},
    }


@function_handler
def arabic_hours(context: ToolContext) -> dict[str, Any]:
    """Tell the opening hours of the week in Arabic."""
    parts = []
    for row in OpeningHours.objects.all():
        name = ARABIC_WEEKDAYS[row.weekday]
        if row.opens is None or row.closes is None:
            parts.append(f"{name}: مغلق")
        else:
            parts.append(f"{name}: من {row.opens:%H:%M} إلى {row.closes:%H:%M}")
    return {"message": f"ساعات العمل: {'، '.join(parts)}."}
